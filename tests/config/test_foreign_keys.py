"""Keys of other tools: each hint is true, and leads to no other mistake."""

import re

import pytest

from heat.config.foreign_keys import hint_of_table, hints
from heat.config.schema import KEYS
from heat.config.toml_file import parse

HINTS = dict(hints())
WEB = '[monitor.web]\ncommand = ["true"]\ninterval = 30\n'
BROUGHT_ALONG = [
    "env", "environment", "user", "group", "cwd", "working-dir", "enabled", "disabled", "include",
    "depends-on", "retry-delay", "backoff", "retries", "description", "url", "port", "http", "tcp",
    "alert", "notify", "Environment", "WorkingDirectory", "depends_on", "max_attempts", "CMD",
]  # fmt: skip


def diagnostics(text: str) -> list[tuple[str, str]]:
    _, mistakes = parse(text.encode(), "heat.toml")
    return [(each.message, each.hint) for each in mistakes]


@pytest.mark.parametrize("key", BROUGHT_ALONG)
@pytest.mark.parametrize("table", ["monitor.web", "defaults", "heat"])
def test_a_key_of_another_tool_is_told_what_there_is_in_its_place(table: str, key: str) -> None:
    text = f"{WEB}{key} = 1\n" if table == "monitor.web" else f"{WEB}[{table}]\n{key} = 1\n"
    ((line, hint),) = diagnostics(text)

    of_what = "[heat]" if table == "heat" else "a monitor"
    assert line == f"heat.toml: {table}.{key}: is not a key of {of_what}"
    assert hint == HINTS[key.lower().replace("_", "-")]


@pytest.mark.parametrize("key", HINTS)
def test_no_key_of_heat_has_a_hint(key: str) -> None:
    assert key not in KEYS


@pytest.mark.parametrize("hint", sorted(set(HINTS.values())))
def test_what_a_hint_says_to_write_can_be_written(hint: str) -> None:
    written = re.findall(r'[a-z-]+ = (?:\[[^]]*\]|"[^"]*"|[0-9]+)', hint)
    for line in written:
        key, _, _ = line.partition(" = ")
        head = "[heat]\n" if key in {"max-running", "history"} else "[monitor.web]\n"
        base = {"command": 'command = ["true"]', "interval": "interval = 30"}
        if key == "script":
            del base["command"]
        if key == "retry-interval":
            base["threshold"] = "threshold = 2"
        base.pop(key, None)
        own = "\n".join(base.values())
        recovery = "" if key == "recovery" else 'recovery = "./r"\n'
        if head == "[heat]\n":
            text = f"[heat]\n{line}\n{WEB}"
        else:
            text = f"[monitor.web]\n{own}\n{recovery}{line}\n"

        assert not diagnostics(text), text
    assert written or len(hint) > 20


def test_no_key_stands_in_two_groups() -> None:
    keys = [key for key, _ in hints()]

    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("key", ["include", "alerts", "service", "global", "templates"])
def test_a_table_of_another_tool_is_told_what_there_is_in_its_place(key: str) -> None:
    ((line, hint),) = diagnostics(f"{WEB}[{key}]\nx = 1\n")

    assert line == f"heat.toml: {key}: is not a table of HEAT"
    assert hint == hint_of_table(key)


def test_a_slip_of_the_finger_is_still_told_the_nearest_key() -> None:
    for key in (
        "treshold",
        "intervall",
        "timout",
        "recovery_timeout",
        "sucess-threshold",
        "pidfile",
    ):
        ((_, hint),) = diagnostics(f"{WEB}{key} = 1\n")
        assert hint.startswith("did you mean ")
