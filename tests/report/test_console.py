"""stdout and stderr: a reader that does not read, or is gone, holds nothing up."""

import fcntl
import os
import re
import resource
import socket
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from freezegun import freeze_time

from heat.report import console
from heat.report.console import Console, Stream


def ignored(_flush: object) -> None:
    """The tests end the turns themselves."""


def test_lines_reach_the_reader() -> None:
    reader, writer = os.pipe()
    stream = Stream(writer, "stdout", pytest.fail, ignored)
    stream.line("hello")
    stream.flush()

    assert os.read(reader, 100) == b"hello\n"
    os.close(reader)
    os.close(writer)


def test_a_reader_that_never_reads_costs_lines_and_no_time() -> None:
    reports: list[str] = []
    reader, writer = os.pipe()
    stream = Stream(writer, "stdout", reports.append, ignored)
    for number in range(30_000):
        stream.line(f"line {number}")
        stream.flush()

    assert len(reports) == 1
    assert "cannot write to stdout: nobody reads it" in reports[0]

    while len(os.read(reader, 65536)) == 65536:
        pass
    stream.line("again")
    stream.flush()

    assert reports[1].startswith("stdout can be written again; ")
    assert os.read(reader, 100) == b"again\n"
    os.close(reader)
    os.close(writer)


def test_a_reader_that_is_gone_is_said_once() -> None:
    reports: list[str] = []
    reader, writer = os.pipe()
    os.close(reader)
    stream = Stream(writer, "stdout", reports.append, ignored)
    for _ in range(3):
        stream.line("x")
        stream.flush()

    assert reports == ["stdout was closed by its reader; HEAT goes on without it"]
    os.close(writer)


def test_a_full_disk_behind_stdout_is_said_once() -> None:
    reports: list[str] = []
    full = os.open("/dev/full", os.O_WRONLY)
    stream = Stream(full, "stdout", reports.append, ignored)
    for _ in range(3):
        stream.line("x")
        stream.flush()

    assert len(reports) == 1
    assert "no space left on device" in reports[0]
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

    assert Stream(other, "stdout", pytest.fail, ignored).colour is coloured
    os.close(terminal)
    os.close(other)


def test_no_colour_for_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    fd = os.open(tmp_path / "out", os.O_WRONLY | os.O_CREAT)

    assert Stream(fd, "stdout", pytest.fail, ignored).colour is False
    os.close(fd)


def test_news_have_the_second_in_front(capfd: pytest.CaptureFixture[str]) -> None:
    recorded: list[str] = []
    with freeze_time("2022-12-17 19:47:59.9"):
        console = Console(lambda: time.time(), recorded.append, ignored)  # noqa: PLW0108 - bound late
        console.news("recovered")
        console.trouble("disk full")
        console.close()

    assert capfd.readouterr().err == "1671306479: recovered\n1671306479: heat: disk full\n"
    assert recorded == ["disk full"]


def test_lines_of_one_turn_go_out_whole_and_as_many_at_once_as_a_pipe_takes() -> None:
    reader, writer = os.pipe()
    stream = Stream(writer, "stdout", pytest.fail, ignored)
    for number in range(2000):
        stream.line(f"line {number}")
    stream.flush()
    stream.close()
    os.close(writer)

    with open(reader, encoding="ascii") as lines:
        assert lines.read().splitlines() == [f"line {number}" for number in range(2000)]


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """Both ends of one that nobody reads: of who sits there, and of who writes."""
    ends = os.openpty()
    yield ends
    for end in ends:
        os.close(end)


def taken(fd: int) -> bytes:
    """Read what is there, without waiting."""
    os.set_blocking(fd, False)
    read = b""
    try:
        while data := os.read(fd, 65536):
            read += data
    except BlockingIOError:
        pass
    return read


