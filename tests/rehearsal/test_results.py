"""Results as somebody writes them."""

from collections.abc import Sequence

import pytest
from rehearsals import moments, played
from virtual import Ends

from heat.rehearsal.results import results


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("0", [Ends()]),
        ("1x2,7", [Ends(1), Ends(1), Ends(7)]),
        ("1@3s", [Ends(1, 3.0)]),
        ("1x2@500ms", [Ends(1, 0.5)] * 2),
        ("1@3x2", [Ends(1, 3.0)] * 2),
        ("timeout", [Ends(after=None)]),
        ("killed, killed:TERM@2s", [Ends(killed=9), Ends(killed=15, after=2.0)]),
    ],
)
def test_results_are_read(text: str, ends: Sequence[Ends]) -> None:
    assert list(results(text)) == ends


def test_an_unknown_result_is_a_check_that_cannot_be_started() -> None:
    outcome = played("unknown,0")

    assert [text for _, text in moments(outcome, "check")] == [
        "check 1: Unknown: it cannot be started for want of resources (as --results says)",
        "check 2: OK",
    ]
