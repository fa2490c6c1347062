"""The forms of English that are out, in docstrings, comments, messages, names and documents."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

HOME = Path(__file__).parent.parent
NOT_YET = ("tests/",)
"""Whose English is still the old one."""
TOPS = ("heat/", "tests/")
"""Folders of wings: in NOT_YET these mean the files that lie directly in them."""

PASSIVES = "told|said|asked|waited|wanted|heard|let"
VAGUE = "in vain|whoever|is that of|are that of|those that are none|that is none"
OUT = {
    r"(?<!there )\b(?:is|are|was|were|be) no "
    r"(?!longer|more|less|fewer|later|earlier)[a-z]": "say 'is not a valid X' or 'must be'",
    r"\banew\b": "say 'again'",
    r"(?<!leave )(?<!it )(?<!them )(?<!stand )\balone\b": "say 'only'",
    r"\bbeside\b": "say 'with' or 'next to'",
    r"\bmeanwhile\b": "say 'in the meantime', or 'by then'",
    r"\bso many\b": "say 'this many', or the number",
    rf"\b(?:is|are|was|were|be|been|being) (?:{PASSIVES})\b": "name who does it: 'HEAT waits'",
    r"\b(?:is|are) to be\b": "say 'must be' or 'will be'",
    r"\bof which\b": "write two sentences",
    rf"\b(?:{VAGUE})\b": "say what it does",
}
"""Pattern: what to write in its place."""
OPENINGS = re.compile(r"(?:What|Who|Whom|Whose|Whether|Which|How|Where|When|Why|That)\b(?! happen)")
"""A docstring opens with a verb in the imperative, or a noun."""
NAMES = {"told", "found", "said", "asked", "wanted", "meant", "given", "kept", "heard", "seen"}
"""No names of variables: a variable is a noun."""


def files() -> list[Path]:
    modules = [
        path for top in ("heat", "states", "tools", "tests") for path in HOME.glob(f"{top}/**/*.py")
    ]
    documents = [*HOME.glob("*.md"), *HOME.glob("docs/**/*.md")]
    return [path for path in sorted(modules + documents) if held(path)]


def held(path: Path) -> bool:
    name, folder = str(path.relative_to(HOME)), f"{path.parent.relative_to(HOME)}/"
    late = any(folder == place if place in TOPS else name.startswith(place) for place in NOT_YET)
    return not (late or path == Path(__file__) or path.name == "README.ko.md")


def prose(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines of comments and strings of a module, or of a whole document."""
    text = path.read_text()
    if path.suffix != ".py":
        yield from enumerate(text.splitlines(), 1)
        return
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in {tokenize.COMMENT, tokenize.STRING}:
            yield from enumerate(token.string.splitlines(), token.start[0])


def documented(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the docstrings of a module, and the strings below its values."""
    for node in ast.walk(ast.parse(path.read_text())):
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        ):
            yield node.lineno, node.value.value


def bound(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the names that a module binds."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg


def troubles(path: Path) -> Iterator[str]:
    place = path.relative_to(HOME)
    for number, line in prose(path):
        for form, better in OUT.items():
            if re.search(form, line, re.IGNORECASE):
                yield f"{place}:{number}: {better}: {line.strip()}"
    if path.suffix != ".py":
        return
    for number, text in documented(path):
        if OPENINGS.match(text):
            yield f"{place}:{number}: open with a verb or a noun: {text.splitlines()[0]}"
    for number, name in bound(path):
        if name in NAMES:
            yield f"{place}:{number}: a variable is a noun: {name}"


@pytest.mark.parametrize("path", files() or [HOME / "heat" / "__init__.py"], ids=str)
def test_the_english_is_plain(path: Path) -> None:
    assert not list(troubles(path)), "\n" + "\n".join(troubles(path))


@pytest.mark.parametrize(
    "line",
    [
        "'0' is no length of time",
        "it begins anew",
        "root alone may",
        "whoever is silent is let go",
        "what is to be written",
    ],
)
def test_the_forms_are_found(line: str) -> None:
    assert any(re.search(form, line, re.IGNORECASE) for form in OUT)


@pytest.mark.parametrize("line", ["there is no file", "it is no longer there", "leave it alone"])
def test_plain_forms_are_not(line: str) -> None:
    assert not any(re.search(form, line, re.IGNORECASE) for form in OUT)
