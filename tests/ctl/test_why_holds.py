"""The words of `heatctl why` about a pass, a failure and a time limit come true."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st
from virtual import VirtualWorld, why_of

from heat.control import outlook
from heat.ctl.wording import outcome, what_is_done
from heat.rehearsal.programs import Ends
from states.monitor.events import (
    BackoffEnded,
    CheckFailed,
    CheckPassed,
    CheckUnknown,
    Event,
    FailEnded,
    WindowClosed,
)
from states.monitor.machine import step
from states.monitor.model import Monitor
from states.monitor.outlook import Outlook, after
from states.monitor.questions import check_runs


class Taken(NamedTuple):
    """A step that the monitor really took."""

    at: float
    was: Monitor
    outlook: Outlook


class Recorder:
    """The machine of a monitor; it keeps each step."""

    def __init__(self, world: VirtualWorld) -> None:
        self._world = world
        self.taken: list[Taken] = []

    def __call__(self, monitor: Monitor, event: Event) -> list[Any]:
        was = after(monitor)
        effects = step(monitor, event)
        now = self._world.time.elapsed()
        self.taken.append(Taken(now, was, Outlook(event, effects, after(monitor))))
        return effects

    def of(self, *kinds: type) -> Taken | None:
        return next((each for each in self.taken if type(each.outlook.event) in kinds), None)

    def course(self, first: Taken) -> list[Any]:
        """Return the facts of this step, and of the fail script's end if recovery waits for it."""
        steps = [first.outlook]
        for each in self.taken[self.taken.index(first) + 1 :]:
            if isinstance(each.outlook.event, FailEnded) and (
                each.was.stage is not each.outlook.monitor.stage
            ):
                steps.append(each.outlook)
            if each.was.stage is not each.outlook.monitor.stage or len(steps) > 1:
                break
        return outlook.steps(steps)


START_PERIOD = 24.9
options_of = st.tuples(
    st.sampled_from(["--threshold=1", "--threshold=2", "--threshold=3"]),
    st.sampled_from(["--recovery=./r", "--fault-signal=USR1", "--recovery=./r"]),
    st.sampled_from(["", "--fail=./f", "--fail=./f --fail-overlap=skip"]),
    st.sampled_from(["", "--recovery-timeout=27.3", "--recovery-timeout=5.7"]),
    st.sampled_from(["", "--success-threshold=2"]),
    st.sampled_from(["", "--max-recoveries=1", "--max-recoveries=2 --when-spent=watch"]),
    st.sampled_from(["", "--recovery-backoff=13.1"]),
    st.sampled_from(["", "--recovery-interval=2.3"]),
    st.sampled_from(["", "--retry-interval=3.7"]),
    st.sampled_from(["", f"--start-period={START_PERIOD}"]),
    st.sampled_from(["", "--signal=HUP"]),
    st.sampled_from(["", "--count=9"]),
    st.just("--timeout=8 --pid=42"),
)


def of(code: int, span: float | None) -> Ends:
    return Ends(code=code, after=span)


ends = st.builds(of, st.sampled_from([0, 7, 7]), st.sampled_from([0.0, 1.03, 4.17, None]))
scripts = st.lists(
    st.builds(of, st.just(0), st.sampled_from([0.0, 3.3, 14.9])), min_size=1, max_size=4
)


@st.composite
def worlds(draw: st.DrawFn) -> VirtualWorld:
    """Draw a monitor that has been at work for a while."""
    words = [word for words in draw(options_of) for word in words.split()]
    if "--retry-interval=3.7" in words and "--threshold=1" in words:
        words.remove("--retry-interval=3.7")
    checks = draw(st.lists(ends, min_size=1, max_size=12))
    fails, recoveries, end = draw(scripts), draw(scripts), draw(st.integers(0, 1300)) / 10
    note(f"VirtualWorld(*{words}, {checks=}, {fails=}, {recoveries=}).run_until({end})")
    world = VirtualWorld(*words, checks=checks, fails=fails, recoveries=recoveries)
    return world.run_until(end)


@settings(deadline=None, max_examples=150)
@given(world=worlds(), result=st.sampled_from([0, 7]))
def test_its_words_about_a_pass_and_a_failure_come_true(world: VirtualWorld, result: int) -> None:
    why = why_of(world)
    predicted = why["outlook"]
    with recorded(world) as recorder:
        world.checks_give(Ends(code=result, after=0.6))
        end = world.time.elapsed() + 200
        while recorder.of(CheckPassed, CheckFailed, CheckUnknown) is None and not world.done:
            if (when := world.time.next_until(end)) is None:
                break
            world.time.run_next(when)
        verdict = recorder.of(CheckPassed, CheckFailed)
        world.run_until(world.time.elapsed() + 31)

    if predicted["coming"] is None:
        assert recorder.of(CheckPassed, CheckFailed) is None
        return
    if verdict is None:
        assert recorder.of(CheckUnknown) or world.done
        return
    course = predicted_course(predicted, recorder, verdict)
    assert outcome(why, recorder.course(verdict)) == outcome(why, course)


def predicted_course(predicted: Any, recorder: Recorder, verdict: Taken) -> Any:
    """Return the prediction that fits this end of the check."""
    up = recorder.of(WindowClosed, BackoffEnded)
    if isinstance(verdict.outlook.event, CheckPassed):
        return predicted["passed"]
    if predicted["time"] and verdict.was.overdue and up is not None and up.at <= verdict.at:
        return predicted["time"]["then"]
    if predicted["late"] and verdict.at >= START_PERIOD:
        return predicted["late"]
    return (
        predicted["still"]
        if predicted["still"] and verdict.was.fail_running
        else predicted["failed"]
    )


@contextmanager
def recorded(world: VirtualWorld) -> Generator[Recorder]:
    """Record the steps that monitors take."""
    recorder = Recorder(world)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("heat.monitor.pump.step", recorder)
        yield recorder


@settings(deadline=None, max_examples=150)
@given(world=worlds())
def test_its_words_about_a_time_limit_come_true(world: VirtualWorld) -> None:
    why = why_of(world)
    up, due = why["outlook"]["time"], why["outlook"]["due"]
    if up is None or up["in"] is None:
        return
    then = world.time.elapsed() + due
    stage = world.monitor.model.stage
    with recorded(world) as recorder:
        world.run_until(then + 0.001)
        taken = recorder.of(WindowClosed, BackoffEnded)
        world.run_until(then + 31)

    if taken is None or abs(taken.at - then) > 0.002 or taken.was.stage is not stage:
        moved = any(each.outlook.monitor.stage is not stage for each in recorder.taken)
        assert moved or world.done
        return
    variant = "failed"
    if check_runs(taken.was):
        variant = "running"
    elif taken.was.passes:
        variant = "passed"
    assert what_is_done(why, recorder.course(taken)) == what_is_done(why, up[variant])
