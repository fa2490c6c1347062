"""The program ``heat``: its command line, its parts put together, and their life."""
