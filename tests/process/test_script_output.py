"""The output of fail and recovery scripts: a pipe, and a file within bounds."""

import os
import resource
from pathlib import Path

from desk import Desk
from processes import until

from heat.process.bounded_file import BOUND, append


def test_output_is_taken_and_kept_in_the_file(desk: Desk) -> None:
    desk.path.write_text("from before\n")
    output = desk.another()
    fd = output.open()
    assert fd is not None
    os.write(fd, b"one\n")

    assert output.take() == b"one\n"
    assert desk.path.read_text() == "from before\none\n"

    os.close(fd)
    until(lambda: output.take() == b"" and not output.held, "the end of the pipe")


def test_a_file_beyond_its_bound_keeps_its_latest_half(desk: Desk) -> None:
    for n in range(300):
        append(str(desk.path), b"%d %b\n" % (n, b"x" * 9_990))
        assert desk.path.stat().st_size <= BOUND

    lines = desk.path.read_text().splitlines()
    assert lines[-1].startswith("299 ")
    assert [len(line.split(" ")[1]) for line in lines] == [9_990] * len(lines)
    assert len(lines) > 40


def test_what_another_heats_keeper_appends_is_taken_too_and_in_order(desk: Desk) -> None:
    fd = desk.open()
    append(str(desk.path), b"theirs 1\n")
    os.write(fd, b"ours\n")
    desk.output.take()
    append(str(desk.path), b"theirs 2\n")

    assert desk.output.take() == b"theirs 2\n"
    assert desk.path.read_text() == "theirs 1\nours\ntheirs 2\n"
    os.close(fd)


def test_a_file_that_cannot_be_written_is_reported_once_and_nothing_is_lost(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "no" / "heat.web.out")
    fds = [desk.open(), desk.open()]
    for fd in fds:
        os.write(fd, b"line\n")
        os.close(fd)

    assert desk.output.take() == b"line\nline\n"
    (report,) = desk.reports
    assert "heat.web.out: no such file or directory" in report
    assert "only in heat.verbose.log" in report

    desk.path.parent.mkdir()
    fd = desk.open()
    os.write(fd, b"again\n")
    os.close(fd)
    # The keeper has the pipe's other end for a moment too, as it is a fork.
    until(lambda: not (desk.output.take() or desk.output.held), "the end of the scripts")
    assert desk.path.read_text() == "again\n"
    desk.keeper.close()
    desk.launcher.close()
    desk.loop.close()


def test_a_disk_that_stays_full_is_reported_once_and_not_with_each_script(desk: Desk) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        for _ in range(2):
            fd = desk.open()  # An empty write succeeds on a full disk.
            os.write(fd, b"line\n")
            os.close(fd)
            desk.output.take()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    (report,) = desk.reports
    assert "heat.web.out: file too large" in report


def test_the_output_of_a_service_is_reported_without_a_tick(desk: Desk) -> None:
    outputs: list[bytes] = []

    def printed() -> None:
        outputs.append(desk.output.take())
        desk.loop.stop()

    desk.output.printed = printed
    fd = desk.open()
    os.write(fd, b"of a service\n")
    desk.loop.run()

    assert outputs == [b"of a service\n"]
    os.close(fd)
