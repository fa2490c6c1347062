"""The loop, the scheduler and the limiter: what knows of time and descriptors alone."""
