"""Mutants of the source of the engine and of the monitor on it, as the operators of cosmic-ray
make them.

It returns the mutated text: no file changes.
"""

import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from itertools import count
from pathlib import Path
from types import ModuleType

from .judge import Mutant

_MODULES = (
    "engine.table",
    "engine.machine",
    "engine.coupling",
    "engine.named_tuple",
    "monitor.limits",
    "monitor.model",
    "monitor.events",
    "monitor.effects",
    "monitor.guards",
    "monitor.actions",
    "monitor.snapshot",
    "monitor.questions",
)
_HOME = Path(__file__).parent.parent.parent
_ALIKE = (
    # Unions of types: nothing but a type checker looks at them.
    "core/ReplaceBinaryOperator_BitOr_",
    # States, slots and None are equal only to themselves.
    "core/ReplaceComparisonOperator_Is_Eq",
    "core/ReplaceComparisonOperator_IsNot_NotEq",
)
"""Operators whose mutants differ in nothing."""


def mutants() -> Iterator[Mutant]:
    """Yield all mutants, module by module."""
    mutate = import_module("cosmic_ray.mutating").mutate_code
    plugins = import_module("cosmic_ray.plugins")
    names: list[str] = sorted(plugins.operator_names())
    for module in _MODULES:
        source = _file(module).read_text()
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
                what = f"{module} {name.removeprefix('core/')}: {where}"
                yield Mutant(what, _with_source(module, changed))


def unchanged() -> Iterator[Mutant]:
    """Yield the modules unchanged: no test may find anything."""
    for module in _MODULES:
        source = _file(module).read_text()
        yield Mutant(module, _with_source(module, source))


def _difference(before: str, after: str) -> str:
    lines = zip(before.splitlines(), after.splitlines(), strict=False)
    for number, (one, other) in enumerate(lines, 1):
        if one != other:
            return f"{number}: {one.strip()} -> {other.strip()}"
    return "at its end"


def _file(module: str) -> Path:
    return _HOME / "states" / f"{module.replace('.', '/')}.py"


class _Changed(Loader, MetaPathFinder):
    """Has one module made of another text than that of its file."""

    def __init__(self, name: str, file: Path, source: str) -> None:
        self._name = name
        self._file = file
        self._source = source

    def find_spec(self, fullname: str, *_: object) -> ModuleSpec | None:
        """Find only that module."""
        if fullname != self._name:
            return None
        return spec_from_file_location(fullname, self._file, loader=self)

    def exec_module(self, module: ModuleType) -> None:
        """Run the text."""
        exec(compile(self._source, self._file, "exec"), module.__dict__)  # noqa: S102 - our own


def _with_source(module: str, source: str) -> Callable[[], None]:
    """Have this module of ``states`` made of this text, before anything else loads it."""

    def make() -> None:
        for name in [name for name in sys.modules if name.partition(".")[0] in {"heat", "states"}]:
            del sys.modules[name]
        sys.meta_path.insert(0, _Changed(f"states.{module}", _file(module), source))

    return make
