"""The description of the pages of `heatctl serve` in OpenAPI 3.1."""

from collections.abc import Mapping, Sequence

from heat import __version__
from heat.control.answers import Monitor, Why
from heat.control.history import History
from heat.web.responses import Error
from heat.web.schema import Part, Schemas

_SECRETS = (
    "Only clients that send a token see command lines and the output of checks: "
    "heatctl serve --token-file FILE."
)
_TEXT: Part = {"type": "string"}


def describe(health: object, *, has_token: bool) -> Part:
    """Return the description; ``has_token`` if clients must send one, and see more.

    ``health`` is the type of the answer of /healthz.
    """
    schemas = Schemas(public=not has_token)
    paths = {path: {"get": page} for path, page in _pages(schemas, health).items()}
    responses = _refusals(schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "HEAT",
            "version": __version__,
            "summary": "Look at a running HEAT; nothing can be changed here.",
            "description": f"Times are Unix seconds, durations are seconds. {_SECRETS}",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}] if has_token else [],
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "responses": responses,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _pages(schemas: Schemas, health: object) -> dict[str, Part]:
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
                "the token it tells only that it is ok.",
                _content(schemas.of(health)),
            ),
            "security": [],
        },
        "/api/status": _page(
            "status",
            "The condition of the monitors.",
            _content(schemas.of(list[Monitor])),
            [_query("name", "Only this one; may be given more than once.", schemas.of(list[str]))],
            (404,),
        ),
        "/api/why/{name}": _page(
            "why",
            "Why a monitor is in its state, and what comes next.",
            _content(schemas.of(Why)),
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
            "The outages in the state file.",
            _content(schemas.of(list[History])),
            [
                _query("name", "Only this monitor.", _TEXT),
                _query(
                    "since",
                    "How far back: seconds, or with units, as in 12h or 7d, which is the default.",
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
    401: "The token is missing or wrong.",
    404: "There is no such monitor, or no state file.",
    421: "The Host is not a name of this server.",
    503: "HEAT does not answer, or clients ask for too much at once.",
}


def _refusals(schemas: Schemas) -> Mapping[str, Part]:
    return {
        _NAMES[status]: {"description": meaning, "content": _content(schemas.of(Error))}
        for status, meaning in _MEANINGS.items()
    }


def _content(schema: Part) -> Part:
    return {"application/json": {"schema": schema}}


def _query(name: str, meaning: str, schema: Part) -> Part:
    return {"name": name, "in": "query", "description": meaning, "schema": schema}
