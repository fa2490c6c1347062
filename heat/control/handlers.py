"""A handler for each request on the control socket; docs/protocol.md describes their answers.

The server takes the lines of an answer one at a time: `status` of ten thousand monitors is a few
hundred small steps, and checks that are due come between them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from shlex import quote
from typing import TYPE_CHECKING, Any, Protocol, cast

from heat.config.durations import LONGEST
from heat.config.readers import NAME_LENGTH
from heat.control.protocol import BRIEF, NUMBERS, Kind, RefusedError, encode, parse, refusal
from heat.control.views import brief, condition, numbers, pause, why
from heat.errors import HeatError
from heat.records import Pause
from heat.text import escaped
from states.monitor import outlook
from states.monitor.events import CheckAsked

if TYPE_CHECKING:
    from heat.control.answers import About
    from heat.control.protocol import Answer
    from heat.monitor.counters import Counters
    from heat.monitor.monitor import Monitor
    from heat.monitor.supervisor import Supervisor
    from heat.runtime.ports import Clock

Request = dict[str, Any]
Lines = Iterator[bytes]
"""The lines of an answer, made one at a time."""
Later = Callable[["Answer"], None]
"""Takes the only line of an answer that has to wait."""
_View = Callable[["Monitor", float], object]

_ROWS = 50
"""Monitors in a line of rows."""
_WHOLE = 25
"""Monitors in a line of whole objects: half a millisecond of work."""
_LONGEST_REASON = 500
_SUGGESTIONS = 200
"""Names that a wrong one is compared with: each takes about ten microseconds."""
_COMMANDS = {"check", "pause", "resume", "reset", "reload"}
_CHECK = CheckAsked()


class Heat(Protocol):
    """The HEAT behind the socket."""

    def about(self) -> About:
        """Return its version, its settings and how it is."""
        ...

    def reload(self, reply: Later) -> None:
        """Have the configuration read again; ``reply`` takes the result."""
        ...


class Handlers:
    """The handlers of requests about the monitors of a supervisor."""

    def __init__(
        self, heat: Heat, supervisor: Supervisor, counters: Counters, clock: Clock
    ) -> None:
        self._heat = heat
        self._supervisor = supervisor
        self._counters = counters
        self._clock = clock
        self._instance = f"{clock.unix():.6f}"
        self._handlers: dict[str, Callable[[Request], Lines]] = {
            "hello": self._hello,
            "status": self._status,
            "why": self._why,
            "check": self._check,
            "pause": self._pause,
            "resume": self._resume,
            "reset": self._reset,
            "metrics": self._metrics,
        }

    def answer(self, line: bytes, later: Callable[[], Later]) -> Lines | None:
        """Return the answer to a request; None if it comes ``later``."""
        try:
            request = parse(line)
            do = request["do"]
            if do in _COMMANDS and self._supervisor.told_to_end:
                raise RefusedError("HEAT is ending", "start it again")
            if do == "reload":
                self._heat.reload(later())
                return None
            if do not in self._handlers:
                known = ", ".join(sorted([*self._handlers, "reload"]))
                message = f"'{_shortened(do)}' is not a request"
                raise RefusedError(message, f"HEAT knows: {known}", Kind.BAD_REQUEST)
            return self._handlers[do](request)
        except RefusedError as error:
            return iter([encode(refusal(error.message, error.hint, error.kind))])

    # Requests that only look

    def _hello(self, _: Request) -> Lines:
        return _ok(about=self._heat.about())

    def _status(self, request: Request) -> Lines:
        names: Any = request.get("names")
        if names is None:
            monitors = list(self._supervisor.monitors.values())
        elif isinstance(names, list):
            monitors = [self._named(name) for name in cast("list[object]", names)]
        else:
            raise RefusedError("names must be a list of names", "", Kind.BAD_REQUEST)
        if request.get("brief") is True:
            rows = self._views(monitors, "rows", brief, _ROWS)
            return chain([encode({"columns": BRIEF})], rows)
        return self._views(monitors, "status", condition, _WHOLE)

    def _views(self, monitors: Iterable[Monitor], key: str, view: _View, at_once: int) -> Lines:
        count = 0
        watched = self._still_watched(monitors)
        while batch := list(islice(watched, at_once)):
            count += len(batch)
            yield encode({key: [view(monitor, self._clock.unix()) for monitor in batch]})
        yield encode({"ok": True, "monitors": count})

    def _still_watched(self, monitors: Iterable[Monitor]) -> Iterator[Monitor]:
        """Leave out those that a reload removes while the client takes its time."""
        present = self._supervisor.monitors
        return (each for each in monitors if present.get(each.setup.options.name) is each)

    def _why(self, request: Request) -> Lines:
        return _ok(why=why(self._monitor(request), self._clock.unix()))

    def _metrics(self, request: Request) -> Lines:
        since = request.get("since")
        if since is None:
            since = -math.inf
        elif not _is_number(since):
            raise RefusedError("since must be a cursor", "leave it out", Kind.BAD_REQUEST)
        return self._rows(since)

    def _rows(self, since: float) -> Lines:
        cursor, unix = self._clock.now(), self._clock.unix()
        has_news = self._counters.has_news
        present = self._supervisor.monitors
        monitors = [each for each in present.values() if has_news(each.row, since, cursor)]
        watched = self._still_watched(monitors)
        yield encode({"columns": NUMBERS})
        while batch := list(islice(watched, _ROWS)):
            yield encode({"rows": [numbers(monitor, self._counters, unix) for monitor in batch]})
        yield from _ok(
            cursor=cursor,
            instance=self._instance,
            monitors=len(present),
            about=self._heat.about(),
        )

    # Requests that do something

    def _check(self, request: Request) -> Lines:
        monitor = self._monitor(request)
        if not monitor.ask():
            message = f"{_shown(monitor)}: {_why_no_check(monitor)}"
            raise RefusedError(message, _how_to_check(monitor))
        return _ok()

    def _pause(self, request: Request) -> Lines:
        monitor = self._monitor(request)
        span, reason = request.get("seconds"), request.get("reason", "")
        if span is not None and not (_is_number(span) and 0 < span <= LONGEST):
            hint = f"give a number greater than 0, and of at most {LONGEST:.0f} (366 days)"
            raise RefusedError("seconds is not a positive duration", hint, Kind.BAD_REQUEST)
        if not isinstance(reason, str) or len(reason) > _LONGEST_REASON:
            message = f"reason must be a text of at most {_LONGEST_REASON} characters"
            raise RefusedError(message, "", Kind.BAD_REQUEST)
        if monitor.exit_code is not None:
            state = f"{_shown(monitor)} is not checked any more ({monitor.model.state})"
            raise RefusedError(f"{state}: there is nothing to pause")
        until = None if span is None else self._clock.unix() + span
        replaced = pause(monitor.paused)
        monitor.pause(until, escaped(reason))
        return _ok(until=until, replaced=replaced)

    def _resume(self, request: Request) -> Lines:
        monitor = self._monitor(request)
        if monitor.paused is None:
            raise RefusedError(f"{_shown(monitor)} is not paused")
        monitor.resume()
        return _ok()

    def _reset(self, request: Request) -> Lines:
        monitor = self._monitor(request)
        before = monitor.model.state
        if not outlook.resettable(monitor.model):
            run = monitor.look().script
            which = "" if run is None else f" (process {run.pid})"
            raise RefusedError(
                f"{_shown(monitor)}: the recovery script runs{which}: HEAT waits for its end",
                "wait for it, or end it yourself, and reset then",
            )
        try:
            self._supervisor.reset(monitor.setup.options.name)
        except (HeatError, OSError) as error:
            raise RefusedError(f"{_shown(monitor)} cannot start again: {error}") from None
        return _ok(was=before)

    # Names

    def _monitor(self, request: Request) -> Monitor:
        name = request.get("name")
        if not isinstance(name, str):
            hint = 'say which monitor: "name": "web"'
            raise RefusedError("name is missing", hint, Kind.BAD_REQUEST)
        return self._named(name)

    def _named(self, name: object) -> Monitor:
        if not isinstance(name, str):
            raise RefusedError("a name must be a text", "", Kind.BAD_REQUEST)
        monitor = self._supervisor.monitors.get(name)
        if monitor is None:
            near = _nearest(
                name[:NAME_LENGTH], list(islice(self._supervisor.monitors, _SUGGESTIONS))
            )
            hint = f"did you mean {escaped(near)}?" if near else "heatctl status lists them"
            message = f"no monitor is named {_shortened(name)}"
            raise RefusedError(message, hint, Kind.UNKNOWN_MONITOR)
        return monitor


def _nearest(name: str, names: list[str]) -> str | None:
    """Return the name that looks most like it, unless no descriptor is left to load difflib."""
    try:
        import difflib
    except (ImportError, OSError):
        return None
    return next(iter(difflib.get_close_matches(name, names, 1, 0.5)), None)


def _is_number(value: Any) -> bool:  # noqa: ANN401 - whatever JSON holds
    return isinstance(value, int | float) and not isinstance(value, bool)


def _shortened(text: str) -> str:
    """Escape a client's own word, and cut it where it is long."""
    return escaped(text if len(text) <= NAME_LENGTH else f"{text[:NAME_LENGTH]}...")


def _shown(monitor: Monitor) -> str:
    return escaped(monitor.setup.options.name)


def _ok(**keys: object) -> Lines:
    return iter([encode({"ok": True, **keys})])


def _why_no_check(monitor: Monitor) -> str:
    if monitor.exit_code is not None:
        return f"it is not checked any more ({monitor.model.state})"
    return outlook.refusal(monitor.model, _CHECK)


def _how_to_check(monitor: Monitor) -> str:
    name = quote(_shown(monitor))
    if monitor.exit_code is not None:
        return f"heatctl reset {name}"
    return f"heatctl resume {name}" if isinstance(monitor.paused, Pause) else ""
