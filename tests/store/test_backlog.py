"""The backlog keeps changes in their order, up to a limit, and then counts what is lost."""

import pytest

from heat.store import backlog
from heat.store.backlog import Backlog, Change


def change(number: int) -> Change:
    return [("SELECT ?", (number,))]


def filled(count: int) -> Backlog:
    changes = Backlog()
    for number in range(count):
        changes.add(change(number))
    return changes


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog, "MOST", 3)
    monkeypatch.setattr(backlog, "CHUNK", 2)


def test_the_oldest_changes_come_first_and_only_what_is_written_goes() -> None:
    changes = filled(3)

    assert changes.chunk() == [change(0), change(1)]
    assert changes.chunk() == [change(0), change(1)]
    changes.written(changes.chunk())
    assert changes.chunk() == [change(2)]
    changes.written(changes.chunk())
    assert not changes


def test_a_backlog_that_overflows_asks_for_a_snapshot_and_counts_what_is_lost() -> None:
    changes = filled(6)

    assert changes.overflowed
    assert changes
    assert changes.chunk() == []
    assert changes.lost == 6
    changes.written([])
    assert not changes
    assert changes.lost == 6


def test_after_the_snapshot_it_keeps_changes_again() -> None:
    changes = filled(4)
    changes.written([])
    changes.add(change(9))

    assert changes.chunk() == [change(9)]
    assert changes.lost == 4
