"""Processes as /proc shows them."""

import os
import signal

import pytest
from place import Place
from processes import descriptors_left

from heat.process.proc import has_ended, would_end


def test_whether_a_signal_would_end_a_process(place: Place) -> None:
    receiver = place.receiver()
    sleeper = place.spawn(["sleep", "600"])

    assert not would_end(receiver.pid, signal.SIGUSR1)
    assert would_end(sleeper.pid, signal.SIGUSR1)
    assert not would_end(4194304, signal.SIGUSR1)


def test_a_process_that_cannot_be_looked_at_for_want_of_descriptors_has_not_ended() -> None:
    with descriptors_left(0), pytest.raises(OSError, match="Too many open files"):
        has_ended(os.getpid())
