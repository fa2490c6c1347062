"""Drawings of the monitor's table: colours, rows to leave out, and the overview.

The overview is drawn by hand, with few words; a test holds it against the table.
"""

from collections.abc import Mapping

from states.engine.drawing import Look, of_table
from states.engine.picture import Arrow, Box, Label, Layout, Picture
from states.engine.table import Row
from states.monitor import events as on
from states.monitor import guards as if_
from states.monitor.model import Check, Pause, Stage, State
from states.monitor.questions import REMEDIES
from states.monitor.table import RUNNING, TABLE

COLOURS = {
    State.NORMAL: ("#d7f0dc", "#1f7a3a"),
    State.FAILING: ("#fdf0c8", "#9a6b00"),
    State.RECOVERING: ("#d6e6fb", "#1f55a5"),
    State.ERROR: ("#f9d5d3", "#a8201a"),
}
"""Fill and line of each state's box."""
_BOOKS = ("count_", "clear_", "take_", "change_", "mark_failed", "mark_recoveries_spent")
_QUIET = (on.Paused, on.Resumed, on.LimitsChanged, on.CheckUnknown, on.Tick)
"""Events that change only counts and limits if they do not change the state."""


def left_out(row: Row) -> bool:
    """Tell if a row holds only in a pause, when nothing happens, or only counts."""
    in_pause = not {if_.paused, if_.not_paused}.isdisjoint(row.guards)
    return in_pause or (row.to is None and row.event in _QUIET)


_STAGE = Layout(
    {
        "": (
            "graph [ranksep=0.22, nodesep=0.25];",
            "edge [style=invis];",
            "{rank=same; BACKOFF__ERROR -> any_other_state__ERROR -> OPEN__ERROR}",
            "{rank=same; OPEN__ERROR -> REPAIRING__ERROR}",
            "SPENT -> any_other_state;",
            "FAILING -> FAILING__RECOVERING -> WAITING [weight=20];",
        ),
        State.RECOVERING: (
            "edge [style=invis];",
            "{rank=same; BACKOFF__WAITING -> OPEN__WAITING -> WAITING__OPEN -> REPAIRING}",
            "WAITING__OPEN -> OPEN [weight=9];",
        ),
    },
    {(Stage.OPEN, Stage.WAITING): ("nw", "")},
    width=32,
)
_CHECK = Layout(
    {
        "": (
            "graph [ranksep=0.22];",
            "edge [style=invis];",
            "{rank=same; idle__at_once -> running__idle -> idle__scheduled}",
            "{rank=same; idle__scheduled -> dying__idle -> due__idle}",
        ),
        RUNNING: ("graph [labeljust=l];",),
    },
    {
        (Check.DUE, Check.IDLE): ("", "ne"),
        (Check.DYING, Check.IDLE): ("", "e"),
        (Check.IDLE, Check.SCHEDULED): ("se", "ne"),
        (Check.IDLE, Check.AT_ONCE): ("sw", ""),
        (RUNNING, Check.IDLE): ("", "s"),
    },
)
_COLOURS = {state.value: colour for state, colour in COLOURS.items()}
LOOK = Look(_COLOURS, _BOOKS, left_out, {"stage": _STAGE, "check": _CHECK})

# The overview

WATCHING, PAUSED = "watching", "PAUSED"
_WATCHED = (State.NORMAL, State.FAILING, State.RECOVERING)


def _arrow(source: str, to: str, text: str, *, both: bool = False) -> Arrow:
    return Arrow(source, to, (Label(text),), both)


_BOXES = {state: Box(state, state, colour) for state, colour in COLOURS.items()}
_FRAME = Box(
    WATCHING,
    "while HEAT watches",
    boxes=tuple(_BOXES[each] for each in _WATCHED),
    initial=State.NORMAL,
    frame=True,
)
OVERVIEW = Picture(
    "monitor",
    (_FRAME, _BOXES[State.ERROR], Box(PAUSED, PAUSED)),
    (
        _arrow(State.NORMAL, State.FAILING, "check fails"),
        _arrow(State.FAILING, State.NORMAL, "check passes, reset"),
        _arrow(State.FAILING, State.RECOVERING, "threshold reached"),
        _arrow(State.NORMAL, State.RECOVERING, "threshold 1"),
        _arrow(State.RECOVERING, State.NORMAL, "check passes, reset"),
        _arrow(WATCHING, State.ERROR, "HEAT gives up"),
        _arrow(State.ERROR, State.NORMAL, "reset"),
        _arrow(WATCHING, PAUSED, "pause, resume", both=True),
    ),
    layout=Layout(
        {"": ("graph [ranksep=0.22, nodesep=0.3];",), WATCHING: ("graph [labeljust=l];",)},
        {
            (WATCHING, PAUSED): (State.FAILING, ""),
        },
    ),
    direction="LR",
)
"""Out of ERROR a reset starts the monitor again: the program does it, not the table."""
_OVERVIEW = "overview"
PICTURES: Mapping[str, Picture] = {
    _OVERVIEW: OVERVIEW,
    **{region: of_table(TABLE, LOOK, region) for region in TABLE.regions},
}
"""All pictures of a monitor: the overview, and each region."""

# One monitor in them


def present(part: str, state: str, remedy: str = "", *, paused: bool = False) -> list[str] | None:
    """Return the boxes that a monitor is in, from the words of its status.

    None for a region that the status does not show.
    """
    if part == _OVERVIEW:
        return [state, PAUSED] if paused else [state]
    if part == "pause":
        return [Pause.PAUSED if paused else Pause.ACTIVE]
    if part != "stage":
        return None
    within = {word: stage for stage, word in REMEDIES.items()} if state == State.RECOVERING else {}
    return [within.get(remedy, state)]
