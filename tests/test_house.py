"""The house in order: states/ is pure, heat/ asks it, the texts agree, a start is quick."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from heat import __version__
from heat.app.cli import USAGE
from heat.config.schema import OPTIONS
from states.monitor.model import IN_RECOVERY, State
from states.monitor.table import TABLE

HOME = Path(__file__).parent.parent
PURE = {
    "collections.abc",
    "enum",
    "functools",
    "hashlib",
    "html",
    "itertools",
    "operator",
    "re",
    "transitions",
    "transitions.core",
    "typing",
}


def imports(path: Path) -> set[str]:
    return {name for node in ast.walk(ast.parse(path.read_text())) for name in modules_of(node)}


def modules_of(node: ast.AST) -> set[str]:
    """The modules that a statement imports, or imports from."""
    if isinstance(node, ast.Import):
        return {alias.name for alias in node.names}
    return {node.module or ""} if isinstance(node, ast.ImportFrom) else set()


@pytest.mark.parametrize("path", sorted((HOME / "states").glob("*.py")), ids=lambda p: p.name)
def test_states_imports_nothing_of_the_world(path: Path) -> None:
    if path.name == "__main__.py":
        return

    outside = {name for name in imports(path) if name.split(".")[0] != "states"}
    assert outside <= PURE
    assert path.name == "machine.py" or outside.isdisjoint({"transitions", "transitions.core"})


UNWATCHED = {"rehearsal", "web", "ctl", "testing"}
"""Wings that a watching HEAT does not load."""
ASKING = {"answers", "async_client", "client", "history", "outages"}
"""Modules of other wings that are for who asks HEAT."""


def test_what_a_watching_heat_loads_has_named_tuples_that_are_quick_to_load() -> None:
    modules = [
        import_module(".".join(path.relative_to(HOME).with_suffix("").parts))
        for folder in ("heat", "states")
        for path in (HOME / folder).rglob("*.py")
        if path.stem != "__main__" and not {*path.parts} & UNWATCHED and path.stem not in ASKING
    ]
    types = {thing for module in modules for thing in vars(module).values() if named_tuple(thing)}
    own = {made for made in types if made.__module__.partition(".")[0] in {"heat", "states"}}

    slow = {
        made
        for made in own
        if "states.engine.named_tuple" not in {b.__module__ for b in made.__mro__}
    }
    assert len(own) > 40
    assert slow == set()


def named_tuple(thing: object) -> bool:
    return isinstance(thing, type) and tuple in thing.__mro__ and "_fields" in dir(thing)


CLOCKS = re.compile(r"(time|monotonic|perf_counter|process_time|clock_gettime)(_ns)?|sleep")
"""Functions of `time` that read a clock, and do not only take apart what they are given."""


def clocks(path: Path) -> set[str]:
    """The clocks that a module reads, by whatever name it calls them."""
    read: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Attribute(value=ast.Name("time"), attr=name) if CLOCKS.fullmatch(name):
                read.add(name)
            case ast.ImportFrom(module="time", names=names):
                read |= {each.name for each in names if CLOCKS.fullmatch(each.name)}
            case ast.Import(names=names) if any(each.asname for each in names):
                read |= {each.name for each in names if each.name == "time" and each.asname}
            case ast.Import() | ast.ImportFrom() if "datetime" in modules_of(node):
                read.add("datetime")
            case _:
                pass
    return read


def test_below_the_command_line_nothing_reads_the_clock_behind_the_callers_back() -> None:
    readers = {
        path.name: clocks(path)
        for path in (HOME / "heat").rglob("*.py")
        # What asks HEAT lives by the clock of who asks.
        if not {*path.parts} & {"ctl", "web"} and path.stem not in ASKING
    }

    assert {name: read for name, read in readers.items() if read} == {
        "loop.py": {"time", "monotonic"},
        "pid_file.py": {"clock_gettime"},  # Since the boot, which nobody else asks for.
    }


def test_a_monitor_reaches_for_nothing_but_what_it_is_given() -> None:
    for module in (
        *("monitor/pump", "monitor/lifecycle", "monitor/monitor", "monitor/check_runner"),
        *("monitor/script_runner", "monitor/target_signals", "monitor/pause", "checks/command"),
        *("process/run", "runtime/scheduler", "runtime/limiter", "report/monitor_report"),
    ):
        wings = imports(HOME / f"heat/{module}.py")

        assert wings.isdisjoint(
            {
                "os",
                "heat.files",
                "heat.config.preflight",
                "heat.process.launcher",
                "heat.process.script_output",
                "heat.process.target",
            }
        )


def states_compared(path: Path) -> list[str]:
    """The comparisons with a state that a module makes, and the cases of its matches."""
    texts: list[str] = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Compare | ast.MatchValue):
            inner = [each for each in ast.walk(node) if isinstance(each, ast.Attribute)]
            named = [each.value.id for each in inner if isinstance(each.value, ast.Name)]
            if "State" in named:
                texts.append(f"{path.name}: {ast.unparse(node)}")
    return texts


def test_states_are_compared_in_the_table_alone() -> None:
    comparisons = [text for path in (HOME / "heat").rglob("*.py") for text in states_compared(path)]

    # The words for a state; nothing acts on them.
    telling = [
        text for text in comparisons if text.startswith(("status_line.py: ", "records.py: "))
    ]
    assert telling
    assert comparisons == telling


def test_a_comparison_with_a_state_is_seen_however_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "there.py"
    for line in (
        "while here is not State.NORMAL: pass",
        "done = State.ERROR == here",
        "left = here in {State.NORMAL, State.FAILING}",
        "match here:\n    case State.RECOVERING: pass",
    ):
        path.write_text(line)

        assert states_compared(path), line


CHILDREN = {"Stage", "Check", "Fail", "Pause", "IN_RECOVERY", "STATES"}
"""The names of `states.monitor.model` that tell what a state consists of."""
STAGES = {word for stage in IN_RECOVERY for word in (stage.value, stage.value.lower())}
REMEDIES = {"remedy", "remedy_text", "shown"}
"""Facts and questions that word a stage: to be shown, not to be compared."""


def children_mentioned(path: Path) -> list[str]:
    """The places at which a module looks at what is inside a state."""
    tree = ast.parse(path.read_text())
    models = set(models_of(tree))
    return [
        f"{path.name}: {ast.unparse(node)}"
        for node in ast.walk(tree)
        if imports_child(node) or asks_region(node, models) or compares_stage(node)
    ]


def models_of(tree: ast.AST) -> Iterator[str]:
    """Yield the names that models of monitors have in a module."""
    yield "model"
    kinds = {"Model", *kinds_of(tree)}
    for node in ast.walk(tree):
        match node:
            case ast.arg(arg=name, annotation=ast.Name(kind)) if kind in kinds:
                yield name
            case ast.Assign(targets=[ast.Name(name)], value=ast.Attribute(attr="model")):
                yield name
            case ast.Assign(targets=[ast.Tuple(names)], value=ast.Tuple(values)):
                for each, value in zip(names, values, strict=False):
                    if isinstance(value, ast.Attribute) and value.attr == "model":
                        yield ast.unparse(each)
            case _:
                pass


def kinds_of(tree: ast.AST) -> Iterator[str]:
    """Yield the names under which a module imports the class of models."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "states.monitor.model":
            yield from (each.asname or each.name for each in node.names if each.name == "Monitor")


