"""Every relative link of the documents leads somewhere."""

from itertools import pairwise
from pathlib import Path

import pytest
from documents import HOME, PAGES, README, anchor, anchors, headings, links

DOCUMENTS = (*PAGES, *(path for path in sorted(HOME.glob("*.md")) if path != README))


def dead(path: Path, target: str) -> bool:
    """Tell if a link of a page leads nowhere."""
    file, _, fragment = target.partition("#")
    there = (path.parent / file).resolve() if file else path
    if not there.exists():
        return True
    return bool(fragment) and fragment not in anchors(there)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(HOME)))
def test_each_link_leads_somewhere(path: Path) -> None:
    relative = [target for target in links(path) if "://" not in target]

    assert [target for target in relative if dead(path, target)] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(HOME)))
def test_no_two_headings_have_one_anchor(path: Path) -> None:
    if path.name == "CHANGELOG.md":
        return

    names = [anchor(text) for _, text in headings(path)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("target", ["gone.md", "options.md#gone", "#gone", "../gone/"])
def test_a_dead_link_is_seen(target: str) -> None:
    assert dead(HOME / "docs/options.md", target)


def test_each_page_is_reached_from_the_readme() -> None:
    reached, left = {README}, [README]
    while left:
        path = left.pop()
        for target in links(path):
            there = (path.parent / target.partition("#")[0]).resolve()
            if there.suffix == ".md" and there.is_file() and there not in reached:
                reached.add(there)
                left.append(there)

    assert [str(path) for path in PAGES if path not in reached] == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(HOME)))
def test_each_page_has_one_title_and_no_gap_below_it(path: Path) -> None:
    levels = [level for level, _ in headings(path)]

    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
