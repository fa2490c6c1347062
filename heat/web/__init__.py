"""``heatctl serve``: HTTP in front of the control socket."""