def imports_child(node: ast.AST) -> bool:
    match node:
        case ast.ImportFrom(module="states.monitor.model", names=names):
            return any(each.name in CHILDREN for each in names)
        case ast.Attribute(value=ast.Name("model"), attr=name):
            return name in CHILDREN
        case _:
            return False


def asks_region(node: ast.AST, models: set[str]) -> bool:
    """Tell if it is an attribute of a model, or of anything, that holds a child state."""
    match node:
        case ast.Attribute(attr="stage"):
            return True
        case ast.Attribute(value=ast.Name(name), attr=attr):
            return name in models and attr in TABLE.regions
        case ast.Attribute(value=ast.Attribute(attr="model"), attr=attr):
            return attr in TABLE.regions
        case _:
            return False


def compares_stage(node: ast.AST) -> bool:
    """Tell if it compares the word of a stage, or what words it; not so what a check does."""
    if not isinstance(node, ast.Compare | ast.MatchValue):
        return False
    inner = list(ast.walk(node))
    keys = [each.slice for each in inner if isinstance(each, ast.Subscript)]
    words = {each.value for each in inner if isinstance(each, ast.Constant) and each not in keys}
    named = {ast.unparse(each).strip("'") for each in keys}
    named |= {ast.unparse(each.func) for each in inner if isinstance(each, ast.Call)}
    checks = named & {"checking"}
    return not checks and bool(words & STAGES or named & REMEDIES)


