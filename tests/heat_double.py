"""A HEAT with a control socket and nothing behind it: it answers as docs/protocol.md says."""

import json
import socketserver
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self

from heat.control.protocol import NUMBERS

STATES = ("NORMAL", "FAILING", "RECOVERING", "ERROR")
STARTED = 1_671_306_479.0
PIECE = 500
"""Rows in a line."""

Answer = dict[str, Any]


def step(event: str, *effects: Answer) -> Answer:
    """An event that would come, with these effects."""
    window = {"failures": 1, "of": None, "overdue": False}
    return {
        "event": event,
        "state": "RECOVERING",
        "count": 3,
        "passes": 0,
        "attempts": 1,
        "window": window,
        "backoff": None,
        "spent": False,
        "effects": list(effects),
    }


def outlook() -> Answer:
    """An outlook, with an effect of each kind that has a text."""
    given_up = [step("failed", {"do": "give-up", "reason": "./recover --password=geheim"})]
    signal = {"do": "signal", "signal": "CONT", "option": "success-signal"}
    return {
        "ended": False,
        "pace": "interval",
        "tick": 4.2,
        "due": 12.5,
        "coming": [step("tick", {"do": "check"})],
        "passed": [step("passed", signal)],
        "failed": given_up,
        "late": None,
        "still": None,
        "time": {
            "event": "window-closed",
            "in": 12.5,
            "seconds": None,
            "failed": given_up,
            "passed": None,
            "running": [step("window-closed")],
            "then": [step("failed", {"do": "backoff", "seconds": 20.0})],
        },
        "passes": {"number": 1, "steps": [step("passed", signal)]},
        "failures": None,
        "resumed": None,
        "commands": {"check": True, "pause": True, "resume": False, "reset": True},
    }


