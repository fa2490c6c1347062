"""Row 25: HEAT has children that it did not start, and reaps them; never its own programs."""

import os
import shutil
import sys

import pytest
from heat_process import orderly
from place import Place
from processes import process_state, until

BESIDE = ("sh", "-c", 'read -r _ < gate & echo $! > stranger; exec "$@"', "sh")
"""A shell that becomes HEAT, and leaves it a child."""

DEAD_BEFORE = """
import os, sys
pid = os.posix_spawn("/bin/true", ["true"], {})
os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
open("stranger", "w").write(f"{pid}\\n")
os.execv(sys.argv[1], sys.argv[1:])
"""

SUBREAPER = """
import ctypes, os, sys
PR_SET_CHILD_SUBREAPER = 36
assert ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
os.execv(sys.argv[1], sys.argv[1:])
"""
AS_SUBREAPER = (sys.executable, "-c", SUBREAPER)
AS_PROCESS_1 = ("unshare", "--pid", "--fork", "--mount-proc")

LEAVES_AN_ORPHAN = "setsid sh -c '%s' >/dev/null 2>&1 &"
"""Out of the check's group, so that HEAT does not end it with the check."""

needs_namespace = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("unshare") is None, reason="needs a pid namespace"
)


def reaped(pid: int) -> bool:
    return process_state(pid) == ""


def test_a_child_that_a_shell_has_left_to_heat_is_reaped_when_it_ends(place: Place) -> None:
    gate = place.gate("gate")
    heat = place.heat("-i", "1h", "-s", place.check(0), prefix=BESIDE)
    heat.await_line("OK")
    stranger = int(place.await_words("stranger")[0])
    assert process_state(stranger) == "S"
    gate.open()

    until(lambda: reaped(stranger), "the end of the child")
    assert heat.stop() == 0
    orderly(heat)


def test_a_child_that_was_dead_before_heat_began_is_reaped(place: Place) -> None:
    heat = place.heat("-i", "1h", "sleep", "600", prefix=(sys.executable, "-c", DEAD_BEFORE))

    until(lambda: reaped(int(place.await_words("stranger")[0])), "the end of the child")
    assert heat.stop() == 0


def test_a_subreaper_reaps_the_orphans_that_it_gets(place: Place) -> None:
    gate = place.gate("gate")
    orphan = LEAVES_AN_ORPHAN % "echo $$ > stranger; read -r _ < gate"
    orphan += "\nuntil [ -s stranger ]; do sleep 0.01; done"
    heat = place.heat("-i", "1h", "-s", place.check(0, body=orphan), prefix=AS_SUBREAPER)
    heat.await_line("OK")
    stranger = int(place.await_words("stranger")[0])
    parent = f"\nPPid:\t{heat.pid}\n"
    status = place.folder / f"/proc/{stranger}/status"
    until(lambda: parent in status.read_text(), "the new parent")
    gate.open()

    until(lambda: reaped(stranger), "the end of the orphan")
    assert heat.stop() == 0


@pytest.mark.parametrize(
    "prefix",
    [AS_SUBREAPER, pytest.param(AS_PROCESS_1, marks=needs_namespace)],
    ids=["subreaper", "process 1"],
)
def test_hundreds_of_failing_checks_keep_their_status_beside_orphans(
    place: Place, prefix: tuple[str, ...]
) -> None:
    body = LEAVES_AN_ORPHAN % ":" + "\nexit 3"
    place.script("check", body)
    monitors = "".join(f'[monitor.m{n}]\nscript = "./check"\ncount = 15\n' for n in range(20))
    heat = place.fleet(f'[defaults]\ninterval = "50ms"\n{monitors}', prefix=prefix)

    assert heat.wait() == 1
    orderly(heat)
    results = [line.partition(": ")[2] for line in heat.lines()]
    assert results == ["Failed: Exit Code 3, details in heat.log"] * 300
