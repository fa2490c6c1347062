"""A sample of small mistakes in heat/, made by the operators of cosmic-ray and drawn by a seed.

One mistake a place: the operators have eleven for each comparison, which would crowd out the rest.
"""

import ast
import random
from collections import defaultdict
from collections.abc import Iterator
from importlib import import_module
from typing import Any, NamedTuple

from .copy import HOME

_PREFIX = "core/"
_ALIKE = ("ReplaceComparisonOperator_Is_Eq", "ReplaceComparisonOperator_IsNot_NotEq")
"""Operators whose mutants hardly ever differ in anything."""


class Mistake(NamedTuple):
    """One changed text of a module of heat/; ``lines`` are those of the changed statement."""

    what: str
    module: str
    text: str
    lines: range


class _Place(NamedTuple):
    module: str
    operator: str
    occurrence: int
    line: int


def draw(size: int, seed: int) -> list[Mistake]:
    """Draw this many mistakes."""
    by_place: dict[tuple[str, int, str], list[_Place]] = defaultdict(list)
    for path in sorted((HOME / "heat").rglob("*.py")):
        for place in _places(str(path.relative_to(HOME)), path.read_text()):
            by_place[place.module, place.line, place.operator.split("_")[0]].append(place)
    choice = random.Random(seed)  # noqa: S311 - a sample, no secret
    chosen = choice.sample(sorted(by_place), min(size, len(by_place)))
    return [_make(choice.choice(by_place[each])) for each in chosen]


def _places(module: str, source: str) -> Iterator[_Place]:
    """Yield where each operator can change something that runs."""
    plugins: Any = import_module("cosmic_ray.plugins")
    trees: Any = import_module("cosmic_ray.ast")
    nodes = list(trees.ast_nodes(trees.get_ast(source)))
    inert = _inert(source)
    for name in sorted(plugins.operator_names()):
        operator = plugins.get_operator(name)
        if name.removeprefix(_PREFIX) in _ALIKE or _takes_arguments(operator):
            continue
        occurrence = 0
        for node in nodes:
            for (line, column), _ in operator().mutation_positions(node):
                if not any(start <= (line, column) <= end for start, end in inert):
                    yield _Place(module, name, occurrence, line)
                occurrence += 1


def _takes_arguments(operator: Any) -> bool:
    return bool(getattr(operator, "arguments", None) and operator.arguments())


def _inert(source: str) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Return the spans of annotations and of unions of types: only a type checker reads those."""
    spans: list[ast.expr] = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.AnnAssign(annotation=found) | ast.arg(annotation=ast.expr() as found):
                spans.append(found)
            case ast.FunctionDef(returns=ast.expr() as found):
                spans.append(found)
            case ast.AsyncFunctionDef(returns=ast.expr() as found):
                spans.append(found)
            case ast.Assign(value=ast.BinOp(op=ast.BitOr()) as found) if node.col_offset == 0:
                spans.append(found)
            case ast.If(test=ast.Name(id="TYPE_CHECKING") as found):
                spans.append(found)
            case _:
                pass
    return [
        ((each.lineno, each.col_offset), (each.end_lineno or 0, each.end_col_offset or 0))
        for each in spans
    ]


def _make(place: _Place) -> Mistake:
    mutating: Any = import_module("cosmic_ray.mutating")
    plugins: Any = import_module("cosmic_ray.plugins")
    source = (HOME / place.module).read_text()
    operator = plugins.get_operator(place.operator)
    text: str = mutating.mutate_code(source, operator(), place.occurrence)
    what = f"{place.module} {place.operator.removeprefix(_PREFIX)}: {difference(source, text)}"
    return Mistake(what, place.module, text, statement(source, place.line))


def difference(before: str, after: str) -> str:
    """Return the first line that differs, before and after."""
    lines = zip(before.splitlines(), after.splitlines(), strict=False)
    for number, (one, other) in enumerate(lines, 1):
        if one != other:
            return f"{number}: {one.strip()} -> {other.strip()}"
    return "at its end"


def statement(source: str, line: int) -> range:
    """Return the lines of the statement that has this line, or of its head.

    Of a statement outside functions, those of the whole file: it runs when the module is loaded,
    in no test in particular, and every test of the module may find it.
    """
    lines, inside = range(line, line + 1), False
    size = len(source)
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.stmt):
            continue
        body = getattr(node, "body", None)
        end = node.end_lineno or line
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            inside |= body[0].lineno <= line <= end if body else False
        head = range(node.lineno, max(body[0].lineno if body else end + 1, node.lineno + 1))
        if line in head and len(head) < size:
            lines, size = head, len(head)
    return lines if inside else range(1, source.count("\n") + 2)
