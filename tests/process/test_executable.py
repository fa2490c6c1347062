"""On a file system that is mounted noexec nothing can be run: it is named, with what to do."""

import os
import subprocess
import sys

import pytest
from place import Place

NAMESPACE = ("unshare", "--mount", "sh", "-c")
MOUNT = 'mkdir -p m && mount -t tmpfs -o noexec none m && cp -p check tool m && exec "$@"'


def namespaces() -> bool:
    command = [*NAMESPACE, "mount -t tmpfs none /mnt"]
    return os.geteuid() == 0 and subprocess.run(command, check=False).returncode == 0


pytestmark = pytest.mark.skipif(not namespaces(), reason="no mount namespace")


@pytest.fixture
def there(place: Place) -> Place:
    """A check in ``sh`` and a tool in Python, on a file system as it should be."""
    place.script("check", "exit 0")
    place.script("tool", "pass", "/usr/bin/env python3")
    return place


def told(place: Place, *words: str, module: str = "heat", mount: str = MOUNT) -> tuple[int, str]:
    command = [*NAMESPACE, mount, "sh", sys.executable, "-m", module, *words]
    process = place.spawn(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    out = process.communicate(timeout=30)[0].decode()
    return process.returncode, out


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["-s", "m/check"], "use: sh m/check, or move it to another file system"),
        (["m/check"], "use: sh m/check, or move it to another file system"),
        (["m/tool"], "use: python3 m/tool, or move it to another file system"),
        (["--fail", "m/check", "true"], "or name a script there that runs: sh m/check"),
    ],
)
def test_the_mount_is_named_and_the_fix(there: Place, words: list[str], hint: str) -> None:
    code, text = told(there, "-i", "1", *words)

    path = next(word for word in words if word.startswith("m/"))
    assert code == 2
    assert f"Failed: {path} not executable: {there.folder}/m is mounted noexec\n" in text
    assert hint in text


def test_a_command_on_path_too(there: Place) -> None:
    mount = f"export PATH=$PATH:{there.folder}/m; mv tool a-tool; {MOUNT}".replace(
        "tool m", "a-tool m"
    )

    code, text = told(there, "-i", "1", "a-tool", mount=mount)

    assert code == 2
    assert text.startswith("Failed: a-tool not executable\n")
    assert f"{there.folder}/m/a-tool: {there.folder}/m is mounted noexec" in text


def test_an_interpreter_too(there: Place) -> None:
    there.script("script", "exit 0", f"{there.folder}/m/check")

    code, text = told(there, "-i", "1", "-s", "./script")

    assert code == 2
    assert f"m/check is not executable: {there.folder}/m is mounted noexec" in text


def test_heatctl_validate_tells_it_in_the_words_of_a_file(there: Place) -> None:
    there.write_config('[monitor.web]\ninterval = 1\nscript = "m/check"\n')

    code, text = told(there, "validate", "heat.toml", module="heat.ctl")

    assert code == 2
    assert f"web.script: m/check not executable: {there.folder}/m is mounted noexec" in text
    assert 'use: command = ["sh", "m/check"], or move it to another file system' in text


def test_one_that_becomes_noexec_while_heat_runs_is_named_in_the_error(there: Place) -> None:
    """By a bind mount, which has no device of its own."""
    mount = 'mkdir m && cp -p check m && mount --bind m m && exec "$@"'
    remount = "[ -e once ] && mount -o remount,bind,noexec m; : > once"
    there.script("check", f"{remount}; exit 0")

    code, text = told(there, "-i", "0.05", "-s", "m/check", mount=mount)

    assert code == 3
    assert f"m/check cannot be started: {there.folder}/m is mounted noexec" in text
