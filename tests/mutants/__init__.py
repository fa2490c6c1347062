"""Mutants: small mistakes put into the code, which the tests must find."""
