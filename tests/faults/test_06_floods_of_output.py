"""Row 6: a flood of output, without newlines, or binary."""

import re

from heat_process import FAST, memory, records
from place import Place
from processes import until


def test_a_gigabyte_of_output_is_cut_and_takes_no_memory(place: Place) -> None:
    flood = "head -c 1000000000 /dev/zero; head -c 20000000 /dev/urandom >&2; echo; echo end"
    check = place.check(1, body=f"[ $n = 0 ] || {{ {flood}; }}")
    heat = place.heat("-i", FAST, "-t", "none", "-s", check)
    heat.await_line("Failed")
    before = memory(heat, "VmHWM")
    heat.await_line("Failed", 2)
    until(lambda: heat.verbose().count("[Exit Code 1]") >= 2, "the record")
    after = memory(heat, "VmHWM")

    assert heat.stop() == 0
    written = records(heat.verbose())
    (flooded,) = [lines for kind, _, lines in written if kind == "FAIL" and len(lines) > 1][:1]
    marks = [line for line in flooded if re.fullmatch(r"\[\d+ bytes cut here\]", line)]
    assert len(marks) == 2
    assert sum(int(mark[1:].split()[0]) for mark in marks) > 1_019_000_000
    assert flooded[0].startswith(r"\x00\x00")
    assert flooded[-1] == "[Exit Code 1]"
    assert "end" in flooded
    assert after - before < 4096


def test_binary_output_reaches_no_terminal_and_no_log_as_it_is(place: Place) -> None:
    output = bytes(range(256)) + "\u202e\u2028\u2029\u2066\u061c\u0085 grün\n".encode()
    (place.folder / "output").write_bytes(output)
    heat = place.heat(
        "-i", FAST, "--count", "1", "-s", place.script("check", "cat output >&2; exit 1")
    )

    assert heat.wait() == 1
    for name in ("heat.log", "heat.verbose.log", "stdout", "stderr"):
        text = (place.folder / name).read_bytes().decode()
        assert all(c == "\n" or c.isprintable() for c in text), name
    log = heat.log()
    for shown in (r"\x00", r"\x1b", r"\x7f", r"\x80", r"\xff", r"\u202e", r"\u2028", "grün"):
        assert shown in log
