"""heatctl: look at a running HEAT and steer it, and rehearse what one would do."""
