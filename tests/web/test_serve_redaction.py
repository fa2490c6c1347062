"""Redaction: without a token, no command line and no output of a check."""

import json
from collections.abc import Iterator
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from place import Place
from served import served, with_token

from heat.web.app import Health
from heat.web.openapi import describe
from heat.web.redaction import HISTORY, MONITOR, WHY, Shape, redacted

SECRET = "hunter2"  # noqa: S105 - only for tests
CONFIG = """
[monitor.web]
command = ["sh", "-c", "echo {secret}; echo {secret} >&2; exit 7", "{secret}"]
interval = 0.05
threshold = 2
fail = "./fail-{secret}"
recovery = "./recover-{secret}"
recovery-timeout = "10m"
pid-file = "{secret}.pid"
signal = "none"

[defaults]
when-spent = "error"

[monitor.gone]
script = "./gone-{secret}"
interval = 0.05
"""
PAGES = (
    *("/metrics", "/healthz", "/api/status", "/api/status?name=web", "/api/why/web"),
    *("/api/why/gone", "/api/history", "/api/history?name=web", "/api/openapi.json"),
    *("/api/why/nobody", "/api/status?name=nobody", "/api/history?name=nobody", "/nowhere"),
)

singles = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.just(SECRET)
values = st.recursive(
    singles,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@pytest.fixture
def watched(place: Place) -> Iterator[Place]:
    """A HEAT with secrets in its configuration and in all output."""
    place.script(f"fail-{SECRET}", f"echo {SECRET}")
    place.script(f"recover-{SECRET}", f"echo {SECRET}; exit 1")
    place.script(f"gone-{SECRET}", "rm -f $0")
    heat = place.fleet(CONFIG.format(secret=SECRET), "--state", "heat.state")
    heat.await_news("error: ")  # The script that is gone.
    heat.await_file("heat.verbose.log", "RECOVERING")
    yield place
    assert heat.stop() == 0


def test_without_a_token_no_command_line_and_no_output_leaves_it(watched: Place) -> None:
    with served(watched.folder) as server:
        for path in PAGES:
            got = server.get(path)
            assert SECRET not in got.text, path
            assert SECRET not in str(got.headers), path
        assert server.get("/api/why/web").json["options"]["interval"] == 0.05
        assert [each["last"]["code"] for each in server.get("/api/status").json] != []


def test_with_the_token_serve_shows_all_of_it(watched: Place) -> None:
    with served(watched.folder, *with_token(watched.folder)) as server:
        why = server.ask("/api/why/web").json
        assert SECRET in why["check"]
        assert why["last"]["message"] == why["outage"]["first_message"] == SECRET
        assert why["options"]["command"][3] == SECRET
        history = server.ask("/api/history?name=web").json[0]["outages"][0]
        assert history["last_message"] == SECRET
        assert why["options"]["recovery"] == f"./recover-{SECRET}"
        assert SECRET in server.ask("/api/status").text
        assert server.get("/api/why/web").status == 401


def test_what_is_public_is_what_the_description_shows() -> None:
    schemas = describe(Health, has_token=False)["components"]["schemas"]
    whole = describe(Health, has_token=True)["components"]["schemas"]

    assert keys(schemas["Monitor"], schemas) == keys_of(MONITOR)
    assert keys(schemas["Why"], schemas) == keys_of(WHY)
    assert keys(schemas["History"], schemas) == keys_of(HISTORY)
    assert "check" in whole["Monitor"]["properties"]


def keys(schema: dict[str, Any], schemas: dict[str, Any], place: str = "") -> set[str]:
    """The keys of a schema at every depth."""
    if "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    inner = [schema["items"]] if "items" in schema else schema.get("anyOf", [])
    names = {key for each in inner for key in keys(each, schemas, place)}
    for key, each in schema.get("properties", {}).items():
        names |= {f"{place}.{key}"} | keys(each, schemas, f"{place}.{key}")
    return names


def keys_of(shape: Shape, place: str = "") -> set[str]:
    """The keys of a shape at every depth."""
    deeper = (keys_of(inner or {}, f"{place}.{key}") for key, inner in shape.items())
    return {f"{place}.{key}" for key in shape}.union(*deeper)


@pytest.mark.parametrize(
    "key",
    [
        *(".check", ".last.text", ".last.message", ".last_recovery.text", ".last_fail.message"),
        *(".changed.reason", ".outage.first_message", ".outage.last_message", ".script.shown"),
        *(".target.pid_file", ".options.command", ".options.script", ".options.fail"),
        *(".options.recovery", ".options.pid-file", ".outlook.failed.effects.reason"),
    ],
)
def test_command_lines_and_output_are_not_public(key: str) -> None:
    public = keys_of(WHY)

    assert key not in public
    assert key.rpartition(".")[0] in {*public, ""}


def test_a_key_that_nobody_has_looked_at_is_kept_back() -> None:
    value = {"name": "web", "output": SECRET, "last": {"code": 7, "message": SECRET}}

    assert redacted(value, MONITOR) == {"name": "web", "last": {"code": 7}}


@pytest.mark.parametrize("value", [SECRET, [SECRET], 7])
def test_a_key_that_has_become_something_else_is_kept_back(value: object) -> None:
    assert SECRET not in json.dumps(redacted({"last": value}, MONITOR))


@given(st.dictionaries(st.sampled_from(sorted({**MONITOR, **WHY})) | st.text(max_size=5), values))
def test_only_public_keys_are_left_at_every_depth(value: dict[str, Any]) -> None:
    shape = {**MONITOR, **WHY}

    assert within(redacted(value, shape), shape)


def within(value: Any, shape: Shape | None) -> bool:
    if isinstance(value, list):
        return shape is not None and all(within(each, shape) for each in cast("list[Any]", value))
    if isinstance(value, dict):
        pairs = cast("dict[str, Any]", value).items()
        return shape is not None and all(
            key in shape and within(value, shape[key]) for key, value in pairs
        )
    return True
