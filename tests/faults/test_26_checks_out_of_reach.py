"""Row 26: checks that move to another process group, or run as another user."""

import re
import shutil
import sys

import pytest
from heat_process import FAST, orderly
from place import Place
from processes import alive, runs_as_nobody, until

MOVED = """
import os, time
inner = os.fork()
if inner == 0:
    os.setpgid(0, 0)
    time.sleep(600)
while os.getpgid(inner) != inner:
    time.sleep(0.001)
os.setpgid(0, inner)
with open("pids", "a") as pids:
    print(os.getpid(), inner, file=pids, flush=True)
time.sleep(600)
"""


def test_a_check_that_has_moved_to_another_process_group_is_killed_all_the_same(
    place: Place,
) -> None:
    heat = place.heat("-i", "1h", "-t", "1", sys.executable, "-I", "-S", "-c", MOVED)
    leader, inner = map(int, place.await_words("pids")[0].split())
    place.adopt(inner)
    heat.await_line("Timed out")

    until(lambda: not alive(leader), "its end")
    heat.await_news("has left its process group")
    assert heat.stop() == 0
    orderly(heat)


@pytest.fixture
def as_root(place: Place) -> None:
    """Make a program that runs its arguments as root for any user, in a folder for all."""
    program = place.folder / "as_root"
    shutil.copy(shutil.which("setpriv") or "", program)
    program.chmod(0o4755)
    place.folder.chmod(0o777)
    for name in ("stdout", "stderr"):
        (place.folder / name).touch()


NOBODY = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")


@runs_as_nobody
@pytest.mark.usefixtures("as_root")
def test_a_check_of_another_user_is_said_once_to_be_out_of_reach(place: Place) -> None:
    gate = place.gate("gate")
    check = ("./as_root", "--reuid", "0", "sh", "-c", "echo $$ >> pids; exec cat < gate")
    heat = place.heat("-i", FAST, "-t", "0.1", "--", *check, prefix=NOBODY)
    first = place.adopt(int(place.await_words("pids")[0]))
    heat.await_news(f"(process {first}) runs as another user and may not be signalled")
    with gate.path.open("wb"):
        pass
    until(lambda: not alive(first), "its own end")
    second = place.adopt(int(place.await_words("pids", 2)[1]))
    heat.await_line("Timed out", 2)

    assert second != first
    assert heat.stop() == 0
    assert heat.err.read_text().count("may not be signalled") == 1
    assert "does not die of KILL" not in heat.err.read_text()
    orderly(heat)


@runs_as_nobody
@pytest.mark.usefixtures("as_root")
def test_a_process_of_another_user_in_the_group_of_a_check_is_named(place: Place) -> None:
    check = place.script(
        "check", "./as_root --reuid 0 sleep 600 & echo $! > pid\necho >> up\nexec sleep 600"
    )
    heat = place.heat("-i", "1h", "-t", "1", "-s", check, prefix=NOBODY)
    left = place.adopt(int(place.await_words("pid")[0]))
    heat.await_news("lives on and may not be signalled by this user")

    assert alive(left)
    (message,) = [line for line in heat.news() if "lives on" in line]
    assert re.search(
        rf"\./check \(process \d+\) has ended, but process {left} \(sleep, of user root \(0\)\)",
        message,
    )
    assert heat.stop() == 0
    orderly(heat)
