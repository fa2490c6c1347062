"""Row 8: a program cannot be started for want of resources."""

import os
import resource
import signal
import subprocess
import sys

import pytest
from heat_process import FAILED, FAST, Heat, orderly, records
from place import FIRST_AT_GATE, Place
from processes import NOBODY, nobody_runs_heat, process_state, runs_as_nobody, until
from strace import SPAWN, attached, failing, injected, needs_strace


def idle_files(place: Place, heat: Heat) -> int:
    """Count the descriptors that HEAT holds, without those of the check that runs."""
    place.await_words("check.ran")
    # Its status line tells that the start of the check is over.
    assert "a check runs now" in heat.status()
    return len(os.listdir(f"/proc/{heat.pid}/fd")) - 3


LIMITED = """
import resource, sys
pid, limit, most = map(int, sys.argv[1:])
resource.prlimit(pid, limit, (most, resource.prlimit(pid, limit)[1]))
"""


def starved(place: Place, heat: Heat, limit: int, most: int, prefix: tuple[str, ...] = ()) -> None:
    """Hold HEAT to ``most`` of a resource, see it say so and go on, and let it loose again."""

    def limited(soft: int) -> None:
        words = (str(heat.pid), str(limit), str(soft))
        subprocess.run([*prefix, sys.executable, "-c", LIMITED, *words], check=True)

    usual = resource.prlimit(heat.pid, limit)[0] if not prefix else resource.getrlimit(limit)[0]
    before = len(heat.lines())
    limited(most)
    heat.await_line("Unknown: ", 3)
    limited(usual)
    until(lambda: heat.lines()[-1] == FAILED, "a check that runs again")
    results = [line.partition(":")[0] for line in heat.lines()[before:]]

    assert set(results) == {"Failed", "Unknown"}
    assert heat.stop() == 0
    orderly(heat)
    unknown = [line for line in heat.lines() if line.startswith("Unknown")]
    errors = [lines for kind, _, lines in records(heat.verbose()) if kind == "ERR"]
    assert [f"Unknown: {lines[0]}" for lines in errors] == unknown
    # The last one may have been stopped with HEAT.
    assert len(place.words("check.ran")) - heat.lines().count(FAILED) in {0, 1}


@runs_as_nobody
def test_without_processes_a_check_is_unknown_and_the_next_tick_tries_again(
    place: Place,
) -> None:
    prefix: tuple[str, ...] = ()
    if os.geteuid() == 0:
        if not nobody_runs_heat():
            pytest.skip("root has no limit of processes, and nobody may not run this Python")
        prefix = NOBODY
        place.folder.chmod(0o777)
    heat = place.heat("-i", FAST, "-s", place.check(1), prefix=prefix)
    heat.await_line("Failed")

    starved(place, heat, resource.RLIMIT_NPROC, 0, prefix)


def test_without_descriptors_a_check_is_unknown_and_the_next_tick_tries_again(
    place: Place,
) -> None:
    gate = place.gate("gate")
    check = place.check(1, body=FIRST_AT_GATE)
    heat = place.heat("-i", FAST, "-s", check)
    idle = idle_files(place, heat)
    gate.open()

    starved(place, heat, resource.RLIMIT_NOFILE, idle)


