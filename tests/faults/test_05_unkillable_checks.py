"""Row 5: a check cannot be killed."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from heat_process import FAST, Heat, orderly
from place import LASTING, Place
from processes import NOBODY, alive, nobody_runs_heat, runs_as_nobody


@pytest.fixture
def stubborn(place: Place) -> Path:
    """A copy of setpriv that anybody runs as root, so that nobody may kill what it starts."""
    if os.geteuid() != 0:
        pytest.skip("only root can make a program that another user cannot kill")
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("setpriv is not installed")
    place.folder.chmod(0o777)
    path = place.folder / "stubborn"
    shutil.copy(setpriv, path)
    path.chmod(0o4755)
    command = [*NOBODY, "./stubborn", "--reuid", "0", "id", "-u"]
    done = subprocess.run(command, cwd=place.folder, capture_output=True, check=False)
    if done.stdout != b"0\n":
        pytest.skip(f"setuid programs do not work here: {done.stderr.decode()}")
    if not nobody_runs_heat():
        pytest.skip("nobody may not run this Python")
    return path


def unkillable(place: Place, *words: str) -> tuple[Heat, int]:
    """HEAT as nobody, with a check that is root's; the pid of that."""
    place.folder.chmod(0o777)
    for name in ("stdout", "stderr"):
        (place.folder / name).touch()
    check = ("../stubborn", "--reuid", "0", "sh", "-c", LASTING)
    heat = place.heat("-i", FAST, *words, "--", *check, prefix=NOBODY)
    return heat, place.adopt(int(place.await_words("pids")[0]))


@runs_as_nobody
@pytest.mark.usefixtures("stubborn")
def test_a_check_that_cannot_be_killed_is_said_once_and_neither_started_again_nor_waited_for(
    place: Place,
) -> None:
    # All at once: each takes four seconds.
    goes_on, ends, is_stopped = (place.inner(name) for name in ("1", "2", "3"))
    stopped, of_stopped = unkillable(is_stopped)
    stopped.signal(signal.SIGTERM)
    # Until setpriv is another user, the check can be killed: on a busy machine that takes a while.
    heat, pid = unkillable(goes_on, "-t", "1")
    ending, of_ending = unkillable(ends, "-t", "1")

    ending.await_news("may not be signalled")
    assert ending.stop() == 0
    assert stopped.wait() == 0
    for each, check in ((ending, of_ending), (stopped, of_stopped)):
        assert alive(check)
        assert each.err.read_text().count("may not be signalled") == 1

    heat.await_news("may not be signalled")
    status = heat.status()
    os.kill(pid, signal.SIGKILL)
    goes_on.adopt(int(goes_on.await_words("pids", 2)[1]))

    assert heat.err.read_text().count(f"(process {pid}) runs as another user") == 1
    assert "; 1 check; " in status
    assert "ticks skipped" in status
    os.kill(int(goes_on.words("pids")[1]), signal.SIGKILL)
    heat.stop()
    orderly(heat)
