"""The map of the house in ARCHITECTURE.md, made of the first sentences of the modules.

Run it as ``python -m tools.house`` when a module has come, gone or changed its purpose.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import wrap

HOME = Path(__file__).parent.parent
PAGE = HOME / "ARCHITECTURE.md"
BEGIN, END = "<!-- map -->\n", "<!-- end of map -->\n"
TOPS = ("states", "heat", "tools")
ORDER = (
    *(
        "engine",
        "runtime",
        "process",
        "checks",
        "config",
        "report",
        "store",
        "monitor",
        "control",
        "web",
    ),
    *("rehearsal", "app", "testing", "ctl"),
)
"""The wings, from the ground up."""
_WIDTH = 100
_COLUMN = 32


def main() -> int:
    """Write the map into the page; return 1 if the page has no place for it."""
    text = PAGE.read_text()
    before, opened, rest = text.partition(BEGIN)
    _, closed, after = rest.partition(END)
    if not (opened and closed):
        print(f"{PAGE.name} has no lines {BEGIN.strip()} and {END.strip()}", file=sys.stderr)
        return 1
    PAGE.write_text(f"{before}{BEGIN}\n{drawn()}\n{END}{after}")
    return 0


def drawn() -> str:
    """Return the map: a line or two for each folder and each module."""
    return "\n".join(line for top in TOPS for line in _folder(HOME / top))


def _folder(folder: Path) -> Iterator[str]:
    name = str(folder.relative_to(HOME))
    yield from _entry(f"{name}/", folder / "__init__.py", 0)
    modules = sorted(folder.glob("*.py"))
    for path in modules:
        if path.name != "__init__.py":
            yield from _entry(path.name, path, 1)
    yield ""
    inner = [each for each in folder.iterdir() if (each / "__init__.py").exists()]
    for each in sorted(inner, key=lambda each: (_place(each.name), each.name)):
        yield from _folder(each)


def _place(name: str) -> int:
    return ORDER.index(name) if name in ORDER else len(ORDER)


def _entry(name: str, path: Path, depth: int) -> list[str]:
    margin = " " * 4 * (1 + depth)
    head = f"{margin}{name}".ljust(_COLUMN)
    if head.rstrip() == head:
        head += "  "
    lines = wrap(purpose(path), _WIDTH, initial_indent=head, subsequent_indent=" " * _COLUMN)
    return lines or [head.rstrip()]


def purpose(path: Path) -> str:
    """Return the first sentence of a module."""
    text = ast.get_docstring(ast.parse(path.read_text())) or ""
    return " ".join(text.split("\n\n")[0].split()).replace("``", "").removesuffix(".")


if __name__ == "__main__":
    sys.exit(main())
