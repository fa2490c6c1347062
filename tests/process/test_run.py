"""A run: its time limit, and how HEAT kills its whole group."""

import signal
import time
from pathlib import Path

from bench import Bench
from processes import alive, process_state, until

from heat.process.program import Status


def test_a_hanging_check_fails_at_its_timeout_and_then_dies(bench: Bench) -> None:
    run = bench.sh("exec sleep 600", timeout=0.05)

    assert bench.verdicts == ["timed out", "gone"]
    assert run.timed_out
    assert not alive(run.pid)


def test_a_stopped_check_is_continued_to_die(bench: Bench) -> None:
    line = "trap 'echo TERM; exit 3' TERM; kill -STOP $$; sleep 600"
    run = bench.start("/bin/sh", "-c", line, timeout=None)
    until(lambda: process_state(run.pid) == "T", "the stop")
    run.limit_from_now(0.05)
    bench.loop.run()

    assert bench.verdicts == ["timed out", "gone"]
    printed = b"".join(output.stdout.data for output in bench.outputs)
    assert printed == b"TERM\n", "it was killed while it was stopped"
    assert run.status == Status(3)


def test_what_ignores_term_is_killed_with_its_whole_group(bench: Bench, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    began = time.monotonic()
    bench.sh(
        f"trap '' TERM; (trap '' TERM; sh -c 'echo $PPID' >>{pids}; sleep 600) & "
        f"echo $$ >>{pids}; while :; do sleep 1; done",
        timeout=0.2,
    )

    assert time.monotonic() - began >= 2.2
    for pid in pids.read_text().split():
        until(lambda pid=pid: not alive(int(pid)), f"the end of {pid}")  # type: ignore[misc]


def test_what_outlives_its_leader_is_killed_two_seconds_later(bench: Bench, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    began = time.monotonic()
    bench.sh(
        f"(trap '' TERM; sh -c 'echo $PPID' >{pid}; while :; do sleep 1; done) & "
        "trap 'exit 0' TERM; while :; do sleep 0.1; done",
        timeout=0.3,
    )

    until(lambda: not alive(int(pid.read_text())), "the end of the grandchild")
    assert time.monotonic() - began >= 2.3


def test_a_limit_from_now_is_not_moved_by_what_was_lost_before(bench: Bench) -> None:
    run = bench.start("sleep", "600", timeout=None)
    bench.loop.lost += 600  # HEAT was stopped in the meantime.
    run.limit_from_now(0.05)

    assert 0 < run.time_left <= 0.05
    bench.loop.run()
    assert bench.verdicts == ["timed out", "gone"]


def test_stop_kills_a_run_and_stop_hard_does_not_wait(bench: Bench) -> None:
    run = bench.start("/bin/sh", "-c", "trap '' TERM; while :; do sleep 1; done")
    bench.loop.at(bench.clock.now() + 0.2, run.stop, bench)
    bench.loop.at(bench.clock.now() + 0.3, run.stop_hard, bench)
    bench.loop.run()

    assert bench.verdicts == ["gone"]
    assert run.stopped
    assert run.duration >= 0.3
    assert run.status == Status(None, signal.SIGKILL)

    run.stop()
    run.stop_hard()
