"""HEAT: a watchdog that runs a check, signals, repairs and writes down what it saw."""

__version__ = "0.1.0"
