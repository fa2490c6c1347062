"""The loop, the scheduler and the limiter, which know only of time and descriptors."""
