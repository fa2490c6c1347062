"""The width of text in terminal cells, which is not its number of characters."""

from functools import lru_cache

_WIDE = {"W", "F"}
_NO_CELL = {"Mn", "Me", "Cf", "Cc"}
_JAMO = range(0x1160, 0x1200)
"""Vowels and finals: Hangul writes them into the syllable before them."""


def cells(text: str) -> int:
    """Return the number of cells that a text takes."""
    return len(text) if text.isascii() else sum(map(_of_one, text))


@lru_cache(maxsize=4096)
def _of_one(character: str) -> int:
    import unicodedata  # A megabyte; most texts are ASCII, and do without it.

    if unicodedata.category(character) in _NO_CELL or ord(character) in _JAMO:
        return 0
    return 2 if unicodedata.east_asian_width(character) in _WIDE else 1


def padded(text: str, width: int) -> str:
    """Return the text with blanks behind it, up to this width."""
    return text + " " * (width - cells(text))


def wrapped(text: str, width: int, first: str = "", rest: str = "") -> list[str]:
    """Return lines of at most this width; ``first`` opens the first, ``rest`` the others."""
    if text.isascii():
        import textwrap

        return textwrap.wrap(text, width, initial_indent=first, subsequent_indent=rest)
    done: list[str] = []
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
                done.append(line)
                line, empty = rest, True
    return [*done, line] if text.split() else done


def _beginning(text: str, width: int, *, at_least_one: bool) -> str:
    """Return as much of the beginning as fits this width."""
    room = width
    for place, character in enumerate(text):
        room -= _of_one(character)
        if room < 0:
            return text[: max(place, at_least_one)]
    return text
