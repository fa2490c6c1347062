"""HEAT's end: each step of it is taken, whatever becomes of the others."""

import sys

import pytest
from place import LASTING, Place
from processes import alive, process_state, until

from heat.runtime.closing import take_each

BROKEN = """
import runpy, sys
from importlib import import_module

def broken(place):
    def method(*_args, **_named):
        raise RuntimeError(f"injected into {place}")
    return method

for place in sys.argv[1].split(","):
    module, owner, method = place.rsplit(".", 2)
    setattr(getattr(import_module(module), owner), method, broken(place))
del sys.argv[1:5]
runpy.run_module("heat", run_name="__main__", alter_sys=True)
"""


def test_each_step_is_taken_and_what_failed_is_returned() -> None:
    taken: list[str] = []

    def fails() -> None:
        raise ZeroDivisionError

    failed = take_each(
        [("a", lambda: taken.append("a")), ("b", fails), ("c", lambda: taken.append("c"))]
    )

    assert taken == ["a", "c"]
    assert [(about, type(error)) for about, error in failed] == [("b", ZeroDivisionError)]


AT_THE_END = {
    "heat.control.server.Control.close": "heat: its control socket could not be ended well: ",
    "heat.store.state_file.StateFile.close": "heat: its state file could not be ended well: ",
    "heat.report.reporter.HeatReport.over": "heat: its messages to systemd could not be closed: ",
    "heat.report.logfile.LogFile.close": "heat: heat.verbose.log could not be closed: ",
    "heat.report.console.Console.close": "heat: its output could not be closed: ",
    "heat.process.launcher.PosixLauncher.close": "heat: its programs could not be closed: ",
    "heat.runtime.loop.Loop.close": "heat: its loop could not be closed: ",
}
"""Steps of the end, and the message if one fails."""


@pytest.mark.parametrize("breaks_watch", [False, True], ids=["well", "a watch does not end"])
def test_whatever_fails_at_the_end_targets_go_on_and_checks_are_gone(
    place: Place, *, breaks_watch: bool
) -> None:
    places = [*AT_THE_END, *(["heat.monitor.monitor.Monitor.stop"] if breaks_watch else [])]
    receiver = place.receiver()
    heat = place.heat(
        *("-i", "1h", "--pid", str(receiver.pid), "--signal", "none", "--fault-signal", "STOP"),
        *("--recovery-timeout", "1h", "--state", "heat.state", "--control", "heat.sock"),
        *("-s", place.check(1, body=f"[ $n = 0 ] || {{\n{LASTING}\n}}")),
        prefix=(sys.executable, "-c", BROKEN, ",".join(places)),
    )
    check = int(place.await_words("pids")[0])
    until(lambda: process_state(receiver.pid) == "T", "the target's stop")

    assert heat.stop() == (3 if breaks_watch else 0)
    receiver.await_signal("CONT")
    until(lambda: not alive(check), "the end of the check")
    errors = heat.err.read_text()
    assert "Traceback" not in errors
    for where, line in AT_THE_END.items():
        assert errors.count(f"injected into {where}") == 1 + (
            where == "heat.report.logfile.LogFile.close"
        )
        assert errors.count(line) == 1


def test_one_target_that_cannot_be_continued_keeps_no_other_stopped(place: Place) -> None:
    breaks = """
import runpy, sys
import heat.process.target, heat.monitor.monitor
real = heat.process.target.PidTarget.wake

ending, first = [], []

def wake(self):
    if ending and first in ([], [self]):
        first[:] = [self]
        raise RuntimeError("injected into the first")
    return real(self)

def stop(self, *_args, **_named):
    ending.append(self)
    raise RuntimeError("injected into stop")

heat.process.target.PidTarget.wake = wake
heat.monitor.monitor.Monitor.stop = stop
del sys.argv[1:4]
runpy.run_module("heat", run_name="__main__", alter_sys=True)
"""
    place.script("check", "exit 1")
    first, second = place.receiver("first"), place.receiver("second")
    heat = place.fleet(
        '[defaults]\ninterval = "50ms"\nrecovery-timeout = "1h"\n'
        'script = "./check"\nsignal = "none"\nfault-signal = "STOP"\n'
        f"[monitor.a]\npid = {first.pid}\n[monitor.b]\npid = {second.pid}\n",
        prefix=(sys.executable, "-c", breaks),
    )
    for receiver in (first, second):
        until(lambda pid=receiver.pid: process_state(pid) == "T", "the target's stop")  # type: ignore[misc]

    assert heat.stop() == 3
    second.await_signal("CONT")
    assert heat.err.read_text().count("continuing what HEAT had stopped could not be") == 1
    assert "Traceback" not in heat.err.read_text()
