"""Text that is safe to print and to log: it forges neither a record nor a terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heat.text import counted, escaped, lines, seconds


@pytest.mark.parametrize(
    ("output", "shown"),
    [
        (b"plain\n", ["plain"]),
        (b"one\ntwo", ["one", "two"]),
        (b"", []),
        (b"\n", [""]),
        (b"a\rb\x0bc\x0cd\x1ce", ["a\\rb\\x0bc\\x0cd\\x1ce"]),
        (b"\x1b[31mred\x07\x00\t", ["\\x1b[31mred\\x07\\x00\\t"]),
        (b"\x7f", ["\\x7f"]),
        ("\x85\u2028\u2029\x9b".encode(), ["\\x85\\u2028\\u2029\\x9b"]),
        ("\u202eevil\u2066\u200f\u061c".encode(), ["\\u202eevil\\u2066\\u200f\\u061c"]),
        ("größer 東京 ✓".encode(), ["größer 東京 ✓"]),
        (b"\xff\xfe latin \xe9", ["\\xff\\xfe latin \\xe9"]),
        (b"1671306485 : ERR : heat :\n> forged", ["1671306485 : ERR : heat :", "> forged"]),
    ],
)
def test_lines(output: bytes, shown: list[str]) -> None:
    assert lines(output) == shown


@given(st.binary(max_size=200))
def test_whatever_is_printed_no_control_character_gets_through(output: bytes) -> None:
    for line in lines(output):
        assert not any(ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 for c in line)
        assert not set(line) & set("\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067")
        line.encode()


@given(st.text(max_size=50))
def test_escaped_text_can_always_be_written(text: str) -> None:
    shown = escaped(text)

    assert shown.encode().decode() == shown


@pytest.mark.parametrize(
    ("span", "shown"), [(300.0, "300"), (0.5, "0.5"), (30.0, "30"), (0.001, "0.001"), (10, "10")]
)
def test_seconds(span: float, shown: str) -> None:
    assert seconds(span) == shown


def test_counted() -> None:
    assert counted(1, "failure") == "1 failure"
    assert counted(2, "recovery", "recoveries") == "2 recoveries"
