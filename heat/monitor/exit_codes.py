"""The exit codes of HEAT, and of a monitor that has ended."""

EXIT_WELL, EXIT_NOT_WELL, EXIT_USAGE, EXIT_ERROR, EXIT_INTERRUPTED = 0, 1, 2, 3, 130
