"""The wings of heat/: each imports only what stands below it."""

import ast
from collections.abc import Iterator
from pathlib import Path

HOME = Path(__file__).parent.parent
ORDER = (
    *("heat", "runtime", "process", "checks", "config", "report", "store", "monitor"),
    *("control", "web", "rehearsal", "app", "testing", "ctl"),
)
"""From the ground up; ``heat`` is what lies in the folder itself."""
ENTRIES = {"heat.__main__", "heat.startup"}
"""The first modules to run: they import any other, and none of heat imports them."""


def wing(module: str) -> str:
    """The wing of a module of heat."""
    if module in ENTRIES:
        return ORDER[-1]
    first, _, rest = module.removeprefix("heat").removeprefix(".").partition(".")
    return first if rest or ((HOME / "heat" / first).is_dir() and first) else "heat"


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(HOME).with_suffix("").parts)


def imported(path: Path) -> Iterator[str]:
    """The modules that a file imports, at its top or where it needs them."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = (f"{node.module}.{alias.name}" for alias in node.names)
            yield from (name if exists(name) else node.module for name in inner)


def exists(module: str) -> bool:
    place = HOME / module.replace(".", "/")
    return place.with_suffix(".py").exists() or place.is_dir()


def upward() -> Iterator[str]:
    for path in sorted((HOME / "heat").rglob("*.py")):
        here = wing(module_of(path))
        for module in imported(path):
            if module.split(".")[0] == "heat" and ORDER.index(wing(module)) > ORDER.index(here):
                yield f"{module_of(path)} -> {module}"


def test_every_wing_imports_only_what_stands_below_it() -> None:
    assert not list(upward())


def test_states_and_heat_import_nothing_of_the_tools_and_tests() -> None:
    files = [path for folder in ("heat", "states") for path in (HOME / folder).rglob("*.py")]
    tops = {module.split(".")[0] for path in files for module in imported(path)}

    assert "heat" in tops
    assert tops.isdisjoint({"tools", "tests", "benchmarks"})


def test_states_import_nothing_of_heat() -> None:
    files = (HOME / "states").rglob("*.py")

    assert not [path for path in files if any(m.split(".")[0] == "heat" for m in imported(path))]
