"""The table of a monitor: events in, effects out, and the rules between them."""
