"""docs/machines.md, word for word: its files are made, tested, asked, drawn and run."""

import doctest
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "machines.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder with the files of the page; a block without a name goes on with the last one."""
    name = ""
    for language, text in BLOCKS:
        if language == "python" and not text.startswith(">>>"):
            name = text.splitlines()[0][2:] if text.startswith("# ") else name
            with (tmp_path / name).open("a") as file:
                file.write(text + "\n\n")
    return tmp_path


def python(desk: Path, *words: str, stdin: str = "") -> str:
    command = [sys.executable, *words]
    # The page runs a pytest of its own, without the variables of this one.
    plain = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    done = subprocess.run(
        command, check=False, cwd=desk, env=plain, input=stdin, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_it_is_a_machine_of_five_rows(desk: Path) -> None:
    assert python(desk, "-c", "import breaker; print(len(breaker.TABLE.rows))") == "5\n"


def test_its_tests_pass(desk: Path) -> None:
    out = python(desk, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_breaker.py")

    assert "6 passed" in out


def test_it_can_be_asked(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [session] = [text for _, text in BLOCKS if text.startswith(">>>")]
    monkeypatch.setattr(sys, "path", [str(desk), *sys.path])
    test = doctest.DocTestParser().get_doctest(session, {}, "machines.md", None, None)

    assert doctest.DocTestRunner().run(test) == doctest.TestResults(0, len(test.examples))


def test_it_is_drawn_as_the_page_shows_it(desk: Path) -> None:
    [drawn] = [text for language, text in BLOCKS if language == "mermaid"]

    assert python(desk, "draw.py") == drawn


def test_it_runs_as_the_page_shows_it(desk: Path) -> None:
    [session] = [text for language, text in BLOCKS if language == "console"]
    command, *printed = session.splitlines()
    results = re.findall(r"ok|failed", command)

    assert python(desk, "run.py", stdin="\n".join(results) + "\n").splitlines() == printed
