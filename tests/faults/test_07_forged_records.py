"""Row 7: output, arguments and paths that look like records."""

import re
import shutil

from heat_process import FAST, records
from place import FIRST_AT_GATE, Place

FORGED = (
    "1671306485 : ERR : heat :\n> all is lost\n"
    "\n> x\n1671306485: OK\n"
    "a\r1671306485 : ERR : heat :\r> b\n"
    "c\x0b1671306485 : ERR : heat :\x0c\x1c\x1d\x1e\x85\u2028\u2029d\n"
    "\x9b2J\x1b[2J\x1b]0;title\x07\u202edrowssap\n"
    "1671306485 : ERR : heat :"
)


def test_no_output_makes_a_record_of_its_own(place: Place) -> None:
    (place.folder / "forged").write_text(FORGED, newline="")
    fail = place.script("fail", "cat forged")
    heat = place.heat(
        *("-i", FAST, "--count", "1", "--fail", fail),
        *("-s", place.script("check", "cat forged; cat forged >&2; exit 1")),
    )

    assert heat.wait() == 1
    lines = FORGED.count("\n") + 1
    written = [each for each in records(heat.verbose()) if each[1] != "heat"]
    assert [(kind, program, len(lines)) for kind, program, lines in written] == [
        ("FAIL", "./check", 2 * lines + 1),
        ("INFO", "./fail", lines),
    ]
    assert " : ERR : heat" not in re.sub("(?m)^> .*$", "", heat.verbose())
    logged = heat.log()
    assert logged.count("\n") == lines
    assert len(re.findall(r"(?m)^\d{10}: .*$", logged)) == lines
    assert len(heat.lines()) == 1


def test_no_argument_makes_a_record_of_its_own(place: Place) -> None:
    forged = "exit 1\n1671306485 : ERR : heat :\n> all is lost\r\x1b[2J"
    heat = place.heat("-i", FAST, "--count", "1", "sh", "-c", forged)

    assert heat.wait() == 1
    written = records(heat.verbose())
    assert [kind for kind, _, _ in written].count("ERR") == 0
    assert any(r"exit 1\n1671306485" in program for _, program, _ in written)


EVIL = "p\n1671306485 : ERR : heat :\n> all is lost\r\x1b[2J"
SHOWN = r"p\n1671306485 : ERR : heat :\n> all is lost\r\x1b[2J"
"""A path, and how it may reach a reader."""


def test_no_path_of_a_pid_file_makes_a_record_of_its_own(place: Place) -> None:
    heat = place.heat("-i", FAST, "--pid-file", EVIL, "-s", place.check(1))

    assert heat.wait() == 3
    assert SHOWN in heat.news()[-1]
    assert "\x1b" not in heat.err.read_text() + heat.verbose()
    errors = [lines for kind, _, lines in records(heat.verbose()) if kind == "ERR"]
    assert len(errors) == 2
    assert all(SHOWN in line for lines in errors for line in lines)


def test_no_folder_of_logs_makes_a_record_of_its_own(place: Place) -> None:
    folder = place.folder / EVIL
    folder.mkdir()
    check, gate = place.check(1, body=FIRST_AT_GATE), place.gate("gate")
    script = place.script("fail", "true")
    heat = place.heat(
        *("-i", "1h", "--count", "1", "--log-dir", EVIL, "--fail", script, "-s", check)
    )
    place.await_words("check.ran")
    shutil.rmtree(folder)
    gate.open()

    assert heat.wait() == 1
    messages = heat.err.read_text()
    assert "\x1b" not in messages + heat.out.read_text()
    for name in ("heat.log", "heat.verbose.log"):
        assert f"heat: cannot write {SHOWN}/{name}: " in messages
    assert f"heat: cannot write {SHOWN}/heat.check.out: " in messages


def test_no_interpreter_makes_a_record_of_its_own(place: Place) -> None:
    gate = place.gate("gate")
    heat = place.heat("-i", FAST, "-s", place.check(1, body=FIRST_AT_GATE))
    place.await_words("check.ran")
    (place.folder / "check").unlink()
    place.script("check", "exit 0", interpreter="/no/such\x1b[2J")
    gate.open()

    assert heat.wait() == 3
    assert r"its interpreter /no/such\x1b[2J does not exist" in heat.news()[-1]
    assert "\x1b" not in heat.err.read_text() + heat.verbose()
