"""Processes: start, output, signals, end, and what is left of them."""
