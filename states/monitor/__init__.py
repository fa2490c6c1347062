"""The table of a monitor: what it hears, what it wants done, and the rules between."""
