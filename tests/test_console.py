"""stdout and stderr: a reader that does not read, or is gone, holds nothing up."""

import os
import time
from pathlib import Path

import pytest
from freezegun import freeze_time

from heat.console import Console, Stream


def test_lines_reach_the_reader() -> None:
    reader, writer = os.pipe()
    stream = Stream(writer, "stdout", pytest.fail)
    stream.line("hello")
    stream.flush()

    assert os.read(reader, 100) == b"hello\n"
    os.close(reader)
    os.close(writer)


def test_a_reader_that_never_reads_costs_lines_and_no_time() -> None:
    said: list[str] = []
    reader, writer = os.pipe()
    stream = Stream(writer, "stdout", said.append)
    for number in range(30_000):
        stream.line(f"line {number}")
        stream.flush()

    assert len(said) == 1
    assert "cannot write to stdout: nobody reads it" in said[0]

    while len(os.read(reader, 65536)) == 65536:
        pass
    stream.line("again")
    stream.flush()

    assert said[1].startswith("stdout can be written again; ")
    assert os.read(reader, 100) == b"again\n"
    os.close(reader)
    os.close(writer)


def test_a_reader_that_is_gone_is_said_once() -> None:
    said: list[str] = []
    reader, writer = os.pipe()
    os.close(reader)
    stream = Stream(writer, "stdout", said.append)
    for _ in range(3):
        stream.line("x")
        stream.flush()

    assert said == ["stdout was closed by its reader; HEAT goes on without it"]
    os.close(writer)


def test_a_full_disk_behind_stdout_is_said_once() -> None:
    said: list[str] = []
    full = os.open("/dev/full", os.O_WRONLY)
    stream = Stream(full, "stdout", said.append)
    for _ in range(3):
        stream.line("x")
        stream.flush()

    assert len(said) == 1
    assert "no space left on device" in said[0]
    os.close(full)


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_colour_is_for_terminals(
    environment: dict[str, str], *, coloured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    terminal, other = os.openpty()

    assert Stream(other, "stdout", pytest.fail).colour is coloured
    os.close(terminal)
    os.close(other)


def test_no_colour_for_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    fd = os.open(tmp_path / "out", os.O_WRONLY | os.O_CREAT)

    assert Stream(fd, "stdout", pytest.fail).colour is False
    os.close(fd)


def test_news_have_the_second_in_front(capfd: pytest.CaptureFixture[str]) -> None:
    recorded: list[str] = []
    with freeze_time("2022-12-17 19:47:59.9"):
        console = Console(lambda: time.time(), recorded.append)  # noqa: PLW0108 - bound late
        console.news("recovered")
        console.trouble("disk full")
        console.flush()

    assert capfd.readouterr().err == "1671306479: recovered\n1671306479: heat: disk full\n"
    assert recorded == ["disk full"]


def test_lines_of_one_turn_go_out_whole_and_as_many_at_once_as_a_pipe_takes() -> None:
    reader, writer = os.pipe()
    stream = Stream(writer, "stdout", pytest.fail)
    for number in range(2000):
        stream.line(f"line {number}")
    stream.flush()
    os.close(writer)

    with open(reader, encoding="ascii") as lines:
        assert lines.read().splitlines() == [f"line {number}" for number in range(2000)]
