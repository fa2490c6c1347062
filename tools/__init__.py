"""Tools of the project: what it generates. Not installed."""
