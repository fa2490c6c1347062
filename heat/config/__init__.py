"""The configuration: options, the file of --config, and what is wrong with them."""
