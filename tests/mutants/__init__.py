"""Mutants: small mistakes put into the code, each of which a test must find."""
