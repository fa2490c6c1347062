"""The simulation: a bounded run of it, and that it finds what is wrong, and says it well."""

import re
from collections.abc import Sequence
from functools import partialmethod
from typing import Any, NamedTuple

import pytest
from simulate import __main__ as simulation
from simulate.choices import Choices, shrunk
from simulate.history import trace_of
from simulate.oracle import Oracle
from simulate.world import Launcher

import heat.monitor.pump
import heat.process.frost
import heat.process.run
from heat.monitor.check_runner import CheckRunner
from heat.monitor.monitor import Monitor
from heat.monitor.pause import PauseKeeper
from heat.monitor.pump import EventPump
from heat.monitor.resume import ResumedMonitor
from heat.monitor.script_runner import ScriptRunner
from heat.monitor.target_signals import TargetSignals
from heat.process.frost import Frost, Frozen
from heat.process.run import Run
from heat.runtime.scheduler import Beat
from heat.store.monitor_record import MonitorRecord
from states.monitor.effects import Effect, RunRecovery, Spent
from states.monitor.events import BackoffEnded, RecoveryEnded, RecoveryKilled, WindowClosed
from states.monitor.limits import Limits
from states.monitor.machine import step

TICKS = 4000


def test_what_has_to_hold_holds_in_random_histories() -> None:
    ticks, failed = simulation.simulate(0, TICKS)

    assert failed is None, simulation.report(failed)
    assert ticks >= TICKS


def test_a_simulation_leaves_the_machine_as_it_was() -> None:
    simulation.simulate(0, 100)

    assert vars(heat.monitor.pump)["step"] is step


def test_a_seed_is_one_history() -> None:
    first = Choices(7)
    simulation.run(first, simulation.LONGEST)
    again = trace_of(first.taken, simulation.LONGEST)

    assert again == trace_of(first.taken, simulation.LONGEST)
    assert len(again) > 10
    assert "VIOLATION" not in "".join(again)


def test_no_choices_are_a_history_in_which_nothing_is_odd() -> None:
    lines = trace_of([], 3)

    assert sum("check is started, and goes like this: well" in line for line in lines) == 3
    assert "CheckPassed() -> NORMAL []" in lines[3]


def test_a_record_is_shrunk_to_what_matters() -> None:
    def fails(record: Sequence[int]) -> bool:
        return sum(value >= 3 for value in record) >= 2

    assert shrunk([0, 1, 9, 2, 0, 0, 4, 5, 1, 0], fails) == [3, 3]


def test_an_effect_too_few_is_found_shrunk_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    run_check = vars(Oracle)["_run_check"]

    def forgetful(self: Oracle, effects: list[Effect]) -> None:
        del effects
        run_check(self, [])

    monkeypatch.setattr(Oracle, "_run_check", forgetful)
    _, failed = simulation.simulate(0, TICKS)
    assert failed is not None
    report = simulation.report(failed)

    assert re.match(r"seed 0 fails: Violation: at Tick\(missed=0\)", report)
    assert "\n  the machine says [RunCheck()]\n  the oracle says []\n" in report
    assert re.search(r"shrunk from \d+ choices to 0:", report)
    assert "again: python -m tests.simulate --replay 0\n" in report


class Broken(NamedTuple):
    """A mistake, and words in the violation that finds it."""

    what: str
    where: tuple[object, str]
    instead: object
    words: str


_run_recovery = ScriptRunner.run_recovery
_feed, _hear = EventPump.feed, Oracle.hear
_send, _frost_send = TargetSignals.send, Frost.send
_run_check, _verdict = CheckRunner.run, vars(CheckRunner)["_verdict"]
_perform = vars(Monitor)["_perform"]
_code = vars(Run)["code"].fget


def _twice(scripts: ScriptRunner, effect: Any) -> None:
    _run_recovery(scripts, effect)
    _run_recovery(scripts, effect)


def _deaf(monitor: Monitor, event: Any, tell: Any = None) -> None:
    """Leave the window open."""
    if not isinstance(event, WindowClosed):
        _feed(monitor, event, tell)


def _miscounting(oracle: Oracle, event: Any) -> Any:
    effects = _hear(oracle, event)
    oracle.skipped += 1
    return effects


def _nothing(*_what: Any) -> None:
    """Do nothing."""


def _sleep_on(frost: Frost) -> None:
    """Wake nobody."""
    if (frozen := vars(frost)["_frozen"]) is not None:
        heat.process.frost.os.close(frozen.pidfd)
        vars(frost)["_frozen"] = None


def _unwritten(_record: MonitorRecord, *_what: Any) -> None:
    """Write nothing."""


