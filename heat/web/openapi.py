"""The pages of `heatctl serve`, described in the words of OpenAPI 3.1."""

from collections.abc import Mapping, Sequence
from typing import Any

from heat import __version__
from heat.web.redaction import HISTORY, MONITOR, WHY, Shape
from states.monitor.model import State

Part = dict[str, Any]

_SECRETS = (
    "Command lines and what checks printed are told to those alone who send a token: "
    "heatctl serve --token-file FILE."
)

_TEXT: Part = {"type": "string"}
_NUMBER: Part = {"type": "number"}
_COUNT: Part = {"type": "integer", "minimum": 0}
_FLAG: Part = {"type": "boolean"}
_STATE: Part = {"type": "string", "enum": [state.value for state in State]}


def describe(*, has_token: bool) -> Part:
    """The description; ``has_token`` if one has to be sent, and more is told."""
    found: Part = {
        "openapi": "3.1.0",
        "info": {
            "title": "HEAT",
            "version": __version__,
            "summary": "Look at a running HEAT; nothing can be changed here.",
            "description": f"Times are unix seconds, lengths of time are seconds. {_SECRETS}",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}] if has_token else [],
        "paths": {path: {"get": operation} for path, operation in _paths().items()},
        "components": {
            "schemas": _schemas(has_token=has_token),
            "responses": _refusals(),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }
    return found


def _paths() -> dict[str, Part]:
    return {
        "/metrics": _page(
            "metrics",
            "The numbers of all monitors, for Prometheus; heat_up is 0 if HEAT does not answer.",
            {"text/plain": {"schema": _TEXT}},
        ),
        "/healthz": {
            **_page(
                "healthz",
                "Whether HEAT answers, be its monitors well or not. It needs no token; without "
                "the token that was set it tells no more than ok.",
                _content(_ref("Health")),
            ),
            "security": [],
        },
        "/api/status": _page(
            "status",
            "How the monitors are.",
            _content(_list(_ref("Monitor"))),
            [_query("name", "This one; more than one may be given.", _list(_TEXT))],
            (404,),
        ),
        "/api/why/{name}": _page(
            "why",
            "Why a monitor is in its state, and what comes next.",
            _content(_ref("Why")),
            [
                {
                    "name": "name",
                    "in": "path",
                    "required": True,
                    "description": "Percent-encoded where it is more than letters and digits.",
                    "schema": _TEXT,
                }
            ],
            (404,),
        ),
        "/api/history": _page(
            "history",
            "The outages that the state file tells of.",
            _content(_list(_ref("History"))),
            [
                _query("name", "Of this monitor alone.", _TEXT),
                _query(
                    "since",
                    "So far back: seconds, or with units, as in 12h or 7d, which is the default.",
                    _TEXT,
                ),
            ],
            (404,),
        ),
        "/api/openapi.json": _page("openapi", "This description.", _content({"type": "object"})),
    }


def _page(
    name: str,
    summary: str,
    content: Part,
    parameters: Sequence[Part] = (),
    refusals: Sequence[int] = (),
) -> Part:
    answers: Part = {"200": {"description": "The answer.", "content": content}}
    for status in sorted({*refusals, 400, 401, 421, 503}):
        answers[str(status)] = {"$ref": f"#/components/responses/{_NAMES[status]}"}
    page: Part = {"operationId": name, "summary": summary, "responses": answers}
    return {**page, "parameters": list(parameters)} if parameters else page


_NAMES = {
    400: "Misunderstood",
    401: "Unknown",
    404: "Missing",
    421: "Stranger",
    503: "Absent",
}

_MEANINGS = {
    400: "The request cannot be understood.",
    401: "The token is missing, or another one.",
    404: "There is no such monitor, or no state file.",
    421: "The Host is not a name of this server.",
    503: "HEAT does not answer, or too much is asked at once.",
}


def _refusals() -> Mapping[str, Part]:
    return {
        _NAMES[status]: {"description": meaning, "content": _content(_ref("Error"))}
        for status, meaning in _MEANINGS.items()
    }


