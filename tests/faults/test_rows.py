"""Each row of the matrix of faults has a file here, or a reason why it has none yet."""

import ast
import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROWS = range(1, 39)
STATE_AS_A_LOG = "the state is not a log yet, and there is no token in it"
TURNS = "turns are not fair yet"
NOT_YET = {
    30: STATE_AS_A_LOG,
    32: "what is due after a restart does not depend on the last check yet",
    33: "history is measured by the wall clock, and pruned by it",
    34: STATE_AS_A_LOG,
    35: STATE_AS_A_LOG,
    36: TURNS,
}
"""Rows that HEAT does not hold yet, and why."""


def files(row: int) -> list[Path]:
    return sorted(HERE.glob(f"test_{row:02}_*.py"))


@pytest.mark.parametrize("row", ROWS)
def test_a_row_has_a_file_unless_heat_does_not_hold_it_yet(row: int) -> None:
    assert bool(files(row)) == (row not in NOT_YET)


def test_every_file_is_of_a_row() -> None:
    of_rows = {path for row in ROWS for path in files(row)}

    assert of_rows | {Path(__file__)} == set(HERE.glob("*.py"))
    assert NOT_YET.keys() <= set(ROWS)


@pytest.mark.parametrize("path", [path for row in ROWS for path in files(row)], ids=str)
def test_a_file_names_its_row_and_tests_it(path: Path) -> None:
    module = ast.parse(path.read_text())
    names = [node.name for node in module.body if isinstance(node, ast.FunctionDef)]

    assert re.match(rf"Row {int(path.name[5:7])}: ", ast.get_docstring(module) or "")
    assert any(name.startswith("test_") for name in names)
