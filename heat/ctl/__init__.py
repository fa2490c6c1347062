"""heatctl: look at a running HEAT and steer it, over its control socket."""
