"""docs/testing.md, word for word: each of its tests passes."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs/testing.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
FILES = {"sh": "restart", "toml": "heat.toml"}
"""The files that the page shows, by their language."""


def shown(language: str) -> Iterator[str]:
    return (text for each, text in BLOCKS if each == language)


def functions_of(text: str) -> dict[str, Callable[[], None]]:
    module: dict[str, Callable[[], None]] = {}
    exec(compile(text, "docs/testing.md", "exec"), module)  # noqa: S102 - our own page
    return {name: each for name, each in module.items() if name.startswith("test_")}


TESTS = {name: test for text in shown("python") for name, test in functions_of(text).items()}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder with the files of the page."""
    for language, name in FILES.items():
        (tmp_path / name).write_text("".join(shown(language)))
        (tmp_path / name).chmod(0o755)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", TESTS)
@pytest.mark.usefixtures("folder")
def test_the_page_holds(name: str) -> None:
    TESTS[name]()


def test_the_first_test_has_ten_lines() -> None:
    lines = [line for line in next(shown("python")).splitlines() if line]

    assert len(lines) <= 10
    assert len(TESTS) == 5


def test_a_test_prints_what_the_page_shows(capsys: pytest.CaptureFixture[str]) -> None:
    next(iter(TESTS.values()))()

    assert capsys.readouterr().out.startswith(next(shown("text")))
