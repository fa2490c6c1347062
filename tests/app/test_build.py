"""The composition root makes parts that are complete."""

import ast
from pathlib import Path

from heat.app import build

TREE = ast.parse(Path(build.__file__).read_text())


def test_no_part_is_changed_after_it_was_made() -> None:
    changed = [
        ast.unparse(node)
        for node in ast.walk(TREE)
        if isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store)
    ]

    assert changed == []
