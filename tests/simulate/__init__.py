"""A deterministic simulation: the real monitor and table in a world of random choices.

A seed is a history. After each step it checks the invariants, and compares the machine's effects
with those of an oracle. A history that fails is shrunk to the shortest one that still fails.
"""
