"""Scripts of an earlier HEAT: their end is seen, and their exit is left to their parent."""

import os
import signal

import pytest
from bench import Bench
from processes import descriptors_left, until

from heat.process.identity import Held, group_leader, identity
from heat.process.program import Program
from heat.process.reaper import reap_strangers


def test_a_child_of_somebody_else_that_was_taken_up_is_reaped_by_nobody_but_its_run(
    bench: Bench,
) -> None:
    pid = os.posix_spawn("/bin/sleep", ["sleep", "600"], {}, setpgroup=0)
    pidfd = os.pidfd_open(pid)
    held = Held(pid, identity(pid, pidfd))
    os.close(pidfd)
    starter = bench.launcher.take_up(held)
    assert starter is not None
    child = starter.start(Program("sleep", "sleep", ("sleep",)), bench.loop.stop, bench)
    child.signal_group(signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    reap_strangers(bench.launcher.own)

    assert os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT) is not None
    bench.loop.run()
    child.reap()
    with pytest.raises(ChildProcessError):
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG)


def test_without_descriptors_a_script_of_an_earlier_heat_is_not_taken_for_ended(
    bench: Bench,
) -> None:
    variables = {"HEAT_NAME": f"web-{os.getpid()}"}  # Tests that run elsewhere have others.
    pid = os.posix_spawn("/bin/sleep", ["sleep", "600"], variables, setpgroup=0)
    # The kernel lets the spawner go on a moment before the environment is in its place.
    until(lambda: bench.launcher.find(variables) is not None, "its environment")
    held = bench.launcher.find(variables)
    assert held is not None
    for left in range(2):
        with descriptors_left(left), pytest.raises(OSError, match="Too many open files"):
            bench.launcher.take_up(held)
    with descriptors_left(0), pytest.raises(OSError, match="Too many open files"):
        group_leader(pid)
    starter = bench.launcher.take_up(held)
    assert starter is not None
    child = starter.start(Program("sleep", "sleep", ("sleep",)), bench.loop.stop, bench)
    child.signal_group(signal.SIGKILL)
    bench.loop.run()
    child.reap()