def _content(schema: Part) -> Part:
    return {"application/json": {"schema": schema}}


def _ref(name: str) -> Part:
    return {"$ref": f"#/components/schemas/{name}"}


def _list(items: Part) -> Part:
    return {"type": "array", "items": items}


def _query(name: str, meaning: str, schema: Part) -> Part:
    return {"name": name, "in": "query", "description": meaning, "schema": schema}


def _maybe(schema: Part) -> Part:
    if "type" in schema and "enum" not in schema:
        return {**schema, "type": [schema["type"], "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def _object(required: Sequence[str] = (), /, **properties: Part) -> Part:
    """Keys that are not told here may come in a later version."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(required or properties),
    }


def _choice(*words: str) -> Part:
    return {"type": "string", "enum": list(words)}


def _schemas(*, has_token: bool) -> Mapping[str, Part]:
    monitor, why, history = _monitor(), _why(), _history()
    if not has_token:
        monitor, why = _redacted(monitor, MONITOR), _redacted(why, WHY)
        history = _redacted(history, HISTORY)
    return {
        "Error": _object(("error",), error=_TEXT, hint=_TEXT),
        "Health": _object(
            ("ok",), ok=_FLAG, version=_TEXT, pid=_COUNT, monitors=_COUNT, worst=_maybe(_STATE)
        ),
        "Monitor": monitor,
        "Why": {"allOf": [_ref("Monitor"), why]},
        "History": history,
    }


def _redacted(schema: Part, shape: Shape) -> Part:
    """The rest of an object, or of those in a list, as `heat.web.redaction` leaves it."""
    if "items" in schema:
        return {**schema, "items": _redacted(schema["items"], shape)}
    if "properties" not in schema:
        return schema
    properties = {
        key: each if (inner := shape[key]) is None else _redacted(each, inner)
        for key, each in schema["properties"].items()
        if key in shape
    }
    required = [key for key in schema["required"] if key in shape]
    return {**schema, "properties": properties, "required": required}


def _monitor() -> Part:
    return _object(
        name=_TEXT,
        check=_TEXT,
        state=_STATE,
        since=_maybe(_NUMBER),
        count=_COUNT,
        threshold=_maybe(_COUNT),
        attempts=_COUNT,
        max_recoveries=_maybe(_COUNT),
        last=_maybe(
            _object(
                result=_choice("ok", "failed", "unknown"),
                code=_maybe({"type": "integer"}),
                text=_TEXT,
                message=_maybe(_TEXT),
                time=_NUMBER,
                age=_NUMBER,
                duration=_maybe(_NUMBER),
                pid=_maybe(_COUNT),
                warning=_FLAG,
            )
        ),
        last_recovery=_maybe(_ran()),
        last_fail=_maybe(_ran()),
        checking=_choice("idle", "running", "waiting", "dying"),
        next=_maybe(_NUMBER),
        next_text=_TEXT,
        paused=_maybe(_object(since=_NUMBER, until=_maybe(_NUMBER), reason=_TEXT)),
        shown=_choice(*(state.value for state in State), "BACKOFF", "SPENT", "PAUSED"),
        backoff=_maybe(_NUMBER),
        spent=_FLAG,
        unknown_since=_maybe(_NUMBER),
        checks=_COUNT,
        skipped=_COUNT,
    )


def _step() -> Part:
    """An event that would come, its effects, and the monitor after it."""
    return _object(
        event=_TEXT,
        state=_STATE,
        count=_COUNT,
        passes=_COUNT,
        attempts=_COUNT,
        window=_maybe(_object(failures=_COUNT, of=_maybe(_COUNT), overdue=_FLAG)),
        backoff=_maybe(_NUMBER),
        spent=_FLAG,
        effects=_list(
            _object(
                ("do",),
                do=_TEXT,
                signal=_TEXT,
                option=_TEXT,
                attempt=_COUNT,
                failure=_COUNT,
                seconds=_maybe(_NUMBER),
                helped=_FLAG,
                reason=_TEXT,
            )
        ),
    )


def _outlook() -> Part:
    steps = _maybe(_list(_step()))
    turn = _maybe(_object(number=_COUNT, steps=_list(_step())))
    return _object(
        ended=_FLAG,
        pace=_choice("interval", "retry-interval", "recovery-interval"),
        tick=_maybe(_NUMBER),
        due=_maybe(_NUMBER),
        coming=steps,
        passed=steps,
        failed=steps,
        late=steps,
        still=steps,
        time=_maybe(
            _object(
                event=_choice("window-closed", "backoff-ended"),
                seconds=_maybe(_NUMBER),
                failed=steps,
                passed=steps,
                running=steps,
                then=steps,
                **{"in": _maybe(_NUMBER)},
            )
        ),
        passes=turn,
        failures=turn,
        resumed=steps,
        commands=_object(check=_FLAG, pause=_FLAG, resume=_FLAG, reset=_FLAG),
    )


def _ran() -> Part:
    """A script that has ended."""
    return _object(code=_maybe({"type": "integer"}), text=_TEXT, message=_maybe(_TEXT), age=_NUMBER)


def _why() -> Part:
    return _object(
        now=_NUMBER,
        changed=_maybe(
            _object(before=_STATE, after=_STATE, at=_NUMBER, count=_COUNT, reason=_TEXT)
        ),
        outage=_maybe(
            _object(
                began=_NUMBER,
                failures=_COUNT,
                first_code=_maybe({"type": "integer"}),
                first_message=_maybe(_TEXT),
                last_code=_maybe({"type": "integer"}),
                last_message=_maybe(_TEXT),
                last_time=_maybe(_NUMBER),
            )
        ),
        passes=_COUNT,
        success_threshold=_COUNT,
        remedy=_choice("none", "waiting", "running", "owed", "open", "backoff", "spent"),
        remedy_text=_TEXT,
        outlook=_outlook(),
        window=_maybe(
            _object(
                closes=_maybe(_NUMBER), failures=_COUNT, of=_maybe(_COUNT), overdue=_maybe(_FLAG)
            )
        ),
        script=_maybe(
            _object(
                role=_choice("fail", "recovery"),
                shown=_TEXT,
                pid=_maybe(_COUNT),
                left=_maybe(_NUMBER),
                **{"for": _NUMBER},
            )
        ),
        fail_queued=_FLAG,
        target=_maybe(_object(pid=_maybe(_COUNT), pid_file=_maybe(_TEXT))),
        frozen=_maybe(_COUNT),
        start_period=_maybe(_NUMBER),
        options={"type": "object"},
    )


def _history() -> Part:
    recovery = _object(
        attempt=_COUNT,
        began=_NUMBER,
        ended=_maybe(_NUMBER),
        duration=_maybe(_NUMBER),
        code=_maybe({"type": "integer"}),
        how=_maybe(_TEXT),
        helped=_maybe(_FLAG),
        useless=_FLAG,
        well_after=_maybe(_NUMBER),
        message=_maybe(_TEXT),
    )
    outage = _object(
        began=_NUMBER,
        ended=_maybe(_NUMBER),
        length=_NUMBER,
        failures=_COUNT,
        ending=_maybe(_TEXT),
        helped=_maybe(_COUNT),
        first_code=_maybe({"type": "integer"}),
        first_message=_maybe(_TEXT),
        last_code=_maybe({"type": "integer"}),
        last_message=_maybe(_TEXT),
        recoveries=_list(recovery),
    )
    return _object(
        monitor=_TEXT,
        to=_NUMBER,
        watched=_NUMBER,
        down=_NUMBER,
        well=_maybe(_NUMBER),
        mean_time_to_repair=_maybe(_NUMBER),
        flaps=_COUNT,
        outages=_list(outage),
        **{"from": _NUMBER},
    )
