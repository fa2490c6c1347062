"""A start of HEAT needs some things of the machine; without one it prints a line and exits 2."""

import os
import resource
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

import pytest
from place import Place
from processes import PATIENCE

SCRIPTS = Path(sysconfig.get_path("scripts"))
PLAIN = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
NAMESPACE = ("unshare", "--mount", "sh", "-c")
NO_DEV = 'mount -t tmpfs none /dev && exec "$@"'
A_FILE = 'mount -t tmpfs none /dev && : > /dev/null && exec "$@"'
WATCH = ("-i", "0.05", "--count", "1", "true")


def namespaces() -> bool:
    command = [*NAMESPACE, "mount -t tmpfs none /dev"]
    return os.geteuid() == 0 and subprocess.run(command, check=False).returncode == 0


needs_namespace = pytest.mark.skipif(not namespaces(), reason="no mount namespace")


def run(place: Place, words: Sequence[str | Path], **popen: object) -> tuple[int, str, str]:
    process = place.spawn([str(word) for word in words], env=PLAIN, stdout=-1, stderr=-1, **popen)
    out, err = process.communicate(timeout=PATIENCE)
    return process.returncode, out.decode(), err.decode()


@needs_namespace
@pytest.mark.parametrize(
    ("dev", "why"),
    [
        (NO_DEV, "/dev/null cannot be opened: no such file or directory; make it"),
        (A_FILE, "/dev/null is not a device; remove it and make it"),
    ],
)
def test_without_dev_null_heat_says_so(place: Place, dev: str, why: str) -> None:
    code, out, err = run(place, [*NAMESPACE, dev, "sh", sys.executable, "-m", "heat", *WATCH])

    assert (code, out) == (2, "")
    assert err == f"Error: {why}: mknod -m 666 /dev/null c 1 3\n"


@needs_namespace
def test_without_dev_null_heatctl_needs_none_or_says_so(place: Place) -> None:
    ctl = f'"{sys.executable}" -m heat.ctl --version'

    well = run(place, [*NAMESPACE, NO_DEV, "sh", "sh", "-c", ctl])
    closed = run(place, [*NAMESPACE, NO_DEV, "sh", "sh", "-c", f"{ctl} <&-"])

    assert well[0] == 0
    assert closed[0] == 2
    assert closed[2] == "Error: /dev/null cannot be opened: No such file or directory\n"


SPIN = 4
"""Seconds of a processor; without memory Python 3.11 may look for it for ever."""


OF_PYTHON = (-signal.SIGKILL, -signal.SIGSEGV, -signal.SIGABRT)
"""Exit codes of a Python that spins, goes on without memory, or gives up (a fatal error)."""


def with_memory(place: Place, words: Sequence[str | Path], kib: int) -> tuple[int, str, str]:
    limit = kib * 1024

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        resource.setrlimit(resource.RLIMIT_CPU, (SPIN, SPIN))

    return run(place, words, preexec_fn=limited)


def least_for_python(place: Place) -> int:
    """The KiB with which Python runs a script that imports nothing, and a little more."""
    (place.folder / "nothing.py").write_text("import sys; sys.path[:] = []\n")
    words = [sys.executable, "nothing.py"]
    least, enough = 4096, 262_144
    while enough - least > 64:
        middle = (least + enough) // 2
        try:
            works = with_memory(place, words, middle)[0] == 0
        except subprocess.TimeoutExpired:  # Python's own message needs memory, too.
            works = False
        least, enough = (least, middle) if works else (middle, enough)
    return enough + 256


@pytest.mark.parametrize(
    ("program", "words"), [("heat", WATCH), ("heatctl", ("validate", "heat.toml"))]
)
def test_without_memory_a_start_ends_in_one_line(
    place: Place, program: str, words: Sequence[str]
) -> None:
    place.write_config('[monitor.web]\ninterval = 1\ncommand = ["true"]\n')
    # From then on all modules are compiled: compiling them takes more memory than running them.
    assert run(place, [SCRIPTS / program, *words])[0] == 0
    least = least_for_python(place)
    codes: list[int] = []
    for more in range(0, 32_768, 509):
        code, _, err = with_memory(place, [SCRIPTS / program, *words], least + more)
        if code in OF_PYTHON or ("<frozen site>" in err and f'"{SCRIPTS / program}"' not in err):
            continue  # It has failed before our first line, or in a way that no line can mend.
        begun = "1 check done" in err or "HEAT stops" in err
        assert code in (0, 2) or (begun and code == 3), err
        assert "Traceback" not in err
        assert code == 0 or "memory" in err or "MemoryError" in err, err
        codes.append(code)
        if codes[-4:] == [0, 0, 0, 0]:
            break

    assert codes[0] == 2
    assert codes[-1] == 0


def test_what_cannot_be_loaded_later_does_not_end_heat(place: Place) -> None:
    """Memory may be short, or the file gone after an upgrade."""
    place.script("check", "[ -e up ]")
    place.script("recover", "touch up; echo gone")
    without = (
        "sys.modules.update({f'heat.process.{name}': None for name in ('keeper', 'leftovers')})"
    )
    program = f"import sys; {without}; from heat.startup import run; run('heat.app.cli')"
    watch = ["-i", "0.05", "--count", "3", "--recovery", "./recover", "-s", "./check"]

    code, _, err = run(place, [sys.executable, "-c", program, *watch])

    assert code == 0, err
    assert "NORMAL again" in err
    assert err.count("what the scripts print is lost") == 1
    assert "bug of HEAT" not in err
