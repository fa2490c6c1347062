"""The description in OpenAPI, and responses that follow it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from heat_double import HeatDouble, many
from place import Place
from served import Response, Served, served, with_token

from heat.control.async_client import AsyncClient
from heat.web.access import Access
from heat.web.app import App, Health, Setup
from heat.web.openapi import describe
from heat.web.server import read_history

PAGES = {
    "/healthz": "/healthz",
    "/api/status": "/api/status",
    "/api/why/{name}": "/api/why/web",
    "/api/openapi.json": "/api/openapi.json",
}


@pytest.fixture
def heat(tmp_path: Path) -> Iterator[HeatDouble]:
    with HeatDouble(tmp_path / "heat.sock") as double:
        many(double, ["web", "db"])
        yield double


def follows(response: Response, page: str, *, has_token: bool = False) -> None:
    """Assert that a response is as the description says."""
    from openapi_schema_validator import OAS31Validator  # noqa: PLC0415 - takes long to load

    description = describe(Health, has_token=has_token)
    content = description["paths"][page]["get"]["responses"]["200"]["content"]
    schema = {**content["application/json"]["schema"], "components": description["components"]}
    assert response.status == 200
    OAS31Validator(schema).validate(response.json)


def has_only_known_keys(server: Served, path: str) -> bool:
    """Tell if a redacted response has the keys of the description, and no others."""
    schemas = describe(Health, has_token=False)["components"]["schemas"]
    (monitor, *_) = server.get(path).json
    return monitor.keys() <= schemas["Monitor"]["properties"].keys()


@pytest.mark.parametrize("has_token", [False, True])
def test_the_description_is_openapi_and_responses_follow_it(
    heat: HeatDouble, tmp_path: Path, *, has_token: bool
) -> None:
    from openapi_spec_validator import validate  # noqa: PLC0415 - likewise

    assert heat.path.exists()
    with served(tmp_path, *(with_token(tmp_path) if has_token else [])) as server:
        description = server.ask("/api/openapi.json").json
        for page, path in PAGES.items():
            follows(server.ask(path), page, has_token=has_token)
        assert has_token or has_only_known_keys(server, "/api/status")

    validate(description)
    assert description == json.loads(json.dumps(describe(Health, has_token=has_token)))


def test_the_description_has_every_page() -> None:
    routes = App(Setup(Access(), AsyncClient("nowhere"), read_history)).routes()

    assert set(describe(Health, has_token=False)["paths"]) == set(routes)


def test_the_responses_about_a_real_heat_follow_the_description(place: Place) -> None:
    heat = place.fleet(
        f'[monitor.web]\nscript = "{place.check(7)}"\ninterval = 0.05\n',
        *("--control", "heat.sock", "--state", "heat.state"),
    )
    heat.await_line("Failed")
    with served(place.folder) as server:
        metrics = server.get("/metrics").text
        assert 'heat_monitor_state{monitor="web",state="FAILING"} 1.0' in metrics
        assert 'heat_monitor_outages_total{monitor="web"} 1.0' in metrics
        assert server.get("/healthz").json["pid"] == heat.pid
        for page, path in PAGES.items():
            follows(server.get(path), page)
        follows(server.get("/api/history"), "/api/history")
        (history,) = server.get("/api/history?since=1d").json
        assert (history["monitor"], len(history["outages"])) == ("web", 1)
        status, error = server.get("/api/history?name=wbe").refusal
        assert (status, error.partition(" is on record")[0]) == (404, "no monitor named wbe")
    assert heat.stop() == 0
