"""HEAT: a watchdog that runs checks, signals, repairs and keeps a record."""

__version__ = "0.1.0"
