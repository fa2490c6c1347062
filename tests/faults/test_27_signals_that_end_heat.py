"""Row 27: a signal that ends HEAT does so when what runs is ended and what is owed is paid."""

import signal

import pytest
from heat_process import Heat, orderly
from place import LASTING, Place
from processes import alive, process_state, until

from heat.process import signals

FATAL = [
    *("USR2", "ALRM", "VTALRM", "PROF", "XCPU", "IO", "STKFLT", "PWR"),
    *("RTMIN", "RTMIN+5", "RTMAX"),
]
SECOND_LASTS = f"[ $n = 0 ] || {{\n{LASTING}\n}}"
"""The first check fails; the one after recovery does not end."""


def freezing(place: Place, *words: str, prefix: tuple[str, ...] = ()) -> tuple[Heat, int, int]:
    """HEAT with a target that it has stopped, and a check that runs; the two process ids."""
    receiver = place.receiver()
    heat = place.heat(
        *("-i", "1h", "--pid", str(receiver.pid), "--signal", "none", "--fault-signal", "STOP"),
        *("--recovery-timeout", "1h", *words, "-s", place.check(1, body=SECOND_LASTS)),
        prefix=prefix,
    )
    check = int(place.await_words("pids")[0])
    until(lambda: process_state(receiver.pid) == "T", "the target's stop")
    return heat, receiver.pid, check


def assert_nothing_left(heat: Heat, target: int, check: int, name: str) -> None:
    assert process_state(target) in {"S", "R"}
    assert not alive(check)
    assert f"heat: SIG{name} received, stopping" in heat.news()
    assert f"sent CONT to {target}, which HEAT had stopped" in heat.news()
    orderly(heat)


@pytest.mark.parametrize("name", FATAL)
def test_what_would_end_heat_does_so_once_the_target_goes_on_and_the_check_is_gone(
    place: Place, name: str
) -> None:
    heat, target, check = freezing(place)
    signum = signals.parse(name)
    heat.signal(signum)

    assert heat.wait() == -signum
    assert_nothing_left(heat, target, check, signals.name(signum))


def test_quit_is_taken_as_term(place: Place) -> None:
    heat, target, check = freezing(place)
    heat.signal(signal.SIGQUIT)

    assert heat.wait() == 0
    assert_nothing_left(heat, target, check, "QUIT")


def test_every_signal_that_ends_a_program_and_can_be_caught_is_one_of_these() -> None:
    named = {signals.parse(name) for name in FATAL}
    real_time = set(range(signal.SIGRTMIN, signal.SIGRTMAX + 1))
    ignored_by_python = {signal.SIGPIPE, signal.SIGXFSZ}

    assert named | real_time | ignored_by_python == signals.ENDING


def test_what_was_ignored_at_the_start_stays_so_but_for_what_heat_has_a_use_for(
    place: Place,
) -> None:
    ignoring = ("sh", "-c", "trap '' INT QUIT USR2 HUP TERM; exec \"$@\"", "sh")
    heat, target, check = freezing(place, prefix=ignoring)
    for signum in (signal.SIGINT, signal.SIGQUIT, signal.SIGUSR2):
        heat.signal(signum)
    heat.signal(signal.SIGHUP)
    heat.await_file("heat.verbose.log", "> logs reopened")
    assert "a check runs now" in heat.status()
    assert alive(check)

    assert heat.stop() == 0
    assert_nothing_left(heat, target, check, "TERM")


def test_programs_begin_with_default_dispositions_whatever_heat_ignores(place: Place) -> None:
    show = "grep SigIgn /proc/self/status"
    ignoring = ("sh", "-c", "trap '' INT QUIT USR2 TTOU; exec \"$@\"", "sh")
    heat = place.heat("-i", "1h", "--count", "1", "-s", place.check(1, body=show), prefix=ignoring)

    assert heat.wait() == 1
    (mask,) = [line for line in heat.verbose().splitlines() if "SigIgn" in line]
    # The C library keeps signals 32 and 33 for itself, and has spawned programs ignore them.
    assert int(mark_of(mask), 16) & ~(3 << 31) == 0


def mark_of(line: str) -> str:
    return line.rpartition("t")[2]


def test_a_second_signal_kills_what_ignores_the_first(place: Place) -> None:
    stubborn = "trap 'echo heard >> told' TERM\necho $$ >> pids\nwhile :; do sleep 0.02; done"
    heat = place.heat("-i", "1h", "-s", place.script("check", stubborn))
    pid = int(place.await_words("pids")[0])
    heat.signal(signal.SIGUSR2)
    place.await_words("told")
    heat.signal(signal.SIGALRM)

    assert heat.wait() == -signal.SIGALRM
    assert not alive(pid)
    assert "heat: SIGALRM received, killing" in heat.news()
