"""The files that HEAT writes: its own, and no others."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from heat_process import orderly
from place import Place

from heat.files import NotOwnFileError, open_to_write

OTHER = 65534


def test_only_a_file_of_heats_own_is_opened_to_write(tmp_path: Path) -> None:
    file, other = tmp_path / "file", tmp_path / "other"
    other.write_text("mine")

    def refused() -> str:
        with pytest.raises(NotOwnFileError) as caught:
            open_to_write(str(file), os.O_WRONLY | os.O_CREAT)
        file.unlink()
        assert other.read_text() == "mine"
        return str(caught.value)

    file.symlink_to(other)
    assert refused() == "it is a symbolic link"
    file.symlink_to("nowhere")
    assert refused() == "it is a symbolic link"
    file.hardlink_to(other)
    assert refused() == "it has a second name (a hard link)"
    if os.geteuid() == 0:
        file.touch()
        os.chown(file, OTHER, -1)
        assert refused().startswith(f"it belongs to user nobody ({OTHER})")
        file.touch()
        file.chmod(0o660)
        assert refused().startswith("it may be written to by group root (0)")
    os.close(open_to_write(str(file), os.O_WRONLY | os.O_CREAT))
    assert file.stat().st_mode & 0o777 == 0o640


def test_a_pipe_that_nobody_reads_is_told_as_what_it_is_and_not_as_a_lost_device(
    tmp_path: Path,
) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(NotOwnFileError, match="it is not a regular file"):
        open_to_write(f"{tmp_path}/pipe", os.O_WRONLY | os.O_CREAT)


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_file_is_not_opened_to_write_nor_waited_for(
    tmp_path: Path, make: Callable[[str], None]
) -> None:
    make(f"{tmp_path}/it")

    with pytest.raises((NotOwnFileError, OSError)):
        open_to_write(f"{tmp_path}/it", os.O_RDWR | os.O_CREAT)


def test_what_scripts_print_is_not_written_to_a_file_with_a_second_name(place: Place) -> None:
    precious = place.folder / "precious"
    precious.write_bytes(b"x" * 2**21)
    heat = place.heat(
        *("-i", "0.05", "--name", "web", "--fail", place.script("fail", "echo told >> ran")),
        *("-s", place.check(1)),
    )
    place.await_words("ran")
    (place.folder / "heat.web.out").unlink()
    (place.folder / "heat.web.out").hardlink_to(precious)

    heat.await_news(
        "has a second name (a hard link); what the scripts print is only in heat.verbose.log"
    )
    place.await_words("ran", len(place.words("ran")) + 3)
    assert heat.stop() == 0
    assert precious.read_bytes() == b"x" * 2**21
    orderly(heat)


@pytest.mark.parametrize("ending", ["-wal", "-shm", "-journal"])
def test_what_sqlite_would_open_beside_the_state_is_looked_at_first(
    place: Place, ending: str
) -> None:
    (place.folder / "precious").write_text("mine")
    (place.folder / f"heat.state{ending}").hardlink_to(place.folder / "precious")
    heat = place.heat("-i", "1", "--state", "heat.state", "-s", place.check(0))

    assert heat.wait() == 2
    assert f"heat.state{ending}: it has a second name (a hard link)" in heat.err.read_text()
    assert (place.folder / "precious").read_text() == "mine"


def test_a_name_that_goes_as_its_file_is_opened_does_not_make_the_other_name_heats(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    victim, log = tmp_path / "victim", tmp_path / "heat.log"
    victim.write_text("mine\n")
    log.hardlink_to(victim)
    real = os.open

    def opened(path: str, flags: int, mode: int = 0o777) -> int:
        fd = real(path, flags, mode)
        if log.exists() and log.samefile(victim):
            log.unlink()
        return fd

    monkeypatch.setattr(os, "open", opened)
    fd = open_to_write(str(log), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(fd, b"ours\n")
    os.close(fd)

    assert victim.read_text() == "mine\n"
    assert log.read_text() == "ours\n"