def test_a_terminal_that_nobody_reads_costs_lines_and_no_time(terminal: tuple[int, int]) -> None:
    reports: list[str] = []
    master, slave = terminal
    flags = fcntl.fcntl(slave, fcntl.F_GETFL)
    stream = Stream(slave, "stdout", reports.append, ignored)
    for number in range(3000):
        stream.line(f"line {number}")
        stream.flush()

    output = taken(master)
    stream.line("again")
    stream.flush()
    output += taken(master)
    stream.close()
    *lines, last, nothing = output.decode().split("\r\n")
    numbers = [int(line.removeprefix("line ")) for line in lines]
    dropped = [re.findall(r"^stdout can be written again; (\d+) of its lines", s) for s in reports]

    # The kernel moves on what a terminal holds when it likes to, and then there is room.
    assert reports[::2] == [
        "cannot write to stdout: nobody reads it; its lines are dropped until it can"
    ] * (len(reports) // 2)
    assert all(dropped[1::2])
    assert sum(int(count) for (count,) in dropped[1::2]) == 3000 - len(numbers)
    assert numbers == sorted(set(numbers))
    assert (last, nothing) == ("again", "")
    assert fcntl.fcntl(slave, fcntl.F_GETFL) == flags


def test_a_terminal_that_cannot_be_opened_anew_holds_nothing_up(
    terminal: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError

    reports: list[str] = []
    master, slave = terminal
    with monkeypatch.context() as patched:
        patched.setattr(os, "open", refuse)
        stream = Stream(slave, "stdout", reports.append, ignored)
    for number in range(3000):
        stream.line(f"line {number}")
        stream.flush()
    output = taken(master)
    stream.line("again")
    stream.flush()
    lines = (output + taken(master)).decode().split("\r\v")
    stream.close()

    assert "cannot write to stdout: nobody reads it" in reports[0]
    assert lines == [*(f"line {number}" for number in range(len(lines) - 2)), "again", ""]


@pytest.mark.parametrize("end", [b"\n", b"\r\v"])
def test_a_line_that_was_begun_is_ended_wherever_it_was_cut(
    end: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    room, output = 0, bytearray()

    def write(data: bytes) -> int:
        nonlocal room
        if not room:
            raise BlockingIOError
        room -= 1
        output.extend(data[:1])
        return 1

    def way(_fd: int) -> console.Way:
        return console.Way(write, output.clear, end)

    monkeypatch.setattr(console, "_way", way)
    for rooms in product(range(10), repeat=3):
        reports: list[str] = []
        stream = Stream(1, "stdout", reports.append, ignored)
        for number, takes in enumerate(rooms):
            room = takes
            stream.line(f"{number}a")
            stream.line(f"{number}b")
            stream.flush()
        room = 100
        stream.line("last")
        stream.flush()
        *lines, last, nothing = bytes(output).decode().split(end.decode())
        stream.close()

        assert (last, nothing) == ("last", ""), rooms
        assert lines == sorted({*lines} & {"0a", "0b", "1a", "1b", "2a", "2b"}), rooms
        dropped = re.findall(r"again; (\d+) of its lines were dropped", " ".join(reports))
        assert sum(map(int, dropped)) == 6 - len(lines), rooms


def test_a_socket_that_nobody_reads_costs_lines_and_no_time() -> None:
    reports: list[str] = []
    ours, theirs = socket.socketpair()
    stream = Stream(ours.fileno(), "stdout", reports.append, ignored)
    for number in range(30_000):
        stream.line(f"line {number}")
        stream.flush()

    assert len(reports) == 1
    assert ours.getblocking()

    theirs.close()
    stream.line("more")
    stream.flush()
    stream.close()
    ours.close()

    assert reports[1] == "stdout was closed by its reader; HEAT goes on without it"


def test_a_pipe_is_written_by_another_description_than_the_shell_s() -> None:
    reader, writer = os.pipe()
    stream = Stream(writer, "stdout", pytest.fail, ignored)
    stream.line("hello")
    stream.flush()

    assert os.read(reader, 100) == b"hello\n"
    assert os.get_blocking(writer)
    stream.close()
    os.close(writer)
    assert os.read(reader, 100) == b""
    os.close(reader)


def test_a_line_that_a_full_disk_has_torn_is_ended_before_the_next_and_what_is_lost_counts(
    tmp_path: Path,
) -> None:
    reports: list[str] = []
    path = tmp_path / "out"
    fd = os.open(path, os.O_WRONLY | os.O_CREAT)
    stream = Stream(fd, "stdout", reports.append, ignored)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16, hard))
    try:
        for text in ("first line", "second line"):
            stream.line(text)
        stream.flush()
        for text in ("third line", "fourth line"):
            stream.line(text)
        stream.flush()
        torn = path.read_text()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    stream.line("fifth line")
    stream.flush()
    os.close(fd)

    assert torn == "first line\nsecon"
    assert path.read_text() == "first line\nsecond line\nfifth line\n"
    assert reports == [
        "cannot write to stdout: file too large; its lines are dropped until it can",
        "stdout can be written again; 2 of its lines were dropped",
    ]


def test_a_long_line_is_cut_which_is_marked_and_keeps_the_end_of_its_colour(
    terminal: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    master, slave = terminal
    stream = Stream(slave, "stdout", pytest.fail, ignored)
    stream.line("1671306479: " + "é" * 4000, "31")
    stream.flush()
    stream.close()
    line = taken(master)
    start, _, mark = line.decode().removesuffix("\x1b[0m\r\n").partition(" [")

    assert line.startswith("1671306479: \x1b[31mé".encode())
    assert line.endswith(b" bytes cut here]\x1b[0m\r\n")
    assert len(line) <= 4097
    assert mark == f"{8000 - 2 * start.count('é')} bytes cut here]"
