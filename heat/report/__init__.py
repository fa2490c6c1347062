"""Everything that HEAT prints and writes into its logs."""
