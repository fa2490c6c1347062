"""One monitor disturbs no other, not even by a bug of HEAT."""

import sys

import pytest
from fleet import WELL, await_more, hanging, monitor, pid_of, ran, stubborn, summary
from heat_process import DETAILS, orderly, records
from place import Place
from processes import alive, until


def test_one_that_hangs_or_floods_or_whose_fail_script_hangs_delays_no_other(place: Place) -> None:
    flood = place.script(
        "flood", "echo $$ >> flood.pids\nhead -c 20000000 /dev/zero\necho >> flood.ran\nsleep 600"
    )
    text = (
        monitor("hangs", hanging(place, "hangs"))
        + monitor("floods", flood)
        + monitor("fails", ["false"], fail=hanging(place, "fail"))
        + monitor("frozen", place.script("frozen", "kill -STOP $$"), timeout="200ms")
        + monitor("good", WELL)
    )
    heat = place.fleet(text)
    for name in ("hangs", "fail", "flood"):
        pid_of(place, name)
    heat.await_line("good: OK")
    before = heat.out.read_text().count("good: OK")
    place.await_words("flood.ran")
    await_more(heat, "good: OK", 10)
    await_more(heat, "fails: Failed", 5)

    assert heat.out.read_text().count("good: OK") > before + 10
    assert heat.stop() == 0
    orderly(heat)


INJECTED = """
import sys
import heat.app.cli
from heat.checks.command import Command
from heat.monitor.check_runner import CheckRunner
from heat.monitor.monitor import Monitor
from heat.monitor.script_runner import ScriptRunner
from heat.report.monitor_report import MonitorReport

def options_of(part, args):
    if isinstance(part, MonitorReport):
        return part.options
    host = args[-1] if isinstance(part, Command) else getattr(part, "_host", part)
    return host.setup.options

def breaks(owner, method, name):
    whole = getattr(owner, method)
    def broken(self, *args):
        if options_of(self, args).name == name:
            raise ZeroDivisionError(f"injected into {method}")
        return whole(self, *args)
    setattr(owner, method, broken)

for monitor, places in BROKEN.items():
    for place in places:
        name, method = place.split(".")
        breaks(globals()[name], method, monitor)
sys.exit(heat.app.cli.main(sys.argv[4:]))
"""


def with_bugs(broken: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """A HEAT in which these methods raise for these monitors."""
    return (sys.executable, "-c", INJECTED.replace("BROKEN", repr(broken)))


def with_bug(*broken: str) -> tuple[str, ...]:
    """A HEAT in which these methods raise for the monitor that is named bad."""
    return with_bugs({"bad": broken})


BUGS = (
    "CheckRunner._verdict",
    "Monitor.__call__",
    "Command.start",
    "CheckRunner._gone",
    "CheckRunner._write",
    "MonitorReport.checked",
    "ScriptRunner._fail_gone",
    "ScriptRunner.run_fail",
)


def test_a_bug_in_the_handling_of_one_ends_that_one_alone(place: Place) -> None:
    place.script("fail", "")
    bad = {f"bad{n}": place.check(1, name=f"bad{n}") for n in range(len(BUGS))}
    text = "[heat]\nmax-running = 1\n" + monitor("good", WELL)
    text += "".join(monitor(name, check, fail="./fail") for name, check in bad.items())
    broken = {name: (bug,) for name, bug in zip(bad, BUGS, strict=True)}
    heat = place.fleet(text, prefix=with_bugs(broken))
    for name in bad:
        heat.await_news(f"{name}: heat: error: a bug of HEAT: ZeroDivisionError(")
    await_more(heat, "good: OK")

    assert summary(heat)[0].startswith(f"{len(BUGS) + 1} monitors: 1 NORMAL, {len(BUGS)} ERROR; ")
    assert all(ran(place, name) <= 1 for name in bad)
    assert heat.stop() == 0
    written = records(heat.verbose())
    for name, (bug,) in broken.items():
        traces = [lines for _, program, lines in written if program == f"{name}: heat"]
        (trace,) = (lines for lines in traces if lines[0] == "Traceback (most recent call last):")
        assert trace[-1] == f"ZeroDivisionError: injected into {bug.partition('.')[2]}"


@pytest.mark.parametrize(
    "methods",
    [("CheckRunner._verdict", "MonitorReport.bug"), ("MonitorReport.changed",)],
    ids=" ".join,
)
def test_a_bug_in_that_too_ends_heat_with_3_and_nothing_is_left(
    place: Place, methods: tuple[str, ...]
) -> None:
    gate = place.gate("gate")
    heat = place.fleet(
        monitor("bad", place.check(1, name="bad", body=": < gate"))
        + monitor("hangs", hanging(place, "hangs"))
        + monitor("fails", ["false"], fail=stubborn(place, "fail")),
        prefix=with_bug(*methods),
    )
    pids = [pid_of(place, "hangs"), pid_of(place, "fail")]
    gate.open()

    assert heat.wait() == 3
    until(lambda: not any(map(alive, pids)), "the end of all that ran")
    assert "heat: error: a bug of HEAT" in heat.err.read_text()
    assert f"injected into {methods[-1].partition('.')[2]}" in heat.verbose()


def test_a_bug_in_the_words_for_an_error_keeps_nothing_else_from_being_said(place: Place) -> None:
    dies = place.script("dies", "kill -9 $$")
    text = "".join(monitor(name, dies, on_killed="error") for name in "ab") + monitor("good", WELL)
    broken = {"a": ("MonitorReport.changed",), "b": ("MonitorReport.error",)}
    heat = place.fleet(text, prefix=with_bugs(broken))
    for name in ("changed", "error"):
        heat.await_file("heat.verbose.log", f"injected into {name}")
    await_more(heat, "good: OK", 2)

    (line,) = (line for line in heat.news() if ": heat: error: " in line)
    assert line.startswith("a: heat: error: check ./dies")
    assert {f"{name}: Failed: Killed by SIGKILL, {DETAILS}" for name in "ab"} <= set(heat.lines())
    assert [line.split()[1] for line in summary(heat)[1:3]] == ["ERROR,", "ERROR,"]
    assert heat.stop() == 0


def test_a_bug_while_one_is_being_removed_ends_that_one_alone(place: Place) -> None:
    good = monitor("good", WELL)
    heat = place.fleet(
        good + monitor("bad", hanging(place, "bad")), prefix=with_bug("MonitorReport.check_stopped")
    )
    pid = pid_of(place, "bad")
    place.write_config(good)
    heat.reload("1 removed")
    heat.await_file("heat.verbose.log", "injected into check_stopped")
    await_more(heat, "good: OK", 2)

    assert not alive(pid)
    assert heat.stop() == 0
