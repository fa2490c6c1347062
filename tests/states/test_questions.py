"""Questions about a monitor, asked in each of its stages."""

import pytest
from steps import (
    FAIL,
    FULL,
    IS_SPENT,
    PLAIN,
    RECOVER,
    RECOVERY,
    REST,
    RESTING,
    WATCHES,
    WINDOW,
    failed,
    led,
)

from states.monitor import questions as ask
from states.monitor.events import (
    CheckGone,
    CheckImpossible,
    CheckPassed,
    Event,
    FailEnded,
    LimitsChanged,
    Paused,
    RecoveryDelayed,
    RecoveryEnded,
    Tick,
    WindowClosed,
)
from states.monitor.limits import Limits
from states.monitor.model import Check, Monitor, Stage

NORMAL = led(PLAIN, Tick(), CheckPassed())
FAILING = led(PLAIN, *FAIL)
WAITING = led(FULL._replace(threshold=1), *RECOVERY)
REPAIRING = led(RECOVER, *RECOVERY)
OWED = led(RECOVER, *RECOVERY, RecoveryDelayed())
OPEN = led(RECOVER._replace(threshold=3), *FAIL * 3, RecoveryEnded(), failed(101))
BACKOFF = led(REST, *RESTING)
SPENT = led(WATCHES, *IS_SPENT)
ERROR = led(PLAIN, CheckImpossible("why"))
EACH = (NORMAL, FAILING, WAITING, REPAIRING, OWED, OPEN, BACKOFF, SPENT, ERROR)


def asked(question: object) -> list[object]:
    assert callable(question)
    return [question(monitor) for monitor in EACH]


def test_they_stand_for_all_stages() -> None:
    assert [monitor.stage for monitor in EACH] == list(Stage)


def test_whether_all_is_well() -> None:
    assert asked(ask.well) == [True, *[False] * 8]


def test_a_word_for_people() -> None:
    recovering = ["RECOVERING"] * 4
    assert asked(ask.shown) == ["NORMAL", "FAILING", *recovering, "BACKOFF", "SPENT", "ERROR"]
    assert asked(ask.stands) == [
        "NORMAL",
        "FAILING",
        *recovering,
        "RECOVERING (BACKOFF)",
        "RECOVERING (SPENT)",
        "ERROR",
    ]


def test_a_pause_is_shown_before_all_but_an_error() -> None:
    assert ask.shown(led(REST, *RESTING, Paused())) == "PAUSED"
    assert ask.shown(led(PLAIN, Paused())) == "PAUSED"
    assert ask.shown(led(PLAIN, Paused(), CheckImpossible("why"))) == "ERROR"


def test_how_far_the_recovery_has_come() -> None:
    words = ["none", "none", "waiting", "running", "owed", "open", "backoff", "spent", "none"]
    assert asked(ask.remedy) == words
    assert asked(ask.remedy_text) == [
        "it is over",
        "it is over",
        "it waits for the fail script to end",
        "its script runs",
        "its script could not be started for want of resources",
        "its window is open",
        "it has not helped so far; the next one is not due yet",
        "it did not help, and none is left",
        "it is over",
    ]
    paused = led(FULL._replace(threshold=1), *RECOVERY, Paused(), FailEnded())
    assert ask.remedy_text(paused) == "it is yet to begin"
    allowed = led(WATCHES, *IS_SPENT, LimitsChanged(WATCHES._replace(max_recoveries=9)))
    assert ask.remedy_text(allowed) == "it did not help, and none was left then"


def only(stage: Stage) -> list[bool]:
    return [each is stage for each in Stage]


def test_which_stage_it_is() -> None:
    assert asked(ask.recovery_runs) == only(Stage.REPAIRING)
    assert asked(ask.spent) == only(Stage.SPENT)
    assert asked(ask.backs_off) == only(Stage.BACKOFF)
    assert [monitor is not None for monitor in asked(ask.window)] == only(Stage.OPEN)


@pytest.mark.parametrize(
    ("limits", "more", "window"),
    [
        (RECOVER, (), (0, 1, False)),
        (RECOVER, (failed(101),), (1, 1, False)),
        (RECOVER._replace(recovery_timeout=9.0), (WindowClosed(),), (0, None, True)),
        (RECOVER._replace(recovery_interval=3.0, interval=9.0), (), (0, None, False)),
    ],
)
def test_what_closes_the_window(
    limits: Limits, more: tuple[Event, ...], window: tuple[object, ...]
) -> None:
    assert ask.window(led(limits, *WINDOW, *more)) == window


PACED = {"retry_interval": 2.0, "recovery_interval": 3.0}


@pytest.mark.parametrize(
    ("limits", "events", "option"),
    [
        (PLAIN._replace(**PACED), (), "interval"),
        (PLAIN._replace(**PACED), FAIL, "retry-interval"),
        (PLAIN, FAIL, "interval"),
        (RECOVER._replace(**PACED), RECOVERY, "interval"),
        (RECOVER._replace(**PACED), WINDOW, "recovery-interval"),
        (RECOVER, WINDOW, "interval"),
        (REST._replace(**PACED), (*WINDOW, WindowClosed(), failed(102)), "interval"),
    ],
)
def test_which_option_sets_the_pace(limits: Limits, events: tuple[Event, ...], option: str) -> None:
    assert ask.pace(led(limits, *events)) == option


def test_what_the_check_does() -> None:
    dying = (Tick(), failed(dying=True))
    checks = [
        led(RECOVER, Tick(), CheckPassed()),
        led(RECOVER, Tick()),
        led(RECOVER, *WINDOW),
        led(RECOVER, *dying),
        led(RECOVER, *dying, RecoveryEnded()),
        led(RECOVER, *dying, CheckGone()),
    ]

    assert [each.check for each in checks] == [*Check, Check.IDLE]
    assert [ask.checking(each) for each in checks] == [
        "idle",
        "running",
        "running",
        "dying",
        "dying",
        "idle",
    ]
    assert [ask.check_runs(each) for each in checks] == [False, True, True, False, False, False]


TOLD, SKIPS = Limits(fail=True), Limits(fail=True, fail_overlap_skip=True)


@pytest.mark.parametrize(
    ("monitor", "holds"),
    [
        (led(TOLD, *FAIL), False),
        (led(TOLD, *FAIL, Tick(), failed(101)), True),
        (led(SKIPS, *FAIL), True),
        (led(SKIPS, *FAIL, FailEnded()), False),
        (led(SKIPS), False),
    ],
)
def test_whether_the_fail_script_holds_something_up(monitor: Monitor, *, holds: bool) -> None:
    assert ask.fail_holds_up(monitor) is holds


@pytest.mark.parametrize("stage", Stage)
def test_what_is_left_when_no_check_is(stage: Stage) -> None:
    monitor = Monitor(Limits(checks=1))
    monitor.stage, monitor.checks = stage, 1

    ends = {Stage.NORMAL, Stage.FAILING, Stage.OPEN, Stage.BACKOFF, Stage.SPENT}
    assert ask.nothing_left(monitor) is (stage in ends)


def test_a_check_that_nothing_can_kill_is_not_waited_for() -> None:
    monitor = led(Limits(checks=1), Tick(), failed(dying=True))

    assert not ask.nothing_left(monitor)
    assert ask.nothing_left(monitor, stuck=True)
