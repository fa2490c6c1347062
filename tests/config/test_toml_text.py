"""Files that are not TOML, or cannot be read."""

import os
from pathlib import Path

import pytest
from toml_files import WEB, Bad, assert_bad, lay_out, lines_of, mistakes_of

from heat.config.toml_file import sound_part
from heat.config.toml_text import LARGEST

BAD = [
    # the file as a whole
    Bad("", "has no monitors", "write one: [monitor.NAME]"),
    Bad("# nothing\n", "has no monitors"),
    Bad("[monitor]\n", "has no monitors"),
    Bad("[defaults]\ninterval = 30\n", "has no monitors"),
    Bad("\ufeff" + WEB, "line 1: it begins with a byte order mark", "without one"),
    Bad(WEB + 'fail = "a\0"\n', "line 4: contains a NUL", "leave it out"),
    Bad(WEB + "count = " + "[" * 5000, "lists or tables are nested too deeply"),
    Bad(WEB + "count = " + "9" * 5000, "line 4: a number is too large to be read"),
    # syntax
    Bad(WEB + "timeout = 5m\n", "line 4: the line should end here", 'interval = "5m"'),
    Bad(WEB + "fail = ./ok\n", "line 4: this is not a value", 'script = "./check"'),
    Bad(WEB + "fail = \n", "line 4: this is not a value"),
    Bad(WEB + 'fail = "./ok\n', "line 4: a text is not closed on its line", "close its quotes"),
    Bad(WEB + "fail = '''./ok", "at the end: a text is not closed"),
    Bad(WEB + 'fail = "a\x1bb"\n', "line 4: a control character, '\\x1b'", "leave it out"),
    Bad(WEB + 'fail = "\\d"\n', "line 4: a single '\\' in a text", "write it twice"),
    Bad(WEB + "fail\n", "line 4: '=' is missing behind the key"),
    Bad(WEB + "= 3\n", "line 4: neither a key nor a table", "write KEY = VALUE"),
    Bad(WEB + "command = ['a'", "at the end: a list is not closed", "close it"),
    Bad(WEB + "interval = 3\n", "line 4: this key is given twice", "leave one of them out"),
    Bad(WEB + WEB, "line 4: [monitor.web] is defined twice", "rename it"),
    Bad("monitor.web = {a = 1, a = 2}\n", "line 1: 'a' is given twice"),
    Bad("monitor = {}\nmonitor.web = {}\n", "line 2: this table is defined already"),
    Bad(WEB + "count = 2023-02-30\n", "line 4: invalid date or datetime", "toml.io"),
]  # fmt: skip


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return lay_out(tmp_path, monkeypatch)


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.complaint[:60])
def test_files_that_are_not_toml_are_refused(bad: Bad) -> None:
    assert_bad(bad)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (WEB.encode() + b"fail = '\xff'\n", "line 4: byte 0xff is not UTF-8"),
        (WEB.encode("utf-16"), "line 1: byte 0xff is not UTF-8"),
        (WEB.encode() + b"# \xc3", "line 4: byte 0xc3 is not UTF-8"),
    ],
)
def test_bytes_that_are_no_text(data: bytes, message: str) -> None:
    assert [each.message for each in mistakes_of(data)] == [f"heat.toml: {message}"]


def test_a_file_of_a_megabyte_is_read_and_a_larger_one_is_not(start: Path) -> None:
    path = start / "heat.toml"
    path.write_text(WEB + "#" * (LARGEST - len(WEB)))

    assert sound_part("heat.toml", str(path))[1] == []

    path.write_text(WEB + "#" * (LARGEST - len(WEB) + 1))
    _, (diagnostic,) = sound_part("heat.toml", str(path))
    assert diagnostic.message == "heat.toml: is larger than 16 MB (16000000 bytes)"
    assert diagnostic.hint


def test_control_characters_in_a_files_name_are_escaped(start: Path) -> None:
    assert sound_part("a\nb", str(start / "a\nb"))[1][0].message == "a\\nb: no such file"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(start: Path) -> None:
    (start / "etc/heat.toml").chmod(0)

    assert lines_of("--config", "etc/heat.toml")[0].startswith(
        "etc/heat.toml: may not be read by this user\n  let the user"
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="it is root that is kept from such files")
def test_as_root_a_file_that_anybody_may_write_to_is_refused(start: Path) -> None:
    (start / "etc/heat.toml").chmod(0o666)
    path = start / "etc/heat.toml"

    assert lines_of("--config", "etc/heat.toml") == [
        f"etc/heat.toml: may be written to by anybody, and HEAT runs as root\n  chmod go-w {path}"
    ]

    path.chmod(0o644)
    (start / "etc/ok").chmod(0o757)
    os.chdir(start)
    why = "./ok may be written to by anybody, and HEAT runs as root"
    assert lines_of("--config", "etc/heat.toml") == [
        f"etc/heat.toml: monitor.web.script: {why}\n  chmod go-w {start}/etc/ok"
    ]
