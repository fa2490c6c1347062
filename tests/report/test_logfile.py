"""The logs: records whole, rotation followed, a full disk said once and made up for."""

import errno
import os
from pathlib import Path

import pytest

from heat.errors import HeatError
from heat.files import open_for_appending
from heat.report.logfile import LogFile


def ignored(_flush: object) -> None:
    """Every record is a turn of its own here."""


class Prompt(LogFile):
    """A log whose every record is a turn of the loop."""

    def __init__(self, path: Path, reports: list[str]) -> None:
        super().__init__(str(path), path.name, reports.append, ignored)

    def write(self, record: str) -> None:
        super().write(record)
        self.flush()


@pytest.fixture
def reports() -> list[str]:
    return []


@pytest.fixture
def log(tmp_path: Path, reports: list[str]) -> Prompt:
    return Prompt(tmp_path / "heat.log", reports)


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.EDQUOT])
def test_a_log_whose_close_fails_is_followed_and_closed_once(
    log: LogFile, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    log.write("one\n")
    Path(log.path).rename(f"{log.path}.1")
    closed: list[int] = []

    def close(fd: int) -> None:
        closed.append(fd)
        real(fd)
        raise OSError(number, os.strerror(number))

    real = os.close
    monkeypatch.setattr(os, "close", close)
    for line in ("two\n", "three\n"):
        log.write(line)
    monkeypatch.undo()

    assert len(closed) == 1
    assert text(log) == "two\nthree\n"
    assert not log.trouble


def text(log: LogFile) -> str:
    return Path(log.path).read_text()


def test_records_are_appended_and_never_truncate(tmp_path: Path, reports: list[str]) -> None:
    (tmp_path / "heat.log").write_text("before\n")
    log = Prompt(tmp_path / "heat.log", reports)
    log.write("one\n")
    log.write("two\n")

    assert text(log) == "before\none\ntwo\n"
    assert Path(log.path).stat().st_mode & 0o777 != 0


def test_a_new_log_is_not_for_everybody(log: LogFile) -> None:
    assert Path(log.path).stat().st_mode & 0o007 == 0


@pytest.mark.parametrize("how", ["moved", "deleted", "replaced"])
def test_a_log_that_was_moved_away_is_opened_anew(log: LogFile, tmp_path: Path, how: str) -> None:
    log.write("one\n")
    path = Path(log.path)
    if how == "deleted":
        path.unlink()
    else:
        path.rename(tmp_path / "heat.log.1")
    if how == "replaced":
        path.touch()
    log.write("two\n")

    assert text(log) == "two\n"


def test_a_log_that_was_truncated_in_place_goes_on_at_its_beginning(log: LogFile) -> None:
    log.write("one\n")
    os.truncate(log.path, 0)
    log.write("two\n")

    assert text(log) == "two\n"


def test_a_removed_folder_is_said_once_and_nothing_is_lost(
    tmp_path: Path, reports: list[str]
) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    log = Prompt(folder / "heat.log", reports)
    (folder / "heat.log").unlink()
    folder.rmdir()
    for number in range(5):
        log.write(f"{number}\n")

    assert len(reports) == 1
    assert "no such file or directory" in reports[0]

    folder.mkdir()
    log.write("5\n")

    assert text(log) == "0\n1\n2\n3\n4\n5\n"
    assert len(reports) == 2
    assert "can be written again; nothing was lost" in reports[1]


def test_a_short_write_is_completed_when_there_is_room(
    log: LogFile, reports: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    room = 7
    write = os.write

    def full(fd: int, data: bytes) -> int:
        nonlocal room
        if room == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = write(fd, data[:room])
        room -= written
        return written

    monkeypatch.setattr(os, "write", full)
    log.write("first record\n")
    log.write("second\n")

    assert text(log) == "first r"
    assert len(reports) == 1
    assert reports[0].startswith(f"cannot write {log.shown}: no space left on device; HEAT goes on")

    monkeypatch.undo()
    log.write("third\n")

    assert text(log) == "first record\nsecond\nthird\n"


def test_what_is_kept_is_bounded_and_the_loss_is_said(log: LogFile, reports: list[str]) -> None:
    path = Path(log.path)
    path.unlink()
    path.mkdir()
    for _ in range(40):
        log.write("x" * 100_000 + "\n")
    path.rmdir()
    log.write("last\n")

    assert text(log).endswith("last\n")
    assert len(text(log)) < 1_200_000
    assert "lost: 30 records" in reports[-1]


def test_what_could_never_be_written_is_said_at_the_end(log: LogFile, reports: list[str]) -> None:
    path = Path(log.path)
    path.unlink()
    path.mkdir()
    log.write("one\n")
    log.close()

    assert reports[-1] == f"1 record for {log.shown} could not be written"


@pytest.mark.parametrize("kind", ["fifo", "link", "hard link", "folder"])
def test_a_log_is_a_regular_file_of_one_name(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "heat.log"
    other = tmp_path / "other"
    other.touch()
    if kind == "fifo":
        os.mkfifo(path)
        keep = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    else:
        keep = os.open(other, os.O_RDONLY)
    if kind == "link":
        path.symlink_to(other)
    elif kind == "hard link":
        path.hardlink_to(other)
    elif kind == "folder":
        path.mkdir()

    with pytest.raises((OSError, HeatError)):
        open_for_appending(str(path))
    os.close(keep)
