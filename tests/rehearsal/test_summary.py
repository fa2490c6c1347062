"""The sum of a rehearsal, in sentences."""

import pytest
from rehearsals import played, rehearse

from heat.rehearsal.summary import account, sentences


def test_two_outages_have_a_sentence_each() -> None:
    outcome = played("1,0,1x2,0", "--fail=./tell")

    assert [*sentences(outcome)] == [
        "Outage 1 lasted 10 s, from 0 s to 10 s; no remedy was tried.",
        "Outage 2 lasted 20 s, from 20 s to 40 s; no remedy was tried.",
        "In 50 s the check ran 5 times and the fail script 3 times.",
        "It ends in NORMAL.",
    ]


def test_no_outage() -> None:
    outcome = played("0")

    assert [*sentences(outcome)] == [
        "There was no outage.",
        "In 10 s the check ran once.",
        "It ends in NORMAL.",
    ]
    assert account(outcome).outages == []


def test_an_outage_that_is_not_over(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, _ = rehearse("-i 10 -s ./check --results 0,1x2", capfd)

    assert code == 1
    assert "The outage began at 10 s and was not over after 20 s; no remedy was tried." in out
    assert "It ends in FAILING." in out
