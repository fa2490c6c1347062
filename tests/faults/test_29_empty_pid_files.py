"""Row 29: a pid file that is empty for a moment, or NUL-padded."""

import signal
from collections.abc import Iterable

import pytest
from heat_process import Heat, orderly
from pid_files import Named, believed, process_with_pid_file
from place import Place
from virtual import VirtualWorld

from heat.errors import TargetError, UnwrittenError
from heat.rehearsal.programs import Ends
from states.monitor.model import State


@pytest.fixture
def named(place: Place) -> Named:
    return process_with_pid_file(place)


@pytest.mark.parametrize(
    "written",
    [
        b"%d",
        b"%d\0\0\0\0",
        b"%d\n\0\0\0\0",
        b"\xef\xbb\xbf%d\r\n",
        b"\n%d\n",
        b"\n\n \t %d \t\n",
        b"000%d\n",
        b"%d\n/var/lib/postgresql\n5432\n",
        b"%d" + b"\0" * 8000,
    ],
)
def test_a_pid_is_read_whatever_stands_around_it(named: Named, written: bytes) -> None:
    receiver, path, target = named
    path.write_bytes(written % receiver.pid)

    believed(target, receiver)


@pytest.mark.parametrize("written", [b"", b"\n", b"\0\0\0\0", b" \r\n\0", b"\xef\xbb\xbf"])
def test_an_empty_pid_file_is_not_written_yet(named: Named, written: bytes) -> None:
    _, path, target = named
    path.write_bytes(written)

    with pytest.raises(UnwrittenError, match="is empty") as caught:
        target.send(signal.SIGUSR1)
    assert caught.value.passing


EMPTY = UnwrittenError("--pid-file pid is empty")
LEFT_OUT = "was not sent ({}): --pid-file pid is empty"
TARGET = ("--pid-file=pid",)
FAILS = Ends(code=1)


def world(
    *words: str, checks: Iterable[Ends], recoveries: Iterable[Ends] = (Ends(),)
) -> VirtualWorld:
    """A watch whose pid file is empty."""
    there = VirtualWorld(*TARGET, *words, checks=checks, recoveries=recoveries)
    there.target_error = EMPTY
    return there


def test_an_empty_pid_file_is_looked_at_again_a_moment_later() -> None:
    there = world(checks=[FAILS, Ends()]).run_until(0.05)
    assert there.printed[-1].endswith("Failed: Exit Code 1, details in heat.log")
    there.target_error = None

    assert there.run_until(5).times("HUP") == [0.1]
    assert "was not sent" not in "".join(there.printed)


def test_and_then_at_a_tick_and_meanwhile_that_is_said() -> None:
    there = world(checks=[FAILS, Ends(after=3)]).run_until(5)

    messages = [line for line in there.printed if "not sent" in line]
    assert messages == [f"(HUP {LEFT_OUT.format('--signal')}; HEAT looks again at the next tick)"]
    there.target_error = None
    assert there.run_until(15).times("HUP") == [10]


def test_what_it_says_then_is_taken_as_it_would_have_been() -> None:
    there = world(checks=[FAILS, Ends()]).run_until(0.05)
    there.target_error = TargetError("process 42 does not exist")
    there.run_until(5)

    assert there.monitor.model.state is State.ERROR  # Nothing recovers.
    assert there.done


def test_one_that_stays_empty_is_said_and_ends_nothing() -> None:
    there = world(checks=[FAILS, Ends()]).run_until(35)

    messages = [line for line in there.printed if "not sent" in line]
    assert len(messages) == 2
    assert messages[-1] == f"(HUP {LEFT_OUT.format('--signal')})"
    assert there.monitor.model.state is State.NORMAL
    assert not there.done


def test_a_later_signal_takes_its_place_which_is_said() -> None:
    there = world("--success-signal=CONT", checks=[FAILS, FAILS, Ends()]).run_until(0.05)
    there.target_error = None
    there.monitor.pause(None, "")
    there.run_until(5)

    assert there.times("HUP") == []  # No effects in a pause.
    assert [line for line in there.printed if "not sent" in line] == [
        f"(HUP {LEFT_OUT.format('--signal')})"
    ]


def test_a_fault_signal_never_hits_what_the_recovery_has_started() -> None:
    words = ("--signal=none", "--fault-signal=KILL", "--recovery=./recover")
    window = "--recovery-timeout=1h"
    quick = world(*words, window, checks=[FAILS], recoveries=[Ends(after=0.05)]).run_until(0.07)
    slow = world(*words, checks=[FAILS, Ends()], recoveries=[Ends(after=30)]).run_until(5)
    for there in (quick, slow):
        there.target_error = None
        there.run_until(60)

        assert there.times("KILL") == []
        assert any(f"KILL {LEFT_OUT.format('--fault-signal')}" in line for line in there.printed)


def test_a_fault_signal_goes_out_late_while_the_recovery_runs() -> None:
    words = ("--signal=none", "--fault-signal=TERM", "--recovery=./recover")
    there = world(*words, checks=[FAILS, Ends()], recoveries=[Ends(after=3)]).run_until(0.05)
    there.target_error = None

    assert there.run_until(5).times("TERM") == [0.1]


def test_heat_lives_on_while_the_pid_file_is_empty_and_signals_once_it_is_not(
    place: Place,
) -> None:
    receiver = place.receiver()
    path = place.folder / "pid"
    path.touch()
    heat: Heat = place.heat("-i", "0.3", "--pid-file", "pid", "-s", place.check(1))

    heat.await_news("is empty: its writer has not written the process id yet", 2)
    path.write_text(f"{receiver.pid}\n")
    receiver.await_signal("HUP")
    assert heat.stop() == 0
    orderly(heat)
