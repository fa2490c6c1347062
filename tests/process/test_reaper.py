"""Children that HEAT did not start: HEAT reaps them, and no others."""

import os
import shutil

import pytest
from bench import Bench
from place import Place

from heat.process.program import Status
from heat.process.reaper import reap_strangers


def test_behind_a_dead_program_that_is_kept_for_its_group_a_stranger_is_reaped(
    bench: Bench,
) -> None:
    run = bench.start("/bin/sh", "-c", "exit 7")
    os.waitid(os.P_PID, run.pid, os.WEXITED | os.WNOWAIT)
    stranger = os.posix_spawn("/bin/true", ["true"], {})
    os.waitid(os.P_PID, stranger, os.WEXITED | os.WNOWAIT)
    reap_strangers(bench.launcher.own)

    with pytest.raises(ChildProcessError):
        os.waitid(os.P_PID, stranger, os.WEXITED | os.WNOHANG)
    bench.loop.run()
    assert run.status == Status(7)


def test_of_many_dead_strangers_some_are_reaped_at_a_time(bench: Bench) -> None:
    strangers = [os.posix_spawn("/bin/true", ["true"], {}) for _ in range(300)]
    for pid in strangers:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)

    assert not reap_strangers(bench.launcher.own)
    assert os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    assert reap_strangers(bench.launcher.own)
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("unshare") is None, reason="needs a pid namespace"
)
def test_as_process_1_heat_reaps_the_orphans_it_inherits(place: Place) -> None:
    place.script("orphan", "setsid sh -c 'sleep 0.05 & exec true' & wait; exit 0")
    place.script("zombies", "sleep 0.3; grep -l '^State:.Z' /proc/[0-9]*/status | wc -l")
    place.script("both", "./orphan; ./zombies")
    heat = place.heat(
        *("-i", "0.4", "--count", "3", "-s", "./both"),
        prefix=("unshare", "--pid", "--fork", "--mount-proc"),
    )

    assert heat.wait() == 0
    counts = [line[2:] for line in heat.verbose().splitlines() if line[2:].isdigit()]
    assert counts == ["0", "0", "0"]
