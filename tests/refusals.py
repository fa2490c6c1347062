"""A folder with files of all kinds, and what HEAT says of command lines that name them."""

import os
import shlex
from pathlib import Path

import pytest
from place import Place

from heat.app.cli import understand

BAD_FILE = """\
[monitor.web]
script = "./ok"
[monitor.db]
script = "./ok"
interval = 30
fail = "./nope"
"""


def lay_out(place: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Make scripts, logs and files of all kinds in the folder of the place, and go there."""
    monkeypatch.chdir(place.folder)
    place.script("ok", "exit 0")
    place.script("nointerp", "", "/no/such/sh")
    place.script("crlf", "exit 0", "/bin/sh\r")
    for name, encoding in (("marked", "utf-8-sig"), ("utf16", "utf-16"), ("late", "utf-8")):
        (place.folder / name).write_text("\n"[name != "late" :] + "#!/bin/sh\n", encoding=encoding)
        (place.folder / name).chmod(0o755)
    place.script("envless", "", "/usr/bin/env no-such-program")
    place.script("dirinterp", "", "/")
    for name, text in (("noshebang", "exit 0\n"), ("empty", ""), ("bare", "#!\n"), ("plain", "x")):
        Path(name).write_text(text)
        Path(name).chmod(0o644 if name == "plain" else 0o755)
    Path("good.toml").write_text('[monitor.web]\nscript = "./ok"\ninterval = 30\n')
    Path("bad.toml").write_text(BAD_FILE)
    os.mkfifo("fifo", 0o755)
    Path("dangling").symlink_to("nowhere")
    Path("loop").symlink_to("loop")
    Path("badlogs/heat.log").mkdir(parents=True)
    for name in ("fifologs", "linklogs", "hardlogs"):
        Path(name).mkdir()
    os.mkfifo("fifologs/heat.log")
    Path("linklogs/heat.log").symlink_to("/dev/null")
    Path("hardlogs/heat.log").touch()
    Path("hardlogs/other").hardlink_to("hardlogs/heat.log")
    return place


def words(line: str) -> list[str]:
    """The words of a line as bash has them, ``$'...'`` included."""
    return [
        word.encode().decode("unicode_escape") if raw.startswith("$'") else word
        for raw, word in ((w, shlex.split(w.removeprefix("$"))[0]) for w in _raw(line))
    ]


def _raw(line: str) -> list[str]:
    parser = shlex.shlex(line, posix=False, punctuation_chars=False)
    parser.whitespace_split = True
    return list(parser)


def refusal(line: list[str]) -> str:
    request = understand(line)

    assert request.action == "watch"
    assert request.options is None
    assert all(diagnostic.hint for diagnostic in request.diagnostics)
    return "\n".join(str(diagnostic) for diagnostic in request.diagnostics)


def assert_refused(place: Place, line: str, message: str) -> None:
    """Hold that HEAT refuses this line so, and has written nothing."""
    text = refusal(words(line))

    assert message in text, text
    assert all(each.startswith(" ") or ": " in each for each in text.splitlines())
    assert not (place.folder / "heat.log").exists()


def assert_option_refused(place: Place, options: str, message: str) -> None:
    """Hold the same for these options of a line that is complete without them."""
    interval = "" if options.startswith("-i") else "-i 3 "
    assert_refused(place, f"{interval}{options} true", message)
