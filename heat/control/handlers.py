"""Requests on the control socket, and the lines of their answers (docs/protocol.md).

An answer is made while it is taken: `status` of ten thousand monitors is some hundred small
steps, and a check that is due comes between them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from shlex import quote
from typing import TYPE_CHECKING, Any, Protocol, cast

from heat.config.durations import LONGEST
from heat.config.options import NAME_LENGTH
from heat.control.protocol import Kind, RefusedError, refused
from heat.control.views import BRIEF, COLUMNS, Facts, brief, of_monitor, of_pause, row, why
from heat.errors import HeatError
from heat.records import Pause
from heat.text import escaped
from states.monitor import outlook
from states.monitor.events import CheckAsked

if TYPE_CHECKING:
    from heat.monitor.counters import Counters
    from heat.monitor.monitor import Monitor
    from heat.monitor.supervisor import Supervisor
    from heat.runtime.ports import Clock

VERSION = 1
_encode = json.JSONEncoder(separators=(",", ":")).encode
Answer = Iterator[bytes]
"""The lines of an answer, made one at a time."""
Later = Callable[[Facts], None]
"""Takes the last line of an answer that has to wait."""

_ROWS = 50
"""Monitors in a line of numbers."""
_STANDING = 25
"""Monitors in a line that tells how they stand: half a millisecond's work."""
_NOTHING = "no monitor is named {}"
_Manner = tuple[str, Callable[["Monitor", float], object], int]
"""How monitors are told of: under which key, by what, how many in a line."""


class Heat(Protocol):
    """The HEAT that is asked."""

    def about(self) -> Facts:
        """The facts of HEAT itself, and how it does."""
        ...

    def reload(self, told: Later) -> None:
        """Read the configuration again; ``told`` takes what came of it."""
        ...


def line(facts: Facts) -> bytes:
    """One line of an answer."""
    return _encode({"heat": VERSION, **facts}).encode() + b"\n"


def refusal(error: str, hint: str = "", kind: Kind = Kind.REFUSED) -> bytes:
    """The one line of an answer that is none."""
    return line(refused(error, hint, kind))


class Answers:
    """Answers requests about this fleet."""

    def __init__(self, heat: Heat, fleet: Supervisor, counters: Counters, clock: Clock) -> None:
        self._heat = heat
        self._supervisor = fleet
        self._counters = counters
        self._clock = clock
        self._instance = f"{clock.unix():.6f}"
        self._known: dict[str, Callable[[Facts], Answer]] = {
            "hello": self._hello,
            "status": self._status,
            "why": self._why,
            "check": self._check,
            "pause": self._pause,
            "resume": self._resume,
            "reset": self._reset,
            "metrics": self._metrics,
        }

    def answer(self, request: bytes, later: Callable[[], Later]) -> Answer | None:
        """The answer to a line; None if it comes ``later``."""
        try:
            asked = _understood(request)
            if asked["do"] in _DOING and self._supervisor.told_to_end:
                raise RefusedError("HEAT is ending", "start it again")
            if asked["do"] == "reload":
                told = later()
                self._heat.reload(told)
                return None
            do = self._known.get(asked["do"])
            if do is None:
                known = ", ".join(sorted([*self._known, "reload"]))
                what = f"'{_named_so(asked['do'])}' is nothing that HEAT does"
                raise RefusedError(what, f"it does: {known}", Kind.BAD_REQUEST)
            return do(asked)
        except RefusedError as error:
            return iter([refusal(str(error), error.hint, error.kind)])

    def _hello(self, asked: Facts) -> Answer:
        del asked
        return iter([line({"ok": True, "about": self._heat.about()})])

    # What is looked at

    def _status(self, asked: Facts) -> Answer:
        names: Any = asked.get("names")
        if names is None:
            monitors = list(self._supervisor.monitors.values())
        elif isinstance(names, list):
            monitors = [self._named(name) for name in cast("list[object]", names)]
        else:
            raise RefusedError("names is no list of names", "", Kind.BAD_REQUEST)
        if asked.get("brief") is True:
            rows = self._standing(monitors, ("rows", brief, _ROWS))
            return chain([line({"columns": BRIEF})], rows)
        return self._standing(monitors, ("status", of_monitor, _STANDING))

    def _standing(self, monitors: Iterable[Monitor], manner: _Manner) -> Answer:
        key, of, at_once = manner
        told = 0
        still = self._still(monitors)
        while some := list(islice(still, at_once)):
            told += len(some)
            yield line({key: [of(monitor, self._clock.unix()) for monitor in some]})
        yield line({"ok": True, "monitors": told})

    def _still(self, monitors: Iterable[Monitor]) -> Iterator[Monitor]:
        """Those that are still watched when it is their turn: an answer takes its time."""
        present = self._supervisor.monitors
        return (each for each in monitors if present.get(each.setup.options.name) is each)

    def _why(self, asked: Facts) -> Answer:
        monitor = self._asked(asked)
        return iter([line({"ok": True, "why": why(monitor, self._clock.unix())})])

    def _metrics(self, asked: Facts) -> Answer:
        since = asked.get("since")
        if since is None:
            since = -math.inf
        elif not _is_number(since):
            raise RefusedError("since is no cursor", "leave it out", Kind.BAD_REQUEST)
        return self._rows(since)

    def _rows(self, since: float) -> Answer:
        cursor = self._clock.now()
        has_news = self._counters.has_news
        monitors = self._still(
            [
                each
                for each in self._supervisor.monitors.values()
                if has_news(each.row, since, cursor)
            ]
        )
        yield line({"columns": COLUMNS})
        unix = self._clock.unix()
        while some := list(islice(monitors, _ROWS)):
            yield line({"rows": [row(monitor, self._counters, unix) for monitor in some]})
        yield line(
            {
                "ok": True,
                "cursor": cursor,
                "instance": self._instance,
                "monitors": len(self._supervisor.monitors),
                "about": self._heat.about(),
            }
        )

    # What is done

    def _check(self, asked: Facts) -> Answer:
        monitor = self._asked(asked)
        if not monitor.ask():
            why_not = f"{_shown(monitor)}: {_why_no_check(monitor)}"
            raise RefusedError(why_not, _how_to_check(monitor))
        return _done()

    def _pause(self, asked: Facts) -> Answer:
        monitor = self._asked(asked)
        span, reason = asked.get("seconds"), asked.get("reason", "")
        if span is not None and not (_is_number(span) and 0 < span <= LONGEST):
            hint = f"give a number greater than 0, and of at most {LONGEST:.0f} (366 days)"
            raise RefusedError("seconds is not a positive duration", hint, Kind.BAD_REQUEST)
        if not isinstance(reason, str) or len(reason) > _LONGEST_REASON:
            told = f"reason is no text of at most {_LONGEST_REASON} characters"
            raise RefusedError(told, "", Kind.BAD_REQUEST)
        if monitor.exit_code is not None:
            state = f"{_shown(monitor)} is not checked any more ({monitor.model.state})"
            raise RefusedError(f"{state}: there is nothing to pause")
        until = None if span is None else self._clock.unix() + span
        before = monitor.paused
        monitor.pause(until, escaped(reason))
        return _done(until=until, replaced=of_pause(before))

    def _resume(self, asked: Facts) -> Answer:
        monitor = self._asked(asked)
        if monitor.paused is None:
            raise RefusedError(f"{_shown(monitor)} is not paused")
        monitor.resume()
        return _done()

    def _reset(self, asked: Facts) -> Answer:
        monitor = self._asked(asked)
        before = monitor.model.state
        if not outlook.resettable(monitor.model):
            run = monitor.look().script
            which = "" if run is None else f" (process {run.pid})"
            raise RefusedError(
                f"{_shown(monitor)}: the recovery script runs{which}: its end is waited for",
                "wait for it, or end it yourself, and reset then",
            )
        try:
            self._supervisor.reset(monitor.setup.options.name)
        except (HeatError, OSError) as error:
            raise RefusedError(f"{_shown(monitor)} cannot begin anew: {error}") from None
        return _done(was=before)

    # Names

    def _asked(self, asked: Facts) -> Monitor:
        name = asked.get("name")
        if not isinstance(name, str):
            hint = 'say which monitor: "name": "web"'
            raise RefusedError("name is missing", hint, Kind.BAD_REQUEST)
        return self._named(name)

    def _named(self, name: object) -> Monitor:
        if not isinstance(name, str):
            raise RefusedError("a name is a text", "", Kind.BAD_REQUEST)
        monitor = self._supervisor.monitors.get(name)
        if monitor is None:
            likely = list(islice(self._supervisor.monitors, _MOST_LIKE))
            near = _nearest(name[:NAME_LENGTH], likely)
            hint = f"did you mean {escaped(near)}?" if near else "heatctl status lists them"
            raise RefusedError(_NOTHING.format(_named_so(name)), hint, Kind.UNKNOWN_MONITOR)
        return monitor


