"""Names of monitors in the addresses of `heatctl serve`, and what is taken apart of these."""

from pathlib import Path
from urllib.parse import quote

from heat_double import HeatDouble, many
from hypothesis import given
from hypothesis import strategies as st
from served import PROGRAM, Served, served

from heat.config.readers import monitor_name
from heat.diagnostics import BadValueError
from heat.web.urls import parse

ECHO = "\nhistory = lambda path, name, since, now: [dict(monitor=name)]\n"
ODD = (
    *("..", ".", "...", "%", "%2F", "%2e%2e", "%zz", "a%20b", "+", "a+b", "a b", "{name}", "{}"),
    *(
        "?name=web",
        "#",
        "a#b?c",
        "a&b=c;d",
        "=",
        "größe",
        "日本",
        "\U0001f525",
        "e\u0301",
        "\ufffd",
    ),
    *('"', "'", "<a>", "\\", "a" * 100, ":80", "@host", "web.", "[::1]", "~", "*", "why", "-h"),
)


def is_name(text: str) -> bool:
    try:
        return monitor_name(text) == text
    except BadValueError:
        return False


def is_in_each_route(server: Served, name: str) -> bool:
    coded = quote(name, safe="")
    why = server.get(f"/api/why/{coded}")
    status = server.get(f"/api/status?name={coded}")
    history = server.get(f"/api/history?name={coded}")
    return (
        (why.status, status.status, history.status) == (200, 200, 200)
        and why.json["name"] == name
        and [each["name"] for each in status.json] == [name]
        and [each["monitor"] for each in history.json] == [name]
    )


def test_every_name_that_a_monitor_may_have_works_percent_encoded(tmp_path: Path) -> None:
    ascii_ = [f"a{letter}z" for letter in map(chr, range(128)) if is_name(f"a{letter}z")]
    names = [*ascii_, *ODD]
    program = ECHO + PROGRAM.format(more=", history")
    with HeatDouble(tmp_path / "heat.sock") as heat, served(tmp_path, program=program) as server:
        heat.state_file = "/srv/heat.state"
        many(heat, names)
        assert len(ascii_) == 94  # All but the slash.
        assert [name for name in names if not is_in_each_route(server, name)] == []


@given(st.text(min_size=1, max_size=30).filter(is_name))
def test_a_name_is_taken_out_of_an_address_as_it_was_put_in(name: str) -> None:
    coded = quote(name, safe="")

    assert parse(f"/api/why/{coded}") == ("/api/why/{name}", name, {})
    assert parse(f"/api/why/{coded}?x={coded}&x=&y") == (
        "/api/why/{name}",
        name,
        {"x": [name, ""], "y": [""]},
    )


@given(st.text())
def test_every_target_is_taken_apart(target: str) -> None:
    url = parse(target)

    assert url.path == target.partition("?")[0] or url.path == "/api/why/{name}"


def test_bytes_that_are_no_text_are_no_name_that_a_monitor_may_have() -> None:
    assert not is_name(parse("/api/why/%ff").name)
    assert not is_name(parse("/?name=%ff").query["name"][0])


def test_a_name_that_is_none_is_refused_in_every_route(tmp_path: Path) -> None:
    with HeatDouble(tmp_path / "heat.sock") as heat, served(tmp_path) as server:
        many(heat, ["web"])
        heat.state_file = "/srv/heat.state"
        for coded in ("a%2Fb", "%ff", "%00", "a%0A", "%20web", "%E2%80%AE", "%ED%B3%BF"):
            for route in ("/api/why/", "/api/status?name=", "/api/history?name="):
                got = server.get(route + coded)
                assert (got.status, got.json["error"][-19:]) == (400, "is not a valid name"), (
                    route + coded
                )
