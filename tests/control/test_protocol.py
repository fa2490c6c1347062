"""The protocol of the control socket: its lines, and its keys as docs/protocol.md has them."""

import re
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heat.control import answers, protocol
from heat.control.protocol import BRIEF, NUMBERS, Kind, RefusedError
from heat.errors import CommandError

DOCUMENT = (Path(__file__).parents[2] / "docs/protocol.md").read_text()


def test_a_request_is_one_line_with_a_version() -> None:
    assert protocol.request("why", name="a\nb") == b'{"heat": 1, "do": "why", "name": "a\\nb"}\n'


def test_a_client_does_not_send_a_request_that_is_too_long() -> None:
    with pytest.raises(CommandError, match="longer than HEAT takes"):
        protocol.request("status", names=["x" * 99] * 1000)


@given(st.binary(max_size=100))
def test_any_line_is_an_answer_or_an_error_in_words(line: bytes) -> None:
    try:
        words = [str(protocol.decode(line)["heat"])]
    except CommandError as error:
        words = str(error).split("\n")

    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u202e]", "".join(words))


@given(st.binary(max_size=100))
def test_any_line_is_a_request_or_refused_as_a_bad_one(line: bytes) -> None:
    try:
        what = protocol.parse(line)["do"]
    except RefusedError as error:
        what = error.kind

    assert isinstance(what, str)


def test_both_ends_read_what_the_other_writes() -> None:
    sent = {"ok": True, "until": None, "was": "größe"}

    assert protocol.decode(protocol.encode(sent)) == {"heat": 1, **sent}
    assert protocol.parse(protocol.request("why", name="web")) == {
        "heat": 1,
        "do": "why",
        "name": "web",
    }


def test_a_client_ignores_keys_that_it_does_not_know() -> None:
    answer = protocol.decode(b'{"heat": 1, "ok": true, "weather": "rain"}')

    assert protocol.is_last(answer)


def test_a_refusal_has_heats_own_words() -> None:
    refusal = protocol.refusal("no \x1b[31m", "that") | {"mistakes": ["a\n  b"]}
    with pytest.raises(RefusedError) as caught:
        protocol.decode(protocol.encode(refusal))

    assert str(caught.value) == "Error: no \\x1b[31m\n  that\na\n  b"


# The document


def section(heading: str) -> str:
    return DOCUMENT.split(f"### {heading}\n")[1].split("\n### ")[0]


def keys_of(heading: str) -> set[str]:
    """The keys in the first column of a table."""
    rows = [line for line in section(heading).splitlines() if line.startswith("| `")]
    words = {word for row in rows for word in row.split("|")[1].replace("`", "").split(", ")}
    return {word.strip() for word in words}


def has(text: str, keys: Any) -> bool:
    """All keys are in a text, in backquotes or as those of an object."""
    return all(f"`{key}`" in text or f'"{key}"' in text for key in keys)


def keys(kind: Any) -> set[str]:
    return set(kind.__annotations__)


def test_the_document_has_the_keys_of_the_answers() -> None:
    assert keys(answers.Monitor) == keys_of("monitor")
    assert keys(answers.Why) == keys_of("monitor") | keys_of("why")
    assert keys(answers.Outlook) == keys_of("outlook")
    assert has(section("about"), keys(answers.About))


@pytest.mark.parametrize(
    ("heading", "kind"),
    [
        *(("monitor", answers.Last), ("monitor", answers.Ran), ("monitor", answers.Paused)),
        *(("why", answers.Changed), ("why", answers.Outage), ("why", answers.Window)),
        *(("why", answers.Script), ("why", answers.Target)),
        *(("outlook", answers.Step), ("outlook", answers.TimeUp), ("outlook", answers.Turn)),
        *(("outlook", answers.Commands), ("outlook", get_args(answers.Effect)[1])),
    ],
    ids=str,
)
def test_the_document_has_the_keys_of_the_objects_in_answers(heading: str, kind: Any) -> None:
    assert has(section(heading), keys(kind))


def test_the_document_has_the_columns_and_the_kinds_of_refusals() -> None:
    assert tuple(answers.Standing.__annotations__) == BRIEF
    assert has(section("monitor"), BRIEF)
    assert has(section("rows"), NUMBERS)
    assert all(f"| `{kind.value}` |" in DOCUMENT for kind in Kind)
