"""A HEAT that only talks: docs/protocol.md on a real socket, with monitors that the test sets.

It is a fake that works: it keeps pauses and resets, and refuses what HEAT refuses.
"""

import contextlib
import difflib
import json
import os
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from heat.control.answers import Monitor

NOW = 1_795_344_457.25
"""Sunday, 2026-11-22 10:47:37 UTC."""
Facts = dict[str, Any]


def last(result: str = "ok", text: str = "", code: int | None = 0, **other: Any) -> Facts:
    """A last check."""
    facts: Facts = {
        "result": result,
        "code": code,
        "text": text or f"Exit Code {code}",
        "message": None,
        "time": NOW - 2.2,
        "age": 2.1,
        "duration": 0.034,
        "pid": 4321,
        "warning": False,
    }
    return facts | other


def step(event: str, *effects: Facts, **other: Any) -> Facts:
    """An event that would come, and the monitor after it."""
    known: Facts = {
        "event": event,
        "state": "NORMAL",
        "count": 0,
        "passes": 0,
        "attempts": 0,
        "window": None,
        "backoff": None,
        "spent": False,
        "effects": list(effects),
    }
    return known | other


def outlook(**other: Any) -> Facts:
    """The outlook of a monitor, which is NORMAL unless ``other`` differs."""
    failed = step("failed", state="FAILING", count=1)
    known: Facts = {
        "ended": False,
        "pace": "interval",
        "tick": 4.2,
        "due": None,
        "coming": [step("tick", {"do": "check"})],
        "passed": [step("passed")],
        "failed": [failed],
        "late": None,
        "still": None,
        "time": None,
        "passes": None,
        "failures": {"number": 1, "steps": [failed]},
        "resumed": None,
        "commands": {"check": True, "pause": True, "resume": False, "reset": False},
    }
    return known | other


def facts(name: str = "web", options: Facts | None = None, **other: Any) -> Facts:
    """The answer of `why` about a monitor, which is NORMAL unless ``other`` differs."""
    known: Facts = {
        "name": name,
        "check": f"./check-{name}",
        "state": "NORMAL",
        "since": NOW - 3600,
        "count": 0,
        "threshold": None,
        "attempts": 0,
        "max_recoveries": None,
        "last": last(),
        "last_recovery": None,
        "last_fail": None,
        "checking": "idle",
        "next": 4.2,
        "next_text": "next check in 4.2 s",
        "paused": None,
        "shown": "PAUSED" if other.get("paused") else other.get("state", "NORMAL"),
        "backoff": None,
        "spent": False,
        "unknown_since": None,
        "checks": 120,
        "skipped": 0,
        "now": NOW,
        "changed": None,
        "outage": None,
        "passes": 0,
        "success_threshold": 1,
        "remedy": "none",
        "remedy_text": "it is over",
        "outlook": outlook(),
        "window": None,
        "script": None,
        "fail_queued": False,
        "target": None,
        "frozen": None,
        "start_period": None,
        "options": {"interval": 30, "timeout": 30, "script-timeout": None} | (options or {}),
    }
    return known | other


ABOUT: Facts = {
    "version": "0.1.0",
    "pid": 1234,
    "started": NOW - 86_400,
    "now": NOW,
    "config": "/etc/heat/heat.toml",
    "state": None,
    "log_dir": "/var/log/heat",
    "monitors": 1,
    "states": {"NORMAL": 1},
    "paused": 0,
    "running": 0,
    "max_running": 256,
    "waited": 0,
    "longest_wait": 0.0,
    "trouble": [],
}


class RefusalError(Exception):
    """A request that HEAT refuses: the error and the fix."""


class Talker:
    """HEAT's end of the socket; ``requests`` are those that came."""

    def __init__(self, path: Path, *monitors: Facts, **about: object) -> None:
        self.path = path
        self.monitors = {each["name"]: each for each in monitors}
        self.about = ABOUT | about
        self.requests: list[Facts] = []
        self.reload: Facts = {"added": 0, "changed": 0, "removed": 0}
        self.refusal: Facts | None = None
        """The answer to every request, while it is not None."""
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(os.fspath(path))
        self._socket.listen()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End, as HEAT does: the socket is gone from its folder."""
        # A closed socket wakes no thread that accepts from it; one that is shut down does.
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()
        self.path.unlink(missing_ok=True)

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            # A client that hangs up may leave unflushed data, which fails at the close, too.
            with contextlib.suppress(OSError), client, client.makefile("rwb") as stream:
                for line in stream:
                    self.requests.append(json.loads(line))
                    for answer in self._answer(self.requests[-1]):
                        stream.write(json.dumps({"heat": 1, **answer}).encode() + b"\n")
                    stream.flush()

    def _answer(self, request: Facts) -> Iterator[Facts]:
        if self.refusal is not None:
            yield self.refusal
            return
        do: Callable[[Facts], Iterator[Facts]] = getattr(self, f"_{request['do']}")
        try:
            yield from do(request)
        except RefusalError as error:
            yield {"ok": False, "error": error.args[0], "fix": error.args[1]}

    def _named(self, name: str) -> Facts:
        if name not in self.monitors:
            near = difflib.get_close_matches(name, self.monitors, 1, 0.5)
            hint = f"did you mean {near[0]}?" if near else ""
            raise RefusalError(f"no monitor is named {name}", hint)
        return self.monitors[name]

    def _hello(self, _request: Facts) -> Iterator[Facts]:
        yield {"ok": True, "about": self.about}

    def _status(self, request: Facts) -> Iterator[Facts]:
        names: Sequence[str] = request.get("names") or list(self.monitors)
        monitors = [self._named(name) for name in names]
        for each in monitors:
            yield {"status": [{key: each[key] for key in Monitor.__annotations__}]}
        yield {"ok": True, "monitors": len(monitors)}

    def _why(self, request: Facts) -> Iterator[Facts]:
        yield {"ok": True, "why": self._named(request["name"])}

    def _check(self, request: Facts) -> Iterator[Facts]:
        if self._named(request["name"])["state"] == "ERROR":
            raise RefusalError(f"{request['name']} is in ERROR", "reset it first")
        yield {"ok": True}

    def _pause(self, request: Facts) -> Iterator[Facts]:
        seconds = request["seconds"]
        now = self.about["now"]
        until = None if seconds is None else now + seconds
        paused = {"since": now, "until": until, "reason": request["reason"]}
        monitor = self._named(request["name"])
        before, monitor["paused"] = monitor["paused"], paused
        yield {"ok": True, "until": until, "replaced": before}

    def _resume(self, request: Facts) -> Iterator[Facts]:
        if self._named(request["name"])["paused"] is None:
            raise RefusalError(f"{request['name']} is not paused", "")
        self._named(request["name"])["paused"] = None
        yield {"ok": True}

    def _reset(self, request: Facts) -> Iterator[Facts]:
        monitor = self._named(request["name"])
        was, monitor["state"] = monitor["state"], "NORMAL"
        yield {"ok": True, "was": was}

    def _reload(self, _request: Facts) -> Iterator[Facts]:
        yield {"ok": True, **self.reload}


class Raw:
    """Another program: it sends these bytes to every client, and hangs up or not."""

    def __init__(self, path: Path, data: bytes, *, hangs: bool = False) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(os.fspath(path))
        self._socket.listen()
        self._data = data
        self._hangs = hangs
        self._held: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()
        for each in self._held:
            each.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            self._held.append(client)
            with contextlib.suppress(OSError):
                client.sendall(self._data)
                if not self._hangs:
                    client.shutdown(socket.SHUT_RDWR)
