"""Text measured in the cells that it takes on a terminal, and not in characters."""

from functools import lru_cache

_WIDE = {"W", "F"}
_NO_CELL = {"Mn", "Me", "Cf", "Cc"}
_JAMO = range(0x1160, 0x1200)
"""Vowels and finals that Hangul puts into the syllable before them."""


def cells(text: str) -> int:
    """How many cells the text takes."""
    return len(text) if text.isascii() else sum(map(_of_one, text))


@lru_cache(maxsize=4096)
def _of_one(character: str) -> int:
    import unicodedata  # A megabyte that ASCII, which most texts are, does without.

    if unicodedata.category(character) in _NO_CELL or ord(character) in _JAMO:
        return 0
    return 2 if unicodedata.east_asian_width(character) in _WIDE else 1


def padded(text: str, width: int) -> str:
    """The text, with blanks behind it up to this width."""
    return text + " " * (width - cells(text))


def wrapped(text: str, width: int, first: str = "", rest: str = "") -> list[str]:
    """The text in lines no wider than this; ``first`` stands before one, ``rest`` before others."""
    if text.isascii():
        import textwrap

        return textwrap.wrap(text, width, initial_indent=first, subsequent_indent=rest)
    found: list[str] = []
    line, empty = first, True
    for word in text.split():
        left = word
        while left:
            gap = "" if empty else " "
            room = width - cells(line) - len(gap)
            part = left if cells(left) <= room else ""
            if not part and (empty or cells(left) > width - cells(rest)):
                part = _beginning(left, room, at_least_one=empty)
            if part:
                line, empty = line + gap + part, False
                left = left[len(part) :]
            if left:
                found.append(line)
                line, empty = rest, True
    return [*found, line] if text.split() else found


def _beginning(text: str, width: int, *, at_least_one: bool) -> str:
    """As much of the beginning as is no wider than this."""
    room = width
    for place, character in enumerate(text):
        room -= _of_one(character)
        if room < 0:
            return text[: max(place, at_least_one)]
    return text