def _nobody(_launcher: Launcher, _environment: Any) -> None:
    """Find no script of an earlier life."""


def _asleep(_pauses: PauseKeeper, _pause: Any) -> None:
    """Keep no pause."""


def _not_continued(_monitor: ResumedMonitor) -> None:
    """Do not look for the scripts."""


def _not_resumed(_pauses: PauseKeeper) -> None:
    """Never end the pause."""


def _gone(_launcher: Launcher, _held: Any) -> None:
    """Take it for one that has ended."""


def _send_twice(signals: TargetSignals, *what: Any) -> None:
    _send(signals, *what)
    _send(signals, *what)


def _reach_twice(frost: Frost, *what: Any) -> None:
    _frost_send(frost, *what)
    _frost_send(frost, *what)


def _check_twice(checks: CheckRunner) -> None:
    """Run two: the second one waits for its turn, and runs when the first is over."""
    _run_check(checks)
    _run_check(checks)


def _not_killed(monitor: Monitor, event: Any, tell: Any = None) -> None:
    """Take a recovery script that somebody killed for one that ended."""
    _feed(monitor, RecoveryEnded() if isinstance(event, RecoveryKilled) else event, tell)


def _turned_round(checks: CheckRunner, attempt: Any) -> Any:
    """Take --on-killed for the other policy."""
    host = vars(CheckRunner)["_host"].__get__(checks)
    setup = host.setup
    other = "fail" if setup.options.on_killed == "error" else "error"
    host.setup = setup._replace(options=setup.options._replace(on_killed=other))
    try:
        return _verdict(checks, attempt)
    finally:
        host.setup = setup


def _forgotten_backoff(monitor: Monitor, _found: Any) -> None:
    """Do not wait for the rest of it."""
    if (backoff := monitor.model.backoff) is not None and backoff > 0:
        vars(Monitor)["_await"](monitor, 0.0, BackoffEnded())


def _recovers_once_more(monitor: Monitor, effect: Any) -> None:
    """Run the script although none is left."""
    _perform(monitor, effect)
    model = monitor.model
    first, last = model.first_failure, model.last_failure
    if isinstance(effect, Spent) and monitor.setup.recovery and first and last:
        _perform(monitor, RunRecovery(first, last, model.count, model.attempts))


def _spent_twice(monitor: Monitor, effect: Any) -> None:
    _perform(monitor, effect)
    if isinstance(effect, Spent):
        _perform(monitor, effect)


def _spent_unsaid(monitor: Monitor, effect: Any) -> None:
    if not isinstance(effect, Spent):
        _perform(monitor, effect)


def _out_of_phase(beat: Beat, seconds: float | None, now: float) -> None:
    """Tick at the interval, from wherever the last tick was."""
    del now
    last = beat.due - beat.interval
    beat.interval = vars(Beat)["_interval"].__get__(beat) if seconds is None else seconds
    beat.restart(last)


def _same_backoff(limits: Limits, _attempts: int) -> float:
    """Do not double it."""
    return limits.recovery_backoff


def _lost_for_well(run: Any) -> int:
    """Take a lost code for 0."""
    return _code(run) or 0


def _stop(frost: Frost, signum: int, pid: int, pidfd: int, **wrong: bool) -> None:
    """Do it right, except for what is wrong."""
    frozen: Frozen | None = vars(frost)["_frozen"]
    if frozen is not None and frozen.pid != pid and not wrong.get("forgets"):
        frost.wake()
        frozen = None
    if wrong.get("late"):
        heat.process.frost.signal.pidfd_send_signal(pidfd, signum)
    if frost.owed is not None:
        frost.owed.frozen(pid, pidfd)
    if not wrong.get("late"):
        heat.process.frost.signal.pidfd_send_signal(pidfd, signum)
    if frozen is not None and not wrong.get("leaks"):
        heat.process.frost.os.close(frozen.pidfd)
    vars(frost)["_frozen"] = Frozen(pid, heat.process.frost.os.dup(pidfd))


_late, _forgetful, _leaky = (
    partialmethod(_stop, **{wrong: True}) for wrong in ("late", "forgets", "leaks")
)

