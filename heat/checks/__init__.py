"""The kinds of checks: a command today."""
