"""Signals by name and number."""

import signal

import pytest

from heat.diagnostics import BadValueError
from heat.process import signals


@pytest.mark.parametrize("number", sorted(signal.valid_signals()))
def test_every_signal_of_the_system_is_known_by_number_and_name(number: int) -> None:
    name = signals.name(number)

    assert signals.parse(str(int(number))) == number
    assert {signals.parse(word) for word in (name, f"SIG{name}", name.lower())} == {number}


def test_real_time_signals_from_both_ends() -> None:
    assert signals.parse("RTMIN") == signal.SIGRTMIN
    assert signals.parse("sigrtmax-1") == signal.SIGRTMAX - 1
    assert signals.name(signal.SIGRTMIN) == "RTMIN"
    with pytest.raises(BadValueError):
        signals.parse("RTMIN+99")
