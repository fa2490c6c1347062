"""Text is measured, padded and broken by the cells that a terminal shows."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from heat.cells import cells, padded, wrapped

SCRIPTS = st.sampled_from("azAZ09.-äñΩяשعก東京ーハ한국💾🔥｡ｶＡ\u0301\u0308\u200d\u3000")
TEXTS = st.text(SCRIPTS, max_size=40)


@given(TEXTS)
def test_text_is_as_wide_as_rich_says(text: str) -> None:
    """By which tables on a terminal are drawn."""
    assert cells(text) == sum(map(cell_len, text))


@given(TEXTS, st.integers(0, 90))
def test_what_is_padded_has_its_width(text: str, width: int) -> None:
    assert cells(padded(text, width)) == max(width, cells(text))


@given(st.lists(TEXTS.filter(lambda text: text.strip()), max_size=8), st.integers(6, 30))
def test_lines_fit_and_nothing_is_lost(words: list[str], width: int) -> None:
    text = " ".join(words)
    lines = wrapped(text, width, "- ", "  ")

    assert all(cells(line) <= width for line in lines)
    assert "".join(line[2:] for line in lines).replace(" ", "") == "".join(text.split())


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", []),
        ("  ö  ", ["> ö"]),
        ("ö bc d", ["> ö bc", "  d"]),
        ("東京東京", ["> 東京", "  東京"]),
        ("a東京 bö", ["> a東", "  京", "  bö"]),
    ],
)
def test_broken_lines(text: str, lines: list[str]) -> None:
    assert wrapped(text, 6, "> ", "  ") == lines


def test_what_is_ascii_loads_nothing() -> None:
    code = "import sys, heat.cells as c; c.cells('web'); c.padded('web', 9); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout

    assert b"unicodedata" not in loaded
