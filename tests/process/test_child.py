"""A started program: its exit, and its output."""

import os
import signal

import pytest
from bench import Bench
from processes import descriptors_left

from heat.process.output import Printed
from heat.process.program import Output, Program, Status


@pytest.mark.parametrize("code", [0, 1, 7, 255])
def test_the_exit_code_is_what_it_is(bench: Bench, code: int) -> None:
    run = bench.sh(f"exit {code}")

    assert run.status == Status(code)
    assert bench.verdicts == ["ended", "gone"]


def test_a_signal_is_told_from_an_exit_code(bench: Bench) -> None:
    assert bench.sh("kill -9 $$").status == Status(None, signal.SIGKILL)
    assert bench.sh("exit 137").status == Status(137)


def test_both_streams_are_taken_apart(bench: Bench) -> None:
    bench.sh("echo out; echo err >&2; exit 1")

    assert bench.outputs[0] == Output(Printed(b"out\n", 4), Printed(b"err\n", 4))


def test_more_than_a_pipe_holds_is_taken_while_it_runs(bench: Bench) -> None:
    bench.sh("head -c 300000 /dev/zero | tr '\\0' x; echo end >&2; exit 3")

    stdout, stderr = bench.outputs[0]
    assert b"[234464 bytes cut here]" in stdout.within()
    assert stderr.within() == b"end\n"


def test_a_lost_exit_status_is_unknown_and_never_0(bench: Bench) -> None:
    run = bench.start("/bin/true")
    os.waitpid(run.pid, 0)
    bench.loop.run()

    assert run.status == Status(None, None)


def test_without_descriptors_a_group_is_not_taken_for_empty(bench: Bench) -> None:
    child = bench.launcher.start(Program("true", "/bin/true", ("true",)), bench.loop.stop, bench)
    bench.loop.run()

    with descriptors_left(0):
        assert not child.alone()
    assert child.alone()
    child.reap()
    child.close()
