"""Signals and descriptors that HEAT inherits: it heeds the ones and keeps the others to itself."""

import os
import signal
import sys

import pytest
from heat_process import orderly
from place import Place
from processes import alive, until

from heat.process import inherited

AT_A_MOMENT = """
import os, runpy, sys
moment, signum = sys.argv[1], int(sys.argv[2])

def hook(event, args):
    if event == "import" and args[0] == moment:
        open("moment", "w").close()
        os.kill(os.getpid(), signum)

sys.addaudithook(hook)
del sys.argv[1:6]
runpy.run_module("heat", run_name="__main__", alter_sys=True)
"""
"""A HEAT that gets a signal just before it loads a module."""

READER_HANGS = """
import os, runpy, signal, sys
import heat.app.loader

def hangs(*_):
    with open("reader", "w") as told:
        print(os.getpid(), file=told)
    signal.pause()

heat.app.loader.look = hangs
del sys.argv[1:4]
runpy.run_module("heat", run_name="__main__", alter_sys=True)
"""

MOMENTS = (
    *(
        "heat.app.cli",
        "heat.runtime.kernel",
        "docopt",
        "heat.config.preflight",
        "heat.app.service",
        "heat.monitor.monitor",
    ),
    *("transitions", "heat.monitor.counters", "heat.control.server"),
)


# Signals


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize(
    ("signum", "status"), [(signal.SIGTERM, 0), (signal.SIGQUIT, 0), (signal.SIGINT, 130)]
)
def test_a_signal_that_stops_heat_while_it_starts_is_an_orderly_end(
    place: Place, moment: str, signum: int, status: int
) -> None:
    prefix = (sys.executable, "-c", AT_A_MOMENT, moment, str(int(signum)))
    words = ("-i", "1h", "--control", "heat.sock", "-s", place.check(0))
    heat = place.heat(*words, prefix=prefix)

    assert heat.wait() == status
    orderly(heat)
    assert (place.folder / "moment").exists()
    assert not (place.folder / "check.ran").exists()
    assert not (place.folder / "heat.sock").exists()


def test_a_signal_while_the_configuration_is_read_ends_what_reads_it(place: Place) -> None:
    heat = place.fleet("", prefix=(sys.executable, "-c", READER_HANGS))
    reader = place.adopt(int(place.await_words("reader")[0]))
    heat.signal(signal.SIGTERM)

    assert heat.wait() == 0
    until(lambda: not alive(reader), "the end of what reads the configuration")


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGQUIT])
def test_signals_that_a_shell_has_its_background_jobs_ignore_do_not_end_a_heat_that_starts(
    place: Place, signum: int
) -> None:
    ignoring = ("sh", "-c", "trap '' INT QUIT; exec \"$@\"", "sh")
    starts = (sys.executable, "-c", AT_A_MOMENT, "heat.config.preflight", str(int(signum)))
    heat = place.heat("-i", "1h", "-s", place.check(0), prefix=(*ignoring, *starts))
    heat.await_line("OK")

    assert (place.folder / "moment").exists()
    assert heat.stop() == 0


# Descriptors

LOCKED = ("sh", "-c", 'exec 9>lock 8<heat.toml; flock -n 9; exec "$@"', "sh")
SHOW = "ls -l /proc/self/fd | grep -e '/lock$' -e '/heat.toml$' > shown.%s; true"


def held(place: Place) -> bool:
    """Return whether somebody holds the lock."""
    done = place.spawn(["flock", "-n", "lock", "true"])
    return done.wait() != 0


def test_a_lock_that_heat_was_started_with_is_free_once_heat_has_ended(place: Place) -> None:
    (place.folder / "heat.toml").touch()
    service = "sh -c 'echo $$ > service; exec sleep 600' &"
    heat = place.heat(
        *("-i", "1h", "--fail", place.script("fail", SHOW % "fail")),
        *("--recovery", place.script("recover", f"{service}\n{SHOW % 'recover'}")),
        *("-s", place.check(1, body=SHOW % "check")),
        prefix=LOCKED,
    )
    service_pid = place.adopt(int(place.await_words("service")[0]))
    heat.await_line("Failed", 2)
    assert held(place)

    assert heat.stop() == 0
    assert alive(service_pid)
    assert not held(place)
    for who in ("fail", "recover", "check"):
        assert place.words(f"shown.{who}") == []


def test_sockets_that_systemd_passes_to_heat_are_not_for_its_checks(place: Place) -> None:
    variables = {"LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid()), "LISTEN_FDNAMES": "web"}
    heat = place.heat(
        *("-i", "1h", "--count", "1", "-s", place.check(1, body="env | grep LISTEN_; true")),
        env={**os.environ, **variables, "LISTEN_PIDFDID": "17"},
    )

    assert heat.wait() == 1
    assert "LISTEN_" not in heat.verbose()


def test_without_proc_descriptors_are_found_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refused(_path: str) -> list[str]:
        raise FileNotFoundError

    fd = os.open(os.devnull, os.O_RDONLY)
    os.set_inheritable(fd, True)
    monkeypatch.setattr(os, "listdir", refused)
    inherited._keep_descriptors()  # pyright: ignore[reportPrivateUsage]
    monkeypatch.undo()

    assert not os.get_inheritable(fd)
    os.close(fd)
