"""The commands of ``heatctl``, a module each."""
