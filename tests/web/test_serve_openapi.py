"""The description in OpenAPI, and responses that follow it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from heat_double import HeatDouble, many
from place import Place
from served import Response, served, with_token
from virtual import VirtualWorld, why_of

from heat.control.async_client import AsyncClient
from heat.rehearsal.programs import Ends
from heat.web.access import Access
from heat.web.app import App, Health, Setup
from heat.web.openapi import describe
from heat.web.redaction import WHY, redacted
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
    """Assert that a response is as the description says, and has no other keys."""
    from openapi_schema_validator import OAS31Validator  # noqa: PLC0415 - takes long to load

    description = describe(Health, has_token=has_token)
    content = description["paths"][page]["get"]["responses"]["200"]["content"]
    for component in description["components"]["schemas"].values():
        component["additionalProperties"] = False
    schema = {**content["application/json"]["schema"], "components": description["components"]}
    assert response.status == 200
    OAS31Validator(schema).validate(response.json)


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


FULL = (
    *("--threshold=2", "--recovery=./r", "--recovery-timeout=25", "--recovery-interval=2"),
    *("--recovery-backoff=5", "--max-recoveries=2", "--when-spent=watch", "--start-period=3"),
    *("--pid=42", "--signal=HUP", "--fault-signal=STOP", "--success-signal=CONT", "--fail=./f"),
    *("--unknown-codes=3,4", "--warn-codes=5", "--retry-interval=1", "--script-timeout=9"),
    *("--timeout=4", "--success-threshold=2"),
)


@pytest.mark.parametrize("words", [(), ("--threshold=1", "--recovery=./r"), FULL], ids=len)
@pytest.mark.parametrize("code", [0, 3, 5, 7])
def test_every_view_of_a_monitor_follows_the_description(words: tuple[str, ...], code: int) -> None:
    world = VirtualWorld(*words, checks=[Ends(code=code, after=1)], recoveries=[Ends(after=2)])
    for at in range(1, 80, 6):
        world.run_until(at)
        why = json.loads(json.dumps(why_of(world)))
        body = json.dumps(why).encode()
        follows(Response(200, {}, body), "/api/why/{name}", has_token=True)
        body = json.dumps(redacted(why, WHY)).encode()
        follows(Response(200, {}, body), "/api/why/{name}")
