"""Moments of local time in words."""

import pytest
from talker import NOW

from heat.ctl.times import brief, clock, stamp

pytestmark = pytest.mark.usefixtures("utc")


def test_moments() -> None:
    assert stamp(NOW) == "2026-11-22T10:47:37"
    assert clock(NOW, NOW + 60) == "10:47:37"
    assert clock(NOW, NOW + 86_400) == "2026-11-22 10:47:37"
    assert brief(NOW, NOW + 86_400) == "Nov 22 10:47"
