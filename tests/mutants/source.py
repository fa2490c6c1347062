"""Mutants of the source of states/, as the operators of cosmic-ray make them.

It is asked for the mutated text alone: no file is changed.
"""

import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from itertools import count
from pathlib import Path
from types import ModuleType

from .judge import Mutant

_MODULES = ("model", "effects", "rules", "machine")
_HOME = Path(__file__).parent.parent.parent
_ALIKE = (
    # Unions of types: nothing but a type checker looks at them.
    "core/ReplaceBinaryOperator_BitOr_",
    # States, slots and None are equal to themselves alone.
    "core/ReplaceComparisonOperator_Is_Eq",
    "core/ReplaceComparisonOperator_IsNot_NotEq",
)
"""Operators whose mutants differ in nothing."""


def mutants() -> Iterator[Mutant]:
    """All of them, module by module."""
    mutate = import_module("cosmic_ray.mutating").mutate_code
    plugins = import_module("cosmic_ray.plugins")
    names: list[str] = sorted(plugins.operator_names())
    for module in _MODULES:
        source = (_HOME / "states" / f"{module}.py").read_text()
        for name in names:
            if name.startswith(_ALIKE):
                continue
            operator = plugins.get_operator(name)
            if getattr(operator, "arguments", None) and operator.arguments():
                continue
            for occurrence in count():
                changed: str | None = mutate(source, operator(), occurrence)
                if changed is None:
                    break
                where = _difference(source, changed)
                what = f"{module}.py {name.removeprefix('core/')}: {where}"
                yield Mutant(what, _with_source(module, changed))


def unchanged() -> Iterator[Mutant]:
    """What no test may find: modules made of the text that they have."""
    for module in _MODULES:
        source = (_HOME / "states" / f"{module}.py").read_text()
        yield Mutant(module, _with_source(module, source))


def _difference(before: str, after: str) -> str:
    lines = zip(before.splitlines(), after.splitlines(), strict=False)
    for number, (one, other) in enumerate(lines, 1):
        if one != other:
            return f"{number}: {one.strip()} -> {other.strip()}"
    return "at its end"


def _with_source(module: str, source: str) -> Callable[[], None]:
    """Have ``states.module`` made of this text, before anything else loads it."""

    def make() -> None:
        package = import_module("states")
        for name in [name for name in sys.modules if name.startswith("states.")]:
            del sys.modules[name]
            delattr(package, name.removeprefix("states."))
        full = f"states.{module}"
        made = ModuleType(full)
        made.__file__ = str(_HOME / "states" / f"{module}.py")
        made.__package__ = "states"
        sys.modules[full] = made
        exec(compile(source, made.__file__, "exec"), made.__dict__)  # noqa: S102 - our own text
        setattr(package, module, made)

    return make
