"""Row 17: stdout is closed, or its reader goes away or never reads."""

import contextlib
import fcntl
import os
import time

import pytest
from heat_process import FAILED, FAST, orderly, records
from place import Place
from processes import PATIENCE, until


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_heat_runs_with_standard_descriptors_closed(place: Place, closed: str) -> None:
    heat = place.heat(
        *("-i", FAST, "--count", "3", "-s", place.check(1, body="echo out; echo err >&2")),
        prefix=("sh", "-c", f'exec "$@" {closed}', "sh"),
    )

    assert heat.wait() == 1
    assert heat.log().count(": err\n") == 3
    assert heat.log().count("\n") == 3
    fails = [lines for kind, _, lines in records(heat.verbose()) if kind == "FAIL"]
    assert fails == [["out", "err", "[Exit Code 1]"]] * 3


def test_a_reader_that_goes_away_is_said_and_the_watching_goes_on(place: Place) -> None:
    reader, writer = os.pipe()
    first = place.folder / "first"
    with first.open("wb") as out:
        head = place.spawn(["head", "-1"], stdin=reader, stdout=out)
    os.close(reader)
    heat = place.heat("-i", FAST, "-s", place.check(1), stdout=writer)
    os.close(writer)
    assert head.wait(timeout=PATIENCE) == 0
    heat.await_news("stdout was closed by its reader")
    place.await_words("check.ran", 6)

    assert heat.stop() == 0
    assert first.read_text().endswith(f": {FAILED}\n")
    assert heat.err.read_text().count("stdout was closed") == 1
    assert heat.log().count("Exit Code 1") >= 5


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_reader_that_never_reads_does_not_hold_heat_up(place: Place, stream: str) -> None:
    receiver = place.receiver()
    reader, writer = os.pipe()
    size = fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    # Room for a line or two.
    os.write(writer, bytes(size - 200))
    words = ("-i", FAST, "--pid", str(receiver.pid), "-s", place.check(1))
    heat = (
        place.heat(*words, stdout=writer)
        if stream == "stdout"
        else place.heat(*words, stderr=writer)
    )
    os.close(writer)
    ran = place.await_words("check.ran", 6)
    until(lambda: f"cannot write to {stream}: nobody reads it" in heat.verbose(), "the news")
    os.set_blocking(reader, False)
    while True:
        with contextlib.suppress(BlockingIOError):
            os.read(reader, 65536)
        if f"{stream} can be written again; " in heat.verbose():
            break
        time.sleep(0.01)

    assert heat.stop() == 0
    os.close(reader)
    assert len(ran) >= 6
    orderly(heat)


def test_a_terminal_that_nobody_reads_does_not_hold_heat_up(place: Place) -> None:
    master, slave = os.openpty()
    words = ("-i", "0.01", "--json", "--name", "x" * 64, "-s", place.check(0))
    heat = place.heat(*words, stdout=slave, stderr=slave)
    until(lambda: "cannot write to stdout: nobody reads it" in heat.verbose(), "the news")
    place.await_words("check.ran", len(place.words("check.ran")) + 10)

    assert os.get_blocking(slave)
    assert heat.stop() == 0
    os.close(master)
    os.close(slave)


def test_a_full_disk_behind_stdout_does_not_stop_the_watching(place: Place) -> None:
    with open("/dev/full", "wb") as full:
        heat = place.heat("-i", FAST, "--count", "4", "-s", place.check(1), stdout=full)

    assert heat.wait() == 1
    assert heat.err.read_text().count("cannot write to stdout: no space left on device") == 1
    assert heat.log().count("Exit Code 1") == 4
