"""The README is short, and there is as good a one in Korean."""

import re
from pathlib import Path

from documents import HOME, KOREAN, README, blocks, headings, links

LONGEST = 170
"""Lines that somebody reads before trying it."""


def output(path: Path) -> list[str]:
    """Return the lines of output that a page shows."""
    return re.findall(r"^    .*$", path.read_text(), re.MULTILINE)


def options(path: Path) -> list[list[str]]:
    """Return the code in each row of the tables of a page."""
    rows = re.findall(r"^\| .*$", path.read_text(), re.MULTILINE)
    return [sorted(re.findall(r"`([^`]+)`", row)) for row in rows]


def places(path: Path) -> list[tuple[Path, str]]:
    """Return the files and fragments that a page links to; its counterpart is one place."""
    pairs = [target.partition("#") for target in links(path)]
    files = [((path.parent / file).resolve(), fragment) for file, _, fragment in pairs]
    return [(README if file == KOREAN else file, fragment) for file, fragment in files]


def test_the_readme_is_short() -> None:
    assert len(README.read_text().splitlines()) <= LONGEST


def test_the_readme_leads_to_every_page() -> None:
    pages = {path for path in (HOME / "docs").glob("*.md") if path != KOREAN}

    assert pages - {file for file, _ in places(README)} == set()


def test_the_korean_readme_has_the_same_headings() -> None:
    assert [level for level, _ in headings(KOREAN)] == [level for level, _ in headings(README)]


def test_the_korean_readme_has_the_same_commands() -> None:
    assert blocks(KOREAN, "sh") == blocks(README, "sh")
    assert output(KOREAN) == output(README)


def test_the_korean_readme_has_the_same_tables_and_links() -> None:
    assert options(KOREAN) == options(README)
    assert places(KOREAN) == places(README)