def test_without_descriptors_heat_tells_how_it_stands_all_the_same(place: Place) -> None:
    heat = place.heat("-i", FAST, "-s", place.check(0))
    heat.await_line("OK")
    usual = resource.prlimit(heat.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(heat.pid, resource.RLIMIT_NOFILE, (0, usual[1]))
    heat.signal(signal.SIGUSR1)
    heat.await_news("NORMAL, 0 failures in a row")
    resource.prlimit(heat.pid, resource.RLIMIT_NOFILE, usual)

    assert heat.stop() == 0
    orderly(heat)


def test_however_few_descriptors_are_left_no_started_check_is_lost(place: Place) -> None:
    gate = place.gate("gate")
    heat = place.heat(
        *("-i", "0.02", "--fail", place.script("fail", "true"), "--recovery"),
        *(place.script("recover", "true"), "--threshold", "3"),
        *("-s", place.check(1, body=FIRST_AT_GATE)),
    )
    idle = idle_files(place, heat)
    gate.open()
    heat.await_line("Failed")
    usual = resource.prlimit(heat.pid, resource.RLIMIT_NOFILE)

    def results() -> int:
        """No check runs while a recovery script waits for its descriptors."""
        return len(heat.lines()) + heat.err.read_text().count("tries again at the next tick")

    for most in range(idle - 1, idle + 7):
        resource.prlimit(heat.pid, resource.RLIMIT_NOFILE, (most, usual[1]))
        before = results()
        until(lambda before=before: results() > before + 5, "results")
        resource.prlimit(heat.pid, resource.RLIMIT_NOFILE, usual)
        before = heat.lines().count(FAILED)
        until(
            lambda before=before: heat.lines().count(FAILED) > before + 1, "checks that run again"
        )

    assert heat.stop() == 0
    orderly(heat)
    assert {line.partition(":")[0] for line in heat.lines()} == {"Failed", "Unknown"}


@needs_strace
def test_a_target_is_not_stopped_without_the_descriptor_that_it_takes_to_wake_it(
    place: Place,
) -> None:
    gate = place.gate("gate")
    receiver = place.receiver()
    heat = place.heat(
        *("-i", FAST, "--pid", str(receiver.pid), "--signal", "none", "--fault-signal", "STOP"),
        *("--recovery-timeout", "1h", "-s", place.check(1, body=FIRST_AT_GATE)),
    )
    place.await_words("check.ran")
    with failing(place, heat, "?fcntl,?dup:EMFILE", "1..3") as trace:
        until(lambda: attached(heat), "strace")
        gate.open()
        injected(heat, trace)
        heat.await_news(f"cannot be sent to process {receiver.pid}: too many open files")
    heat.await_line("Failed", 3)

    assert process_state(receiver.pid) in {"S", "R"}
    assert heat.stop() == 0
    orderly(heat)


@needs_strace
def test_a_recovery_script_that_cannot_be_started_is_tried_again(place: Place) -> None:
    gate = place.gate("gate")
    recovery = place.script("recover", "echo $HEAT_FAIL_CNT >> recovered")
    heat = place.heat(
        *("-i", FAST, "--recovery", recovery, "--recovery-timeout", "1h", "--count", "2"),
        *("-s", place.check(1, 0, body=FIRST_AT_GATE)),
    )
    place.await_words("check.ran")
    with failing(place, heat, f"{SPAWN}:EAGAIN", "1..2") as trace:
        until(lambda: attached(heat), "strace")
        gate.open()
        injected(heat, trace, 2)
        heat.await_news("HEAT tries again at the next tick", 2)

    assert heat.wait() == 0
    orderly(heat)
    assert place.words("recovered") == ["1"]
    assert heat.lines() == [FAILED, "OK"]


@needs_strace
def test_a_configuration_is_read_again_though_its_reader_cannot_be_watched_at_once(
    place: Place,
) -> None:
    monitor = '[monitor.web]\nscript = "./check"\ninterval = "{}"\n'
    place.check(0)
    heat = place.fleet(monitor.format("1h"))
    heat.await_file("heat.verbose.log", "watching 1 monitor")
    with failing(place, heat, "epoll_ctl:ENOSPC", "1") as trace:
        until(lambda: attached(heat), "strace")
        place.write_config(monitor.format("2h"))
        heat.signal(signal.SIGHUP)
        injected(heat, trace)
    heat.await_news("0 monitors added, 1 changed, 0 removed")

    assert heat.stop() == 0
    orderly(heat)


def test_a_check_that_is_being_written_is_unknown(place: Place) -> None:
    check = place.script("check", "exit 1")
    with (place.folder / "check").open("ab"):
        with pytest.raises(OSError, match=r"Text file busy") as caught:
            subprocess.run([check], cwd=place.folder, check=False)
        if caught.value.errno is None:
            pytest.skip("this kernel runs files that are open for writing")
        heat = place.heat("-i", FAST, "-s", check)
        heat.await_line("Unknown: ./check cannot be started: text file busy", 2)
    heat.await_line("Failed")

    assert heat.stop() == 0
