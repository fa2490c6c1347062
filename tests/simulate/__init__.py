"""A deterministic simulation: the real watch and table in a world made of random choices.

A seed is a history. After each step the invariants are checked, and the machine's effects are
compared with those of an oracle; what fails is shrunk to the shortest history that still does.
"""
