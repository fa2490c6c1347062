"""Row 2: the N-th system call fails, once or from then on."""

import re

import pytest
from heat_process import FAILED, FAST, orderly, records
from place import Place
from processes import until
from strace import SPAWN, failing, injected, injecting, needs_strace


@needs_strace
@pytest.mark.parametrize(
    ("call", "path"),
    [
        ("pipe2:EMFILE", ""),
        (f"{SPAWN}:EAGAIN", ""),
        (f"{SPAWN}:ENOMEM", ""),
        ("pidfd_open:EMFILE", ""),
        ("pidfd_open:ENOMEM", ""),
        ("epoll_ctl:ENOMEM", ""),
        ("epoll_ctl:ENOSPC", ""),
        (f"{SPAWN}:ENOSPC", ""),
        ("pipe2:EDQUOT", ""),
        ("?epoll_wait,?epoll_pwait:EINTR", ""),
        ("waitid:ECHILD", ""),
        ("kill:EPERM", ""),
        ("?select,?pselect6:ENOMEM", ""),
        ("openat:EMFILE", ""),
        ("write:ENOSPC", "heat.log"),
        ("write:EIO", "heat.verbose.log"),
        ("?newfstatat,?stat,?lstat:EIO", "heat.verbose.log"),
        ("openat:ENOSPC", "heat.check.out"),
        ("write:ENOSPC", "heat.check.out"),
        ("lseek:EIO", "heat.check.out"),
        ("pidfd_send_signal:EPERM", ""),
    ],
)
def test_a_system_call_that_fails_loses_no_record_and_makes_no_check_pass(
    place: Place, call: str, path: str
) -> None:
    receiver = place.receiver()
    fail = place.script("fail", "echo $HEAT_FAIL_CNT")
    heat = place.heat(
        *("-i", "0.02", "--pid", str(receiver.pid), "--fail", fail),
        *("--threshold", "1000000", "--fault-signal", "USR1"),
        *("-s", place.script("check", "exit 1")),
    )
    heat.await_line("Failed")
    for when in ("1", "2", "3"):
        with failing(place, heat, call, when, path) as trace:
            injected(heat, trace)
    with failing(place, heat, call, "1..4", path) as trace:
        injected(heat, trace, 4)
    before = len(heat.lines())
    until(lambda: len(heat.lines()) > before + 2, "further checks")

    assert heat.stop() == 0
    orderly(heat)
    written = records(heat.verbose())
    results = [line.partition(":")[0] for line in heat.lines()]
    assert set(results) <= {"Failed", "Unknown"}
    fails = sum(kind == "FAIL" and program == "./check" for kind, program, _ in written)
    unknown = sum(kind == "ERR" and program == "./check" for kind, program, _ in written)
    dropped = re.findall(r"stdout can be written again; (\d+) of its lines", heat.verbose())
    assert fails + unknown == len(results) + sum(map(int, dropped))
    assert heat.log().count("Exit Code 1") == fails


@needs_strace
@pytest.mark.parametrize(
    ("call", "path"),
    [
        ("pipe2:EMFILE", ""),
        ("?epoll_create1,?epoll_create:EMFILE", ""),
        ("pidfd_open:EMFILE", ""),
        ("openat:ENOSPC", "heat.log"),
        ("write:ENOSPC", "heat.verbose.log"),
    ],
)
def test_a_system_call_that_fails_at_the_start_is_told_in_a_sentence(
    place: Place, call: str, path: str
) -> None:
    receiver = place.receiver()
    words = ("-i", FAST, "--count", "1", "--pid", str(receiver.pid))
    for when in ("1", "2", "3", "4"):
        there = place.inner(when)
        prefix = [*injecting(there, call, when, path), "-D"]
        heat = there.heat(*words, "-s", there.check(1), prefix=prefix)

        code = heat.wait()
        orderly(heat)
        unknown = [line for line in heat.lines() if line.startswith("Unknown: ")]
        assert code == 0 if unknown else code in {1, 2, 3}
        assert heat.lines() in ([], [FAILED], unknown)
        assert heat.err.read_text().strip()
