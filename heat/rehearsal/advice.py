"""Advice: what options allow, and what may not be meant by them."""

from heat.mistakes import Mistake
from heat.options import Options


def advice(options: Options) -> list[Mistake]:
    """What may not be meant, each with the fix."""
    del options
    return []


def as_in_file(given: list[Mistake], place: str) -> list[Mistake]:
    """The same, said of the keys of a table in a file."""
    return [each.at(place) for each in given]
