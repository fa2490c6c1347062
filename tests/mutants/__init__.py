"""Mutants: small mistakes put into states/, each of which some test has to find."""
