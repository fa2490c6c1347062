"""The last check, packed: it comes out as it went in."""

import pytest

from heat.checks.outcome import Outcome
from heat.monitor.last_check import pack, unpack

NOW = 1_795_000_000


@pytest.mark.parametrize(
    "check",
    [
        Outcome(NOW, 0, 4_194_304, 0.0021),
        Outcome(NOW, 255, 1, 1e6),
        Outcome(NOW, 124, 77, 30.5, None, timed_out=True),
        Outcome(NOW, 137, 77, 0.5, 9),
        Outcome(NOW, 128 + 64, 77, 0.5, 64),
        Outcome(NOW, None, unknown="too many open files"),
        Outcome(NOW, 3, 77, 0.5, unknown="Exit Code 3"),
        Outcome(NOW, 137, 77, 0.5, 9, unknown="Exit Code 137"),
        Outcome(NOW, 1, 77, 0.5, warning=True),
        Outcome(NOW, 124, 77, 30.5, None, timed_out=True, terminal=True),
        Outcome(NOW, 127),
        Outcome(NOW, None, 77, 0.5, None, timed_out=False, unknown="lost"),
        Outcome(-1, 0, 77, 0.5),
        Outcome(2**32, 0, 77, 0.5),
    ],
)
def test_a_check_comes_out_as_it_went_in(check: Outcome) -> None:
    assert unpack(pack(check, 123.25)) == (check, 123.25)


@pytest.mark.parametrize(
    "check",
    [
        Outcome(NOW, 0, 77, 0.5),
        Outcome(NOW, 3, 77, 0.5, unknown="Exit Code 3"),
        Outcome(NOW, 1, 77, 0.5, warning=True),
    ],
)
def test_the_usual_one_is_small(check: Outcome) -> None:
    packed = pack(check, 1.0)

    assert isinstance(packed, bytes)
    assert len(packed) == 28
