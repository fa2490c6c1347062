"""The watch on a clock of its own: simulated programs, a simulated target, what they would do."""
