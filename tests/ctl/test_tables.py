"""Tables of heatctl: drawn on a terminal, aligned elsewhere."""

import pytest
from rich.cells import cell_len
from talker import NOW, Facts, facts, last

from heat.ctl import output, tables
from heat.ctl.commands import status

pytestmark = pytest.mark.usefixtures("utc")


def test_on_a_terminal_states_have_the_colours_of_the_diagram() -> None:
    cell = status.row(facts(state="ERROR"), NOW)  # type: ignore[arg-type]
    lines = output.aligned(status.HEAD, [cell], colour=True)

    assert lines[1].startswith("web   \x1b[31mERROR\x1b[0m  09:47:37  ")


def test_a_drawn_table_has_one_line_per_row_and_cuts_the_last_column_first() -> None:
    rows = [status.row(facts(last=last("failed", "x" * 200, 1)), NOW)] * 3  # type: ignore[arg-type]
    there = tables.console()
    for width in (40, 200, 80):
        with there.capture() as captured:
            there.width = width
            there.print(tables.table(status.HEAD, rows, width))

        lines = captured.get().splitlines()
        assert len(lines) == 4
        assert all(len(line) <= width for line in lines)
    assert lines[1].startswith("web ")


def test_a_narrow_table_leaves_out_columns_and_shows_the_whole_state() -> None:
    rows = [status.row(facts("a-rather-long-name", state="RECOVERING"), NOW)]  # type: ignore[arg-type]
    there = tables.console()
    with there.capture() as captured:
        there.width = 40
        there.print(tables.table(status.HEAD, rows, 40))

    head, line = captured.get().splitlines()
    assert head.split() == ["NAME", "STATE", "LAST", "RESULT"]
    assert line.split() == ["a-rather-long…", "RECOVERING", "OK"]


def drawn(width: int, *monitors: Facts) -> list[str]:
    """Return the table of these monitors on a terminal of this width."""
    rows = [status.row(each, NOW) for each in monitors]  # type: ignore[arg-type]
    there = tables.console()
    with there.capture() as captured:
        there.width = width
        there.print(tables.table(status.HEAD, rows, width))
    return [line.rstrip() for line in captured.get().splitlines()]


REFUSED = "curl: (7) Failed to connect to localhost port 8000 after 0 ms"


@pytest.mark.parametrize(
    ("width", "lines"),
    [
        (
            140,
            [
                "NAME  STATE    SINCE     FAILURES  AGE   NEXT  LAST RESULT          LAST LINE",
                f"web   FAILING  09:47:37  0/-       2.1s  4.2s  Failed: Exit Code 7  {REFUSED}",
            ],
        ),
        (
            80,
            [
                "NAME  STATE    FAILURES  AGE   NEXT  LAST RESULT          LAST LINE",
                "web   FAILING  0/-       2.1s  4.2s  Failed: Exit Code 7  curl: (7) Failed to c…",
            ],
        ),
        (40, ["NAME  STATE    LAST RESULT", "web   FAILING  Failed: Exit Code 7"]),
    ],
)
def test_the_last_line_is_cut_to_the_terminal_and_left_out_of_a_narrow_one(
    width: int, lines: list[str]
) -> None:
    failed = last("failed", code=7, message=REFUSED)

    assert drawn(width, facts(state="FAILING", last=failed)) == lines


def test_where_no_check_has_printed_a_line_there_is_no_column_for_it() -> None:
    head, *_ = drawn(200, facts(), facts("queue"))

    assert head.endswith("LAST RESULT")


@pytest.mark.parametrize("colour", [False, True])
def test_columns_are_aligned_by_the_cells_of_a_terminal(*, colour: bool) -> None:
    names = ["web", "東京サーバー", "e\u0301te\u0301", "größer", "한국", "각", "a\u200bb", "💾"]
    rows = [[(name, ""), ("NORMAL", "32"), (name, "")] for name in names]

    head, *lines = output.aligned(["NAME", "STATE", "LAST"], rows, colour=colour)

    for line in lines:
        before, state, _ = line.partition("\x1b[32mNORMAL" if colour else "NORMAL")
        assert state
        assert cell_len(before) == head.index("STATE")
