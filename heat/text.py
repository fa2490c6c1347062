"""Text that is safe to print and to log: no control character passes."""

from collections.abc import Iterable

_ESCAPES = {
    code: f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
    for code in (
        *range(0x20),
        *range(0x7F, 0xA0),
        0x061C,
        0x200E,
        0x200F,
        *range(0x2028, 0x202F),
        *range(0x2066, 0x206A),
    )
} | {0x09: "\\t", 0x0A: "\\n", 0x0D: "\\r"}


def escaped(text: str) -> str:
    """Show C0, C1, DEL, bidi marks, U+2028 and U+2029 as escapes, and keep the rest."""
    if text.isprintable():
        return text
    escapes = text.translate(_ESCAPES)
    return escapes.encode("utf-8", "backslashreplace").decode()


def lines(output: bytes) -> list[str]:
    """Return the lines of a program's output, escaped; bytes that are not UTF-8 are in hex."""
    text = output.decode("utf-8", "backslashreplace")
    parts = text.split("\n")
    if not parts[-1]:
        parts.pop()
    return [escaped(line) for line in parts]


LAST_LINE = 200
"""Bytes of the last line that messages show."""
LAST_BYTES = LAST_LINE + 3
"""Bytes of it that HEAT keeps, so that the last character is whole."""
_ESCAPED = {"x": 4, "u": 6}
"""Lengths of escapes by their second character; other escapes have two characters."""


def last_line(output: bytes) -> str:
    """Return the beginning of the last line that is not blank, escaped; empty if all are."""
    return _shortened(escaped(beginning(output).decode("utf-8", "backslashreplace")))


def beginning(output: bytes) -> bytes:
    """Return as much of the last line that is not blank as `last_line` needs."""
    output = output.rstrip()
    return output[output.rfind(b"\n") + 1 :].lstrip()[:LAST_BYTES]


def _shortened(shown: str) -> str:
    """Return as much of an escaped line as messages show, with no character or escape cut."""
    if len(shown) <= LAST_LINE // 4 or len(data := shown.encode()) <= LAST_LINE:
        return shown
    start = data[:LAST_LINE].decode("utf-8", "ignore")
    at = start.rfind("\\", -5)
    if at >= 0 and at + _ESCAPED.get(shown[at + 1], 2) > len(start):
        return start[:at]
    return start


def seconds(span: float) -> str:
    """Return a time span in seconds, as in messages: ``300``, ``0.5``, ``12.3``."""
    return f"{span:.3f}".rstrip("0").rstrip(".")


def counted(number: int, one: str, many: str = "") -> str:
    """Return a number and its noun: ``1 failure``, ``3 failures``."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def of_them_paused(pauses: Iterable[bool]) -> str:
    """Return the end of a count of monitors: ``, 2 of them paused``; empty if none is."""
    paused = sum(pauses)
    return f", {paused} of them paused" if paused else ""
