"""Lock files: HEAT takes only its own for one."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from place import Place

from heat.files import NotOwnFileError
from heat.runtime.lock import Lock


@pytest.mark.parametrize(
    ("words", "name"),
    [(("--state", "Cargo"), "Cargo.lock"), (("--control", "flake"), "flake.lock")],
)
@pytest.mark.parametrize("kind", ["file", "link", "hard link"])
def test_a_lock_file_that_is_none_of_heats_is_refused_and_stays_as_it_is(
    place: Place, words: Sequence[str], name: str, kind: str
) -> None:
    text = '# This file is generated.\n[[package]]\nname = "libc"\n'
    there, file = place.folder / name, place.folder / "other"
    file.write_text(text)
    {"file": file.rename, "link": there.symlink_to, "hard link": there.hardlink_to}[kind](
        there if kind == "file" else file
    )
    heat = place.heat("-i", "1", "--count", "1", *words, "-s", place.check(0))

    assert heat.wait() == 2
    assert there.read_text() == text
    assert name in heat.err.read_text()
    whys = {
        "file": "it holds more than a process id, so it is not a lock of HEAT's",
        "link": "it is a symbolic link",
        "hard link": "it has a second name (a hard link)",
    }
    assert whys[kind] in heat.err.read_text()
    assert not (place.folder / words[1]).exists()


@pytest.mark.parametrize("held", [b"", b"123\n", b"4194304", b"\0\0\0\0", b"12\n\0\0"])
def test_a_lock_file_with_a_process_id_or_nothing_is_heats(tmp_path: Path, held: bytes) -> None:
    (tmp_path / "lock").write_bytes(held)
    lock = Lock(f"{tmp_path}/lock")

    assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"
    lock.release()


@pytest.mark.parametrize("held", [b"x", b"1 2", b"-1\n", b"12345678901\n", b"\n" * 40, b"1\n{}"])
def test_a_lock_file_with_anything_else_is_not(tmp_path: Path, held: bytes) -> None:
    (tmp_path / "lock").write_bytes(held)

    with pytest.raises(NotOwnFileError):
        Lock(f"{tmp_path}/lock")
    assert (tmp_path / "lock").read_bytes() == held
