"""The machine of HEAT: pure, one table; events go in, effects come out as values."""
