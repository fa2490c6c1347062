"""Row 11: the target exits, is a zombie, or its pid is reused."""

import os
import signal
import subprocess
import sys

import pytest
from heat_process import FAILED, FAST, Heat, records
from place import RECEIVER, Place
from processes import needs_root, process_state, until


def watching_a_target(place: Place) -> tuple[Heat, subprocess.Popen[bytes]]:
    target = place.spawn(["sleep", "600"])
    heat = place.heat(
        "-i", "1h", "--pid", str(target.pid), "--signal", "TERM", "-s", place.check(0)
    )
    heat.await_line("OK")
    return heat, target


def test_a_target_that_exits_is_an_error_at_that_moment(place: Place) -> None:
    heat, target = watching_a_target(place)
    target.kill()
    target.wait()

    assert heat.wait() == 3
    assert heat.news()[-1] == f"heat: error: target {target.pid} (--pid) has ended; HEAT stops"
    assert ("ERR", "heat", [f"target {target.pid} (--pid) has ended"]) in records(heat.verbose())


def test_a_target_that_becomes_a_zombie_has_ended(place: Place) -> None:
    heat, target = watching_a_target(place)
    os.kill(target.pid, signal.SIGKILL)

    assert heat.wait() == 3
    assert process_state(target.pid) == "Z"


def test_a_target_that_ends_during_the_recovery_script_lets_that_end_first(
    place: Place,
) -> None:
    gate = place.gate("gate")
    target = place.spawn(["sleep", "600"])
    recovery = place.script("recover", "echo begun >> told\n: < gate\necho ended >> told")
    heat = place.heat(
        *("-i", FAST, "--pid", str(target.pid), "--signal", "none", "--recovery", recovery),
        *("--fault-signal", "KILL", "-s", place.check(1)),
    )
    place.await_words("told")
    until(lambda: process_state(target.pid) == "Z", "the target's end")

    assert "no check ended yet" not in heat.status()
    assert heat.process.poll() is None
    gate.open()
    assert heat.wait() == 3
    assert place.words("told") == ["begun", "ended"]
    assert heat.lines() == [FAILED]


def test_a_zombie_of_a_pid_file_is_not_signalled(place: Place) -> None:
    target = place.spawn(["true"])
    until(lambda: process_state(target.pid) == "Z", "a zombie")
    (place.folder / "pid").write_text(str(target.pid))
    heat = place.heat("-i", FAST, "--pid-file", "pid", "-s", place.check(1))

    assert heat.wait() == 3
    assert "has ended and is a zombie" in heat.news()[-1]


REUSED = """
import os, signal, subprocess, sys, time
def until(holds):
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.002)
def begun(name, pid=None):
    out = open(name, "wb")
    return subprocess.Popen([sys.executable, "-c", sys.argv[1]], stdout=out)
def ready(name):
    until(lambda: b"ready" in open(name, "rb").read())
target = begun("target")
ready("target")
words = [word.replace("TARGET", str(target.pid)) for word in sys.argv[2:]]
heat = subprocess.Popen(words)
until(lambda: os.path.exists("check.ran"))
heat.send_signal(signal.SIGSTOP)
target.kill()
target.wait()
for _ in range(100):
    with open("/proc/sys/kernel/ns_last_pid", "w") as last:
        last.write(str(target.pid - 1))
    stranger = begun("stranger")
    if stranger.pid == target.pid:
        break
    stranger.kill()
    stranger.wait()
else:
    sys.exit(99)
ready("stranger")
open("go", "w").close()
heat.send_signal(signal.SIGCONT)
code = heat.wait(30)
stranger.kill()
stranger.wait()
sys.exit(code)
"""


@needs_root
def test_a_stranger_with_the_target_s_pid_is_not_signalled(place: Place) -> None:
    namespace = ("unshare", "--pid", "--fork", "--mount-proc")
    probe = "test -w /proc/sys/kernel/ns_last_pid"
    if subprocess.run([*namespace, "sh", "-c", probe], check=False).returncode != 0:
        pytest.skip("no pid namespace in which process ids can be chosen")
    check = place.check(1, body="while [ ! -e go ]; do sleep 0.01; done")
    heat = place.heat(
        *("-i", FAST, "--pid", "TARGET", "--signal", "USR1", "--fault-signal", "USR2"),
        *("-s", check),
        prefix=(*namespace, sys.executable, "-c", REUSED, RECEIVER),
    )
    code = heat.wait()
    if code == 99:
        pytest.skip("the process id did not come back")

    assert code == 3
    assert place.words("stranger") == ["ready"]
    assert "(--pid) has ended" in heat.err.read_text()
