"""The tables of the pages hold what the program has: options, variables, pages of HTTP."""

import json
import re

import pytest
from documents import HOME

from heat.config.options import OPTIONS
from heat.ctl.commands.serve import USAGE as USAGE_OF_SERVE
from heat.ctl.main import main


def table(name: str, heading: str) -> list[list[str]]:
    """Return the rows of a page's table that has this heading, cell by cell."""
    _, _, rest = (HOME / "docs" / name).read_text().partition(f"\n| {heading} |")
    lines = rest.partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def head(name: str, short: str, value: str) -> str:
    return ", ".join(filter(None, (short, f"{name} {value}".strip())))


def test_the_table_of_options_has_each_option_once() -> None:
    listed = [text for row in table("options.md", "option") for text in row[0].split("`")[1::2]]

    assert sorted(listed) == sorted(head(each.name, each.short, each.value) for each in OPTIONS)


def test_the_table_of_variables_has_what_each_script_gets(
    capfd: pytest.CaptureFixture[str],
) -> None:
    options = "-i 10 -t 5 --fail ./f --recovery ./r --script-timeout 5 -s ./c --results 1,0"
    main(["rehearse", *options.split(), "--json"])
    events = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    rows = table("options.md", "variable")

    for column, role in ((1, "fail"), (2, "recovery")):
        variables = next(each["env"] for each in events if each.get("event") == role)
        assert sorted(row[0].strip("`") for row in rows if row[column]) == sorted(variables)


def test_the_table_of_pages_has_what_serve_answers() -> None:
    answered = re.findall(r"^  (/\S+)  ", USAGE_OF_SERVE, re.MULTILINE)
    listed = [row[0].strip("`").partition("?")[0] for row in table("prometheus.md", "page")]

    assert [re.sub(r"/web$", "/NAME", page) for page in listed] == answered
