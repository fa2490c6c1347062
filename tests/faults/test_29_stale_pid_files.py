"""Row 29: a pid file that was left behind names a stranger."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from heat_process import FAST, orderly
from pid_files import SHOWN, Named, aged, believed, process_with_pid_file, refused
from place import Place
from processes import needs_root

from heat.process import pid_file


@pytest.fixture
def named(place: Place) -> Named:
    return process_with_pid_file(place)


def test_a_pid_file_that_was_left_behind_ends_no_stranger(place: Place) -> None:
    stranger = place.receiver()
    path = place.folder / "pid"
    path.write_text(f"{stranger.pid}\n")
    aged(path, stranger.pid, 3600)
    heat = place.heat("-i", FAST, "--pid-file", "pid", "-s", place.check(1))

    heat.await_news("HUP was not sent (--signal): ", 3)
    assert stranger.signals() == []
    why = (
        f"{SHOWN} is 3600 s older than process {stranger.pid}, so it was left behind by another "
        "one that had this number (if that is wrong: touch pid)"
    )
    assert f"heat: warning: {why}" in heat.news()
    assert f"> HUP was not sent (--signal): {why}\n" in heat.verbose()

    os.utime(path)
    stranger.await_signal("HUP")
    assert heat.stop() == 0
    orderly(heat)


@pytest.mark.parametrize("span", [-86400.0, 0.0, pid_file.OLDER - 1])
def test_a_pid_file_that_is_about_as_old_as_its_process_is_believed(
    named: Named, span: float
) -> None:
    receiver, path, target = named
    aged(path, receiver.pid, span)

    believed(target, receiver)


def test_a_pid_file_that_is_some_seconds_older_than_its_process_is_not(named: Named) -> None:
    receiver, path, target = named
    aged(path, receiver.pid, pid_file.OLDER + 1)

    refused(target, f"is 6 s older than process {receiver.pid}")


@pytest.fixture
def step_clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let this process see a clock that was set since, as it was noted when HEAT began."""
    real = pid_file.clock_ahead
    pid_file.clock_ahead_at_first()
    return lambda span: monkeypatch.setattr(pid_file, "clock_ahead", lambda: real() + span)


@pytest.mark.parametrize("span", [86400.0, -86400.0])
def test_a_clock_that_was_set_while_heat_runs_makes_no_pid_file_stale(
    named: Named, step_clock: Callable[[float], None], span: float
) -> None:
    receiver, _, target = named
    step_clock(span)

    believed(target, receiver)


@pytest.mark.parametrize("in_memory", [True, False])
def test_a_clock_that_was_put_forward_since_the_boot_makes_no_pid_file_in_run_stale(
    named: Named, monkeypatch: pytest.MonkeyPatch, *, in_memory: bool
) -> None:
    """A machine without a battery for its clock boots in the past; a file in memory cannot."""
    receiver, path, target = named
    ahead = pid_file.clock_ahead() + time.clock_gettime(time.CLOCK_BOOTTIME) + 86400.0
    monkeypatch.setattr(pid_file, "clock_ahead", lambda: ahead)
    monkeypatch.setattr(pid_file, "clock_ahead_at_first", lambda: ahead)
    monkeypatch.setattr(pid_file, "is_in_memory", {path.stat().st_dev: in_memory}.get)

    if in_memory:
        believed(target, receiver)
    else:
        refused(target, f"s older than process {receiver.pid}")


@needs_root
def test_a_file_system_in_memory_is_known(tmp_path: Path) -> None:
    command = [
        "unshare",
        "--mount",
        "sh",
        "-c",
        'mount -t tmpfs none . || exit 77; exec "$@"',
        "sh",
    ]
    program = (
        "import os; from heat.process.pid_file import is_in_memory; "
        "print(is_in_memory(os.stat(%r).st_dev))"
    )
    mounted = [
        subprocess.run(
            [*command, sys.executable, "-c", program % place],
            cwd=tmp_path, capture_output=True, text=True, check=False,
        ) for place in (str(tmp_path), "/proc")
    ]  # fmt: skip
    if mounted[0].returncode in (1, 77):
        pytest.skip(f"nothing can be mounted here: {mounted[0].stderr}")

    assert [done.stdout for done in mounted] == ["True\n", "False\n"]