_DOING = {"check", "pause", "resume", "reset", "reload"}
_LONGEST_REASON = 500
_ASKED = CheckAsked()
_MOST_LIKE = 200
"""Names that a wrong one is compared with: each takes some ten microseconds."""


def _nearest(name: str, likely: list[str]) -> str | None:
    """The name that may be meant; None as well where there is no descriptor to load this with."""
    try:
        import difflib
    except (ImportError, OSError):
        return None
    return next(iter(difflib.get_close_matches(name, likely, 1, 0.5)), None)


def _understood(request: bytes) -> Facts:
    try:
        found: Any = json.loads(request)
    except (ValueError, RecursionError):
        told = "the request is no JSON object"
        raise RefusedError(told, "one object a line", Kind.BAD_REQUEST) from None
    asked = cast(Facts, found) if isinstance(found, dict) else {}
    if not isinstance(asked.get("do"), str):
        told = "the request says not what to do"
        raise RefusedError(told, '{"heat": 1, "do": "hello"}', Kind.BAD_REQUEST)
    if asked.get("heat") != VERSION:
        raise RefusedError(
            f"this HEAT speaks version {VERSION} of the protocol",
            f'begin with "heat": {VERSION}, or use the heatctl that came with this HEAT',
            Kind.VERSION,
        )
    return asked


def _is_number(value: Any) -> bool:  # noqa: ANN401 - whatever JSON holds
    return isinstance(value, int | float) and not isinstance(value, bool)


def _named_so(name: str) -> str:
    """A name of nothing that there is, as somebody has written it."""
    return escaped(name if len(name) <= NAME_LENGTH else f"{name[:NAME_LENGTH]}...")


def _shown(monitor: Monitor) -> str:
    return escaped(monitor.setup.options.name)


def _done(**more: object) -> Answer:
    return iter([line({"ok": True, **more})])


def _why_no_check(monitor: Monitor) -> str:
    if monitor.exit_code is not None:
        return f"it is not checked any more ({monitor.model.state})"
    return outlook.refusal(monitor.model, _ASKED)


def _how_to_check(monitor: Monitor) -> str:
    name = quote(_shown(monitor))
    if monitor.exit_code is not None:
        return f"heatctl reset {name}"
    return f"heatctl resume {name}" if isinstance(monitor.paused, Pause) else ""
