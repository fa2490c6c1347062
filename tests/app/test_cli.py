"""The command line: its help, and what it refuses."""

import os
import re

import pytest
from heat_process import Heat
from place import Place
from processes import process_state, until

from heat import __version__


def refused(heat: Heat) -> list[str]:
    """The lines on stderr of a HEAT that does not begin."""
    assert heat.wait() == 2
    assert heat.out.read_text() == ""
    return heat.err.read_text().splitlines()


def test_help_tells_all_options(place: Place) -> None:
    heat = place.heat("--help")

    assert heat.wait() == 0
    text = heat.out.read_text()
    assert "Usage:\n  heat -i SECS [options] [--] COMMAND [ARG...]\n" in text
    for option in (
        *("--interval", "--script", "--timeout", "--pid", "--pid-file", "--signal", "--fail"),
        *("--fail-overlap", "--threshold", "--recovery", "--recovery-timeout", "--name"),
        *("--max-recoveries", "--success-threshold", "--fault-signal", "--success-signal"),
        *("--retry-interval", "--unknown-codes", "--warn-codes", "--recovery-interval"),
        *("--recovery-backoff", "--recovery-backoff-max", "--when-spent"),
        *("--script-timeout", "--start-period", "--on-killed", "--count", "--log-dir", "--json"),
        *("--quiet", "--help", "--version"),
    ):
        assert re.search(rf"(?m)^  (-., )?{option}\b", text), option
    assert heat.err.read_text() == ""
    assert place.heat("-h").wait() == 0


def test_version_tells_the_version(place: Place) -> None:
    heat = place.heat("--version")

    assert heat.wait() == 0
    assert heat.out.read_text() == f"heat {__version__}\n"


def test_neither_script_nor_command_is_refused(place: Place) -> None:
    assert refused(place.heat("-i", "1"))[0] == "Error: use either script or command"


def test_both_script_and_command_are_refused(place: Place) -> None:
    lines = refused(place.heat("-i", "1", "-s", place.check(0), "true"))

    assert lines[0] == "Error: use either script or command"


def test_all_mistakes_are_told_at_once_the_options_first(place: Place) -> None:
    lines = refused(place.heat("-i", "no", "--max-recoveries", "0", "--signal", "NIX", "true"))

    errors = [line for line in lines if line.startswith("Error: ")]
    assert errors == [
        "Error: --interval 'no' is not a duration",
        "Error: --signal 'NIX' is not a signal of this system",
        "Error: --max-recoveries '0' is not a count",
        "Error: --max-recoveries '0' has no effect without anything to do in recovery",
    ]


def test_a_script_that_cannot_run_is_refused_with_its_path_as_given(place: Place) -> None:
    (place.folder / "check").write_text("#!/bin/sh\n")
    (place.folder / "dos").write_bytes(b"#!/bin/sh\r\ntrue\r\n")
    (place.folder / "dos").chmod(0o755)
    missing = place.script("missing", "", "/no/such/interpreter")

    assert refused(place.heat("-i", "1", "-s", "./check"))[0] == "Failed: ./check not executable"
    assert "Failed: ./no not executable" in refused(place.heat("-i", "1", "-s", "./no"))
    lines = refused(place.heat("-i", "1", "-s", missing))
    assert any("/no/such/interpreter" in line for line in lines)
    lines = refused(place.heat("-i", "1", "-s", "./dos"))
    assert any("carriage return: /bin/sh" in line for line in lines)
    assert "Traceback" not in (place.folder / "stderr").read_text()


def test_a_command_that_is_not_there_is_refused(place: Place) -> None:
    lines = refused(place.heat("-i", "1", "no-such-program -x | grep y"))

    assert lines[0] == "Failed: no-such-program -x | grep y not found"
    assert "sh -c '" in lines[1]


def test_a_target_that_is_not_there_is_refused(place: Place) -> None:
    ended = place.spawn(["true"])
    until(lambda: process_state(ended.pid) == "Z", "a zombie")

    assert "zombie" in refused(place.heat("-i", "1", "--pid", str(ended.pid), "true"))[0]
    ended.wait()
    lines = refused(place.heat("-i", "1", "--pid", str(ended.pid), "true"))
    assert any(f"process {ended.pid} does not exist" in line for line in lines)


def test_logs_that_cannot_be_opened_are_refused(place: Place) -> None:
    lines = refused(place.heat("-i", "1", "--log-dir", "nowhere", "true"))

    assert "nowhere/heat.log" in lines[0]
    assert any("nowhere/heat.verbose.log" in line for line in lines)
    assert sorted(os.listdir(place.folder)) == ["stderr", "stdout"]


def test_what_is_refused_leaves_no_files_behind(place: Place) -> None:
    refused(place.heat("-i", "1", "--pid", "4194304", "true"))

    assert sorted(os.listdir(place.folder)) == ["stderr", "stdout"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root refuses what anybody may change")
def test_root_does_not_run_what_anybody_may_change(place: Place) -> None:
    check = place.check(0)
    (place.folder / "check").chmod(0o777)

    assert refused(place.heat("-i", "1", "-s", check))[0].startswith("Failed: ./check ")
