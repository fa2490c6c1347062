"""The last check, packed: it comes out as it went in."""

import pytest

from heat.monitor.last_check import pack, unpack
from heat.report.monitor_report import Checked

NOW = 1_795_000_000


@pytest.mark.parametrize(
    "check",
    [
        Checked(NOW, 0, 4_194_304, 0.0021),
        Checked(NOW, 255, 1, 1e6),
        Checked(NOW, 124, 77, 30.5, None, timed_out=True),
        Checked(NOW, 137, 77, 0.5, 9),
        Checked(NOW, 128 + 64, 77, 0.5, 64),
        Checked(NOW, None, unknown="too many open files"),
        Checked(NOW, 3, 77, 0.5, unknown="Exit Code 3"),
        Checked(NOW, 137, 77, 0.5, 9, unknown="Exit Code 137"),
        Checked(NOW, 1, 77, 0.5, warning=True),
        Checked(NOW, 124, 77, 30.5, None, timed_out=True, terminal=True),
        Checked(NOW, 127),
        Checked(NOW, None, 77, 0.5, None, timed_out=False, unknown="lost"),
        Checked(-1, 0, 77, 0.5),
        Checked(2**32, 0, 77, 0.5),
    ],
)
def test_a_check_comes_out_as_it_went_in(check: Checked) -> None:
    assert unpack(pack(check, 123.25)) == (check, 123.25)


@pytest.mark.parametrize(
    "check",
    [
        Checked(NOW, 0, 77, 0.5),
        Checked(NOW, 3, 77, 0.5, unknown="Exit Code 3"),
        Checked(NOW, 1, 77, 0.5, warning=True),
    ],
)
def test_the_usual_one_is_small(check: Checked) -> None:
    packed = pack(check, 1.0)

    assert isinstance(packed, bytes)
    assert len(packed) == 28