BROKEN = [
    Broken("two scripts at once", (ScriptRunner, "run_recovery"), _twice, "does not want it"),
    Broken("a wrong count", (Oracle, "hear"), _miscounting, "Violation"),
    Broken("a window left open", (EventPump, "feed"), _deaf, "a window is open beyond its time"),
    Broken("a target left stopped", (Frost, "wake"), _sleep_on, "was left stopped"),
    Broken("a step not written down", (MonitorRecord, "stepped"), _unwritten, "a restart finds"),
    Broken("a script not written down", (MonitorRecord, "hold"), _unwritten, "not written down"),
    Broken(
        "a pause not written down", (MonitorRecord, "paused"), _unwritten, "the pause was until"
    ),
    Broken("a script not found", (Launcher, "find"), _nobody, "of an earlier life"),
    Broken("a script not waited for", (Launcher, "take_up"), _gone, "of an earlier life"),
    Broken("a pause not kept", (PauseKeeper, "keep"), _asleep, "ends too early"),
    Broken("a pause without end", (PauseKeeper, "end"), _not_resumed, "beyond its end"),
    Broken(
        "a fail script forgotten", (ResumedMonitor, "_take_up_scripts"), _not_continued, "untold"
    ),
    Broken(
        "a stop that is not forgotten",
        (MonitorRecord, "release"),
        _nothing,
        "written down as stopped",
    ),
    Broken("a signal sent twice", (TargetSignals, "send"), _send_twice, "does not want it"),
    Broken("a signal that comes twice", (Frost, "send"), _reach_twice, "does not want it"),
    Broken("a signal not sent", (TargetSignals, "send"), _nothing, "was never sent"),
    Broken("a signal that does not come", (Frost, "send"), _nothing, "never reached"),
    Broken("a script not run", (ScriptRunner, "run_fail"), _nothing, "was never started"),
    Broken("a check run twice", (CheckRunner, "run"), _check_twice, "does not want it"),
    Broken("a killed recovery", (EventPump, "feed"), _not_killed, "and it was RecoveryKilled"),
    Broken("124 for 1", (heat.process.run, "TIMED_OUT"), 1, "and it was CheckFailed"),
    Broken("on-killed turned round", (CheckRunner, "_verdict"), _turned_round, "the machine gets"),
    Broken("a lost code", (Run, "code"), property(_lost_for_well), "and it was CheckUnknown"),
    Broken("STOP before it is written", (Frost, "_stop"), _late, "written"),
    Broken(
        "a first STOP forgotten",
        (Frost, "_stop"),
        _forgetful,
        "stopped",
    ),
    Broken("a descriptor a STOP", (Frost, "_stop"), _leaky, "left open"),
    Broken(
        "a backoff not armed", (Monitor, "_await_backoff"), _nothing, "a backoff goes on beyond"
    ),
    Broken(
        "a backoff lost at a restart",
        (ResumedMonitor, "_take_up_backoff"),
        _nothing,
        "a backoff goes on beyond",
    ),
    Broken(
        "a backoff over at a restart",
        (ResumedMonitor, "_take_up_backoff"),
        _forgotten_backoff,
        "before its backoff is over",
    ),
    Broken("a backoff not doubled", (Limits, "backoff"), _same_backoff, "the oracle says"),
    Broken("spent recovers", (Monitor, "_perform"), _recovers_once_more, "and none is left"),
    Broken("spent said twice", (Monitor, "_perform"), _spent_twice, "HEAT says twice"),
    Broken("spent not said", (Monitor, "_perform"), _spent_unsaid, "HEAT does not say"),
    Broken("a pace out of phase", (Beat, "pace"), _out_of_phase, "a tick came"),
]


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.what)
def test_what_is_broken_is_found(broken: Broken, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(*broken.where, broken.instead)
    _, failed = simulation.simulate(0, 100_000)

    assert failed is not None
    assert broken.words in failed.why


def test_without_a_seed_each_run_has_a_fresh_one_and_says_how_to_have_it_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    seeds: set[str] = set()
    for _ in range(2):
        assert simulation.main(["--ticks", "10", "--processes", "1"]) == 0
        seeds.add(capsys.readouterr().out.splitlines()[0])

    assert len(seeds) == 2
    assert re.fullmatch(
        r"seed \d+; again: python -m tests.simulate --seed \d+ --ticks 10 --processes 1",
        seeds.pop(),
    )


def test_the_command_line_says_how_many_ticks_there_were(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = simulation.main(["--ticks", "200", "--processes", "1", "--seed", "3"])

    assert code == 0
    assert re.search(
        r"\n2\d\d ticks in [\d.]+ s, \d+ a second; 0 failed\n", capsys.readouterr().out
    )


def test_a_record_is_told_again(capsys: pytest.CaptureFixture[str]) -> None:
    assert simulation.main(["--replay", "0,1"]) == 0
    assert "Tick(missed=0) -> NORMAL ['RunCheck()']" in capsys.readouterr().out