class HeatDouble:
    """A HEAT whose monitors are rows by their names; ``put`` changes one, as a check does."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.requests: list[Answer] = []
        self.instance = "first"
        self.state_file: str | None = None
        self.trouble: list[str] = []
        self.reply: Callable[[Answer], bytes | None] = lambda _: None
        """The answer to every request; None for the proper one."""
        self._rows: dict[str, Answer] = {}
        self._changed: dict[str, int] = {}
        self._cursor = 0
        double = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                for line in self.rfile:
                    request = json.loads(line)
                    double.requests.append(request)
                    reply = double.reply(request)
                    if reply is not None:
                        self.wfile.write(reply)
                        return
                    for answer in double.answer(request):
                        self.wfile.write(json.dumps({"heat": 1, **answer}).encode() + b"\n")

        class Server(socketserver.ThreadingUnixStreamServer):
            daemon_threads = True
            block_on_close = False
            request_queue_size = 64

            def handle_error(self, request: object, client_address: object) -> None:
                """Ignore clients that go away."""

        self._server = Server(str(path), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self.path.unlink(missing_ok=True)

    def put(self, name: str, **numbers: Any) -> None:
        """Add a monitor, or change these numbers of one."""
        fresh = dict.fromkeys(NUMBERS, 0) | {
            "name": name,
            "state": "NORMAL",
            "since": STARTED,
            "buckets": [0] * 13,
            "last": None,
            "spent": 0,
        }
        self._rows[name] = self._rows.get(name, fresh) | numbers
        self._cursor += 1
        self._changed[name] = self._cursor

    def remove(self, name: str) -> None:
        """Remove a monitor, as a reload does."""
        del self._rows[name], self._changed[name]

    def restart(self) -> None:
        """Begin as after a restart."""
        self.instance += " again"
        self._cursor = 0
        self._changed = dict.fromkeys(self._rows, 0)

    def answer(self, request: Answer) -> Iterator[Answer]:
        """The lines of an answer."""
        match request["do"]:
            case "hello":
                yield {"ok": True, "about": self.about()}
            case "status":
                names = request.get("names") or list(self._rows)
                for name in names:
                    if name not in self._rows:
                        yield self.unknown(name)
                        return
                    yield {"status": [self.monitor(name)]}
                yield {"ok": True, "monitors": len(names)}
            case "why" if request["name"] in self._rows:
                yield {"ok": True, "why": self.why(request["name"])}
            case "why":
                yield self.unknown(request["name"])
            case "metrics":
                yield from self._metrics(request.get("since"))
            case other:
                yield {"ok": False, "error": f"{other} is not known", "fix": "ask for status"}

    def _metrics(self, since: int | None) -> Iterator[Answer]:
        yield {"columns": NUMBERS}
        changed = [
            list(row.values())
            for name, row in self._rows.items()
            if since is None or self._changed[name] > since
        ]
        for start in range(0, len(changed), PIECE):
            yield {"rows": changed[start : start + PIECE]}
        yield {
            "ok": True,
            "cursor": self._cursor,
            "instance": self.instance,
            "monitors": len(self._rows),
            "about": self.about(),
        }

    def unknown(self, name: str) -> Answer:
        """The refusal of a name that no monitor has."""
        near = next(iter(self._rows), "nobody")
        error, hint = f"no monitor is named {name}", f"did you mean {near}?"
        return {"ok": False, "kind": "unknown-monitor", "error": error, "fix": hint}

    def about(self) -> Answer:
        """HEAT as a whole."""
        states = [row["state"] for row in self._rows.values()]
        return {
            "version": "0.1.0",
            "pid": 4711,
            "started": STARTED,
            "now": STARTED + 100,
            "config": "/etc/heat/heat.toml",
            "state": self.state_file,
            "log_dir": "/var/log/heat",
            "monitors": len(self._rows),
            "states": {state: states.count(state) for state in STATES if state in states},
            "paused": sum(row["paused"] for row in self._rows.values()),
            "running": 3,
            "max_running": 256,
            "waited": 12,
            "longest_wait": 0.25,
            "trouble": self.trouble,
        }

    def monitor(self, name: str) -> Answer:
        """The present condition of a monitor."""
        row = self._rows[name]
        return {
            "name": name,
            "check": f"./check {name}",
            "state": row["state"],
            "since": row["since"],
            "count": row["count"],
            "threshold": 3,
            "attempts": 0,
            "max_recoveries": None,
            "last": {
                "result": "ok",
                "code": 0,
                "text": "",
                "message": "up to date",
                "time": STARTED + 90,
                "age": 9.5,
                "duration": 0.5,
                "pid": 815,
                "warning": False,
            },
            "last_recovery": {"code": 1, "text": "Exit Code 1", "message": None, "age": 40.0},
            "last_fail": None,
            "checking": "idle",
            "next": 4.2,
            "next_text": "next check in 4.2 s",
            "paused": None,
            "shown": row["state"],
            "backoff": None,
            "spent": False,
            "unknown_since": None,
            "checks": 7,
            "skipped": 0,
        }

    def why(self, name: str) -> Answer:
        """Everything about a monitor."""
        return self.monitor(name) | {
            "now": STARTED + 100,
            "changed": {
                "before": "NORMAL",
                "after": "FAILING",
                "at": STARTED + 60,
                "count": 1,
                "reason": "Exit Code 7",
            },
            "outage": {
                "began": STARTED + 60,
                "failures": 2,
                "first_code": 7,
                "first_message": "refused",
                "last_code": 7,
                "last_message": None,
                "last_time": STARTED + 90,
            },
            "passes": 0,
            "success_threshold": 1,
            "remedy": "open",
            "remedy_text": "its window is open",
            "outlook": outlook(),
            "window": {"closes": 12.5, "failures": 1, "of": None, "overdue": False},
            "script": {
                "role": "recovery",
                "shown": "./recover",
                "pid": 816,
                "for": 1.5,
                "left": None,
            },
            "fail_queued": False,
            "target": {"pid": None, "pid_file": "/run/web.pid"},
            "frozen": None,
            "start_period": None,
            "options": {"interval": 30, "timeout": 10, "signal": "HUP"},
        }


def many(double: HeatDouble, names: Sequence[str]) -> None:
    """Add monitors that have had one check each."""
    for name in names:
        double.put(name, ok=1, duration=0.02, buckets=[0, 0, 1, *[0] * 10], last=STARTED + 1)