def test_nothing_outside_states_looks_at_what_is_inside_a_state() -> None:
    paths = sorted((HOME / "heat").rglob("*.py"))
    mentions = [text for path in paths for text in children_mentioned(path)]

    # The state with what says more about it, and the other way round.
    assert mentions == ["explain.py: why['shown'] in {why['state'], _PAUSED}"]


@pytest.mark.parametrize(
    "line",
    [
        "from states.monitor.model import Stage",
        "from states.monitor import model\nx = model.Check.DUE",
        "if monitor.model.stage: pass",
        "def f(it: Model) -> bool: return it.check",
        "from states.monitor.model import Monitor\ndef f(it: Monitor) -> bool: return it.check",
        "here = monitor.model\nprint(here.fail)",
        "here, look = monitor.model, 1\nprint(here.pause)",
        "if why['remedy'] == 'open': pass",
        "if remedy(model) in NEXT: pass",
        "if there == 'SPENT': pass",
        "match it:\n    case 'BACKOFF': pass",
    ],
)
def test_a_look_into_a_state_is_seen_however_it_is_written(line: str, tmp_path: Path) -> None:
    path = tmp_path / "there.py"
    path.write_text(line)

    assert children_mentioned(path)


def test_a_check_of_a_monitor_is_not_a_child_of_a_state(tmp_path: Path) -> None:
    path = tmp_path / "there.py"
    path.write_text("if self.setup.check and monitor.pause and why['checking'] == 'waiting': pass")

    assert not children_mentioned(path)


@pytest.mark.parametrize("module", ["outlook", "wording"])
def test_the_future_is_worded_without_a_look_at_the_state(module: str) -> None:
    tree = ast.parse((HOME / f"heat/ctl/{module}.py").read_text())
    compared = [
        {each.value for each in ast.walk(node) if isinstance(each, ast.Constant)}
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare)
    ]

    assert compared
    assert not any(words & {*State, "state", "shown"} for words in compared)


def test_the_help_and_the_table_of_options_agree() -> None:
    in_help = set(re.findall(r"^  (?:-\w, )?(--[\w-]+)", USAGE, re.MULTILINE))

    assert in_help == {option.name for option in OPTIONS}
    for option in OPTIONS:
        head = f"{option.short}, {option.name}" if option.short else option.name
        assert re.search(
            rf"^  {re.escape(f'{head} {option.value}'.strip())}  ", USAGE, re.MULTILINE
        )


def test_the_help_fits_a_terminal() -> None:
    assert max(len(line) for line in USAGE.splitlines()) <= 80


def test_the_version_is_in_the_changelog() -> None:
    assert f"## {__version__}" in (HOME / "CHANGELOG.md").read_text()


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        (
            "heat.app.cli",
            {
                "docopt",
                "transitions",
                "json",
                "dataclasses",
                "subprocess",
                "asyncio",
                "rich",
                "heat.ctl",
            },
        ),
        (
            "heat.app.service",
            {
                "heat.config.toml_file",
                "heat.app.systemd",
                "socket",
                "heat.ctl",
                "rich",
                "tomllib",
                "json",
                "subprocess",
                "asyncio",
                "difflib",
                "argparse",
                "shutil",
            },
        ),
    ],
)
def test_a_start_loads_no_more_than_it_uses(module: str, unwanted: set[str]) -> None:
    program = f"import sys, {module}; print(*sys.modules)"
    plain = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    command = [sys.executable, "-c", program]
    modules = subprocess.run(command, capture_output=True, check=True, env=plain)

    assert not set(modules.stdout.decode().split()) & unwanted
