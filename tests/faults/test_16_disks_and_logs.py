"""Row 16: the disk is full and then freed, the log folder is removed, a log is rotated."""

import contextlib
import os
import signal
import subprocess
from pathlib import Path

import pytest
from heat_process import FAST, orderly, records
from place import Place
from processes import needs_root, until


@needs_root
def test_a_full_disk_is_said_once_and_written_again_when_there_is_room(place: Place) -> None:
    (place.folder / "logs").mkdir()
    mount = 'mount -t tmpfs -o size=64k none logs && exec "$@"'
    namespace = ("unshare", "--mount", "sh", "-c")
    probe = [*namespace, "mount -t tmpfs -o size=64k none logs"]
    if subprocess.run(probe, cwd=place.folder, check=False).returncode != 0:
        pytest.skip("no mount namespace")
    much = "x" * 500
    heat = place.heat(
        *("-i", FAST, "--log-dir", "logs", "-s", place.check(1, body=f"echo $n {much} >&2")),
        prefix=(*namespace, mount, "sh"),
    )
    heat.await_line("Failed", 2)
    logs = Path(f"/proc/{heat.pid}/root{place.folder}/logs")
    ballast = logs / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"x" * 4096):
            pass
    # Each log has what is left of its last page before there is no room.
    for name in ("heat.log", "heat.verbose.log"):
        heat.await_news(f"cannot write logs/{name}: no space left on device")
    before = len(heat.lines())
    heat.await_line("Failed", before + 5)
    ballast.unlink()
    for name in ("heat.log", "heat.verbose.log"):
        heat.await_news(f"logs/{name} can be written again; nothing was lost")
    verbose, failures = logs / "heat.verbose.log", logs / "heat.log"
    until(lambda: "can be written again" in verbose.read_text(), "the records")
    with failures.open() as kept_failures, verbose.open() as kept_verbose:
        assert heat.stop() == 0
        logged, written = kept_failures.read(), records(kept_verbose.read())

    count = len(heat.lines())
    assert heat.err.read_text().count("cannot write") == 2
    assert [line.split()[1] for line in logged.splitlines()] == list(map(str, range(count)))
    fails = [lines for kind, program, lines in written if (kind, program) == ("FAIL", "./check")]
    assert fails == [[f"{n} {much}", "[Exit Code 1]"] for n in range(count)]
    orderly(heat)


@pytest.mark.parametrize("hup", [False, True], ids=["", "and SIGHUP in between"])
def test_a_removed_log_folder_is_said_once_and_used_again_when_it_is_back(
    place: Place, *, hup: bool
) -> None:
    logs = place.folder / "logs"
    logs.mkdir()
    fail = place.script("fail", "echo failed")
    heat = place.heat(
        *("-i", FAST, "--log-dir", "logs", "--fail", fail, "-s", place.check(1)),
    )
    heat.await_line("Failed", 2)
    # What a script leaves behind may be made between our listing and our removing.
    logs.rename(place.folder / "old")
    heat.await_news("cannot write logs/heat.log: no such file or directory")
    heat.await_news("cannot write logs/heat.verbose.log: no such file or directory")
    if hup:
        heat.signal(signal.SIGHUP)
        heat.status()
    before = len(heat.lines())
    heat.await_line("Failed", before + 3)
    logs.mkdir()
    heat.await_news("logs/heat.log can be written again; nothing was lost")
    heat.await_news("logs/heat.verbose.log can be written again; nothing was lost")

    assert heat.stop() == 0
    orderly(heat)
    assert heat.err.read_text().count("cannot write") == 3
    assert heat.err.read_text().count("cannot write logs/heat.check.out") == 1
    both = heat.log("old/heat.log") + heat.log("logs/heat.log")
    assert both.count("Exit Code 1") == len(heat.lines())
    written = records(heat.log("old/heat.verbose.log")) + records(heat.log("logs/heat.verbose.log"))
    fails = [lines for kind, program, lines in written if (kind, program) == ("FAIL", "./check")]
    assert len(fails) == len(heat.lines())


@pytest.mark.parametrize("way", ["moved, SIGHUP", "moved", "deleted", "copytruncate"])
def test_a_rotated_log_is_followed(place: Place, way: str) -> None:
    heat = place.heat("-i", FAST, "-s", place.check(1))
    fails = 0
    for turn in range(3):
        before = len(heat.lines()) if heat.out.exists() else 0
        heat.await_line("Failed", before + 2)
        for name in ("heat.log", "heat.verbose.log"):
            log = place.folder / name
            until(log.exists, name)
            if way == "copytruncate":
                log.write_bytes(b"")
            elif way == "deleted":
                log.unlink()
            else:
                log.rename(place.folder / f"{name}.{turn}")
        if way == "moved, SIGHUP":
            heat.signal(signal.SIGHUP)
    heat.await_line("Failed", len(heat.lines()) + 2)

    assert heat.stop() == 0
    orderly(heat)
    now = heat.log()
    assert now
    assert "\0" not in now + heat.verbose()
    if way.startswith("moved"):
        every = now + "".join(heat.log(f"heat.log.{turn}") for turn in range(3))
        assert every.count("Exit Code 1") == len(heat.lines())
        written = [records(heat.log(f"heat.verbose.log.{turn}")) for turn in range(3)]
        for kind, program, lines in sum(written, records(heat.verbose())):
            fails += (kind, program, lines) == ("FAIL", "./check", ["[Exit Code 1]"])
        assert fails == len(heat.lines())


@pytest.mark.parametrize("instead", ["folder", "fifo", "link", "second name"])
def test_a_log_that_becomes_something_else_is_said_and_left_alone(
    place: Place, instead: str
) -> None:
    heat = place.heat("-i", FAST, "-s", place.check(1))
    heat.await_line("Failed")
    log, aside = place.folder / "heat.log", place.folder / "aside"
    victim = place.folder / "victim"
    victim.write_text("mine\n")
    log.rename(aside)
    if instead == "folder":
        log.mkdir()
    elif instead == "fifo":
        os.mkfifo(log)
    elif instead == "link":
        log.symlink_to(victim)
    else:
        log.hardlink_to(victim)
    heat.await_news("cannot write heat.log: ")
    heat.await_line("Failed", len(heat.lines()) + 2)
    if instead == "folder":
        log.rmdir()
    else:
        log.unlink()
    heat.await_news("heat.log can be written again; nothing was lost")

    assert heat.stop() == 0
    orderly(heat)
    assert victim.read_text() == "mine\n"
    assert (heat.log("aside") + heat.log()).count("Exit Code 1") == len(heat.lines())
