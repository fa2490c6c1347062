"""The rule of who may tell root what to do: each file, and each way for another to change it."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from heat_process import Heat, orderly, records
from place import Place
from processes import NOBODY, needs_root, nobody_runs_heat

from heat.app.cli import understand
from heat.diagnostics import BadValueError
from heat.trust import Trust
from heat.web.options import token

pytestmark = needs_root

OTHER = 65534
GROUP = 8
WORDS = (
    *("-i", "3", "--count", "1", "--log-dir", "logs", "--state", "kept/heat.state"),
    *("--control", "kept/heat.sock", "--fail", "./fail", "--recovery", "./recover"),
)
AS_ROOT = "and HEAT runs as root"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """All that one HEAT uses, all of it root's."""
    monkeypatch.chdir(tmp_path)
    for name in ("logs", "kept", "bin"):
        Path(name).mkdir()
    shutil.copy("/bin/sh", "bin/interpreter")
    scripts = {
        "check": f"#!{tmp_path}/bin/interpreter",
        "by-env": "#!/usr/bin/env interpreter",
        "fail": "#!/bin/sh",
        "recover": "#!/bin/sh",
        "bin/command": "#!/bin/sh",
    }
    for name, line in scripts.items():
        Path(name).write_text(f"{line}\nexit 0\n")
        Path(name).chmod(0o755)
    Path("heat.toml").write_text('[monitor.web]\ninterval = 3\nscript = "./check"\n')
    for name in ("heat.log", "heat.verbose.log", "heat.check.out"):
        Path("logs", name).touch()
    for name in ("", "-wal", "-shm", "-journal", ".lock"):
        Path(f"kept/heat.state{name}").touch()
    Path("kept/heat.sock.lock").touch()
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    return tmp_path


def refusals(*words: str) -> list[str]:
    return [str(diagnostic) for diagnostic in understand(words).diagnostics]


CHECKS = {
    "script": ["-s", "./check"],
    "env": ["-s", "./by-env"],
    "command": ["command"],
}
FILES = [
    ("check", "script"),
    ("fail", "script"),
    ("recover", "script"),
    ("bin/interpreter", "script"),
    ("bin/interpreter", "env"),
    ("bin/command", "command"),
    ("logs/heat.log", "script"),
    ("logs/heat.verbose.log", "script"),
    ("logs/heat.check.out", "script"),
    ("kept/heat.state", "script"),
    ("kept/heat.state-wal", "script"),
    ("kept/heat.state-shm", "script"),
    ("kept/heat.state-journal", "script"),
    ("kept/heat.state.lock", "script"),
    ("kept/heat.sock.lock", "script"),
]
WAYS: dict[str, tuple[Callable[[str], None], str, str]] = {
    "another's": (
        lambda path: os.chown(path, OTHER, -1),
        f"belongs to user nobody ({OTHER}), {AS_ROOT}",
        "chown root ",
    ),
    "of a group": (
        lambda path: os.chmod(path, 0o775),
        f"may be written to by group root (0), {AS_ROOT}",
        "chmod go-w ",
    ),
    "of anybody": (
        lambda path: os.chmod(path, 0o757),
        f"may be written to by anybody, {AS_ROOT}",
        "chmod go-w ",
    ),
}


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("check", CHECKS)
def test_what_is_all_roots_is_used(check: str) -> None:
    request = understand([*WORDS, *CHECKS[check]])

    assert request.diagnostics == ()
    assert list(request.warnings) == []


@pytest.mark.parametrize(("path", "check"), FILES)
@pytest.mark.parametrize("way", WAYS)
def test_a_file_that_another_may_change_is_refused(
    folder: Path, path: str, check: str, way: str
) -> None:
    change, why, hint = WAYS[way]
    change(path)

    (message,) = refusals(*WORDS, *CHECKS[check])

    line, second = message.splitlines()
    assert line.startswith("Failed: ")
    assert Path(path).name in line
    assert ("interpreter " in line) == ("interpreter" in path)
    assert line.endswith(f" {why}")
    assert second == f"  {hint}{folder}/{path}"


@pytest.mark.parametrize("way", WAYS)
def test_a_configuration_that_another_may_change_is_not_even_read(folder: Path, way: str) -> None:
    change, why, hint = WAYS[way]
    Path("heat.toml").write_text("nonsense")
    change("heat.toml")

    assert refusals("--config", "heat.toml") == [
        f"heat.toml: {why}\n  {hint}{folder}/heat.toml"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("mode", "owner", "why"),
    [
        (0o660, 0, "may be written to by group root (0)"),
        (0o600, OTHER, f"belongs to user nobody ({OTHER})"),
    ],
)
def test_a_token_that_another_may_change_is_refused(
    folder: Path, mode: int, owner: int, why: str
) -> None:
    Path("token").write_text("x" * 32)
    Path("token").chmod(0o600)
    assert token("token")
    Path("token").chmod(mode)
    os.chown("token", owner, -1)

    with pytest.raises(BadValueError) as caught:
        token("token")
    assert caught.value.complaint == f"is not safe: it {why}, and serve runs as root"
    assert caught.value.hint.endswith(f"{folder}/token")


def test_all_of_it_is_told_at_once_and_a_folder_once(folder: Path) -> None:
    for name in ("check", "fail"):
        Path(name).chmod(0o777)
    folder.chmod(0o777)

    messages = refusals(*WORDS, *CHECKS["script"])

    assert [line.split()[1] for line in messages] == ["the", "./check", "./fail"]
    assert messages[0] == (
        f"Failed: the folder {folder} may be written to by anybody, {AS_ROOT}\n"
        f"  chmod go-w {folder}"
    )


def test_a_file_of_many_monitors_tells_what_they_share_once(folder: Path) -> None:
    monitor = "interval = 3\nscript = './check'\n"
    Path("heat.toml").write_text("".join(f"[monitor.m{n}]\n{monitor}" for n in range(9)))
    Path("bin/interpreter").chmod(0o775)

    (message,) = refusals("--config", "heat.toml", "--log-dir", "logs")
    assert message == (
        f"heat.toml: monitor.m0.script: the interpreter {folder}/bin/interpreter may be written "
        f"to by group root (0), {AS_ROOT} (so in 8 other monitors)\n"
        f"  chmod go-w {folder}/bin/interpreter"
    )


# Folders and links


def doubts(path: Path | str, *, follow: bool = True) -> list[str]:
    return [doubt.sentence("it") for doubt in Trust().doubts(str(path), follow=follow)]


def shared(folder: Path, mode: int, group: int = 0, owner: int = 0) -> Path:
    """A file of root's in a folder of this kind."""
    there = folder / "shared"
    there.mkdir()
    (there / "file").touch()
    os.chown(there, owner, group)
    there.chmod(mode)
    return there / "file"


@pytest.mark.parametrize(
    ("mode", "group", "owner", "why"),
    [
        (0o755, GROUP, 0, ""),
        (0o775, 0, 0, ""),
        (0o775, GROUP, 0, ""),
        (0o1777, 0, 0, ""),
        (0o1775, GROUP, 0, ""),
        (0o777, 0, 0, "may be written to by anybody"),
        (0o757, 0, 0, "may be written to by anybody"),
        (0o755, 0, OTHER, ""),
        (0o757, 0, OTHER, "may be written to by anybody"),
    ],
)
def test_a_folder_in_which_another_could_replace_a_file(
    tmp_path: Path, mode: int, group: int, owner: int, why: str
) -> None:
    file = shared(tmp_path, mode, group, owner)
    expected = [f"the folder {tmp_path}/shared {why}, {AS_ROOT}"] if why else []

    assert doubts(file) == expected
    assert doubts(file.with_name("missing")) == expected  # It would be made there.
    assert doubts(tmp_path / "shared/../shared/./file") == expected


def test_a_folder_that_belongs_to_another_user_is_a_warning(tmp_path: Path) -> None:
    file = shared(tmp_path, 0o755, 0, OTHER)
    trust = Trust()

    assert not trust.doubts(str(file))
    (warning,) = trust.warnings
    assert warning.startswith(f"the folder {tmp_path}/shared belongs to user nobody ({OTHER}), who")
    assert warning.endswith(f"keep HEAT's files elsewhere, or chown root {tmp_path}/shared")


@pytest.mark.parametrize(
    ("mode", "group", "warns"),
    [(0o775, GROUP, True), (0o775, 0, False), (0o1775, GROUP, False), (0o755, GROUP, False)],
)
def test_a_folder_that_a_group_may_write_to_is_a_warning(
    tmp_path: Path, mode: int, group: int, *, warns: bool
) -> None:
    file = shared(tmp_path, mode, group)
    trust = Trust()

    assert not trust.doubts(str(file))
    assert not trust.doubts(str(file.with_name("other")))
    assert len(trust.warnings) == warns
    for warning in trust.warnings:
        assert warning.startswith(f"the folder {tmp_path}/shared may be written to by group mail")
        assert warning.endswith(f": chmod g-w {tmp_path}/shared")


def test_the_folder_of_each_link_on_the_way_counts(tmp_path: Path) -> None:
    for name in ("first", "second", "real"):
        (tmp_path / name).mkdir()
    (tmp_path / "real/file").touch()
    (tmp_path / "second/link").symlink_to("../real")
    (tmp_path / "first/link").symlink_to(tmp_path / "second/link")
    path = tmp_path / "first/link/file"
    assert doubts(path) == []

    for name in ("first", "second", "real"):
        (tmp_path / name).chmod(0o777)
        why = f"the folder {tmp_path}/{name} may be written to by anybody, {AS_ROOT}"
        assert doubts(path) == [why]
        (tmp_path / name).chmod(0o755)


def test_a_link_of_another_user_in_a_sticky_folder_is_not_followed(tmp_path: Path) -> None:
    file = shared(tmp_path, 0o1777)
    link = file.with_name("link")
    link.symlink_to("file")
    assert doubts(link) == []
    os.chown(link, OTHER, -1, follow_symlinks=False)

    assert doubts(link) == [f"the link {link} belongs to user nobody ({OTHER}), {AS_ROOT}"]

    file.parent.chmod(0o755)
    assert doubts(link) == []  # He could not change it.


def test_links_that_go_round_and_paths_that_are_none_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "round").symlink_to("round")

    assert doubts(tmp_path / "round") == []
    assert doubts(tmp_path / "round/file") == []
    assert doubts("a\0b") == []
    assert doubts("x/" * 2000) == []


def test_what_is_mounted_read_only_nobody_may_write(tmp_path: Path) -> None:
    # The shell stands in the folder below the mount until it goes there again.
    mount = 'mount -t tmpfs -o mode=0777 none . && cd "$PWD" && echo > file && chmod 666 file'
    program = (
        "import os; from heat.trust import Trust; "
        "print([each.kind for each in Trust().doubts(os.path.realpath('file'))])"
    )
    outputs: list[str] = []
    for then in ("true", "mount -o remount,ro ."):
        shell = f'{mount} && {then} && exec "$@"'
        command = ["unshare", "--mount", "sh", "-c", shell, "sh", sys.executable, "-c", program]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"nothing can be mounted here: {done.stderr}")
        outputs.append(done.stdout)

    assert outputs == ["['folder', '']\n", "[]\n"]


# Real ones


def test_heat_of_root_does_not_start_and_says_why(place: Place) -> None:
    check = place.check(0)
    os.chown(place.folder / "check", OTHER, -1)
    heat = place.heat("-i", "1", "-s", check)

    assert heat.wait() == 2
    assert heat.err.read_text().startswith(
        f"Failed: ./check belongs to user nobody ({OTHER}), {AS_ROOT}\n"
        f"  chown root {place.folder}/check\n"
    )
    assert heat.lines() == []


def test_a_folder_of_a_group_is_a_warning_when_heat_starts(place: Place) -> None:
    os.chown(place.folder, -1, GROUP)
    place.folder.chmod(0o775)
    heat = place.heat("-i", "1", "--count", "1", "-s", place.check(0))

    assert heat.wait() == 0
    (warning,) = [line for line in heat.news() if "warning" in line]
    assert warning.startswith(f"heat: warning: the folder {place.folder} may be written to by")
    assert warning.removeprefix("heat: ") in heat.verbose()


def test_heat_of_another_user_is_asked_nothing_of_that(place: Place) -> None:
    if not nobody_runs_heat():
        pytest.skip("nobody may not run this Python")
    place.folder.chmod(0o777)
    check = place.check(0)
    (place.folder / "check").chmod(0o777)
    for name in ("stdout", "stderr"):
        (place.folder / name).touch()
    heat = place.heat("-i", "1", "--count", "1", "-s", check, prefix=NOBODY)

    assert heat.wait() == 0
    assert heat.lines() == ["OK"]


def test_root_of_a_container_trusts_the_root_outside_that_it_does_not_know() -> None:
    """In it /bin/sh belongs to the user that stands for all who are not known there."""
    home = Path(__file__).parent.parent
    program = (
        f"import sys; sys.path.insert(0, {str(home)!r}); import os; from heat.trust import Trust; "
        f"print(os.geteuid(), os.stat('/bin/sh').st_uid, Trust().doubts('/bin/sh'))"
    )
    inside = (*NOBODY, "unshare", "--map-root-user")
    for python in (sys.executable, "/usr/bin/python3"):
        command = [*inside, python, "-Bc", program]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if not done.returncode:
            assert done.stdout == f"0 {OTHER} ()\n"
            return
    pytest.skip("no user namespaces for nobody here, or no Python")


def two(place: Place) -> Heat:
    for name in ("a", "b"):
        place.script(name, "exit 0")
    monitor = 'interval = "1h"\nscript = '
    return place.fleet(f'[monitor.a]\n{monitor}"./a"\n[monitor.b]\n{monitor}"./b"\n')


def test_a_reload_asks_it_of_monitors_that_have_not_changed(place: Place) -> None:
    heat = two(place)
    heat.await_file("heat.verbose.log", "watching 2 monitors")
    (place.folder / "b").chmod(0o777)

    heat.reload("is not taken")

    assert f"heat: heat.toml: monitor.b.script: ./b may be written to by anybody, {AS_ROOT}" in (
        heat.news()
    )
    (place.folder / "b").chmod(0o755)
    heat.reload("0 monitors added, 0 changed, 0 removed")
    assert heat.stop() == 0
    orderly(heat)


def test_a_log_that_comes_back_as_another_users_is_not_written_until_it_is_roots(
    place: Place,
) -> None:
    heat = place.heat("-i", "0.05", "-s", place.script("check", "echo x >&2\nexit 1"))
    heat.await_file("heat.log", "x")
    new = place.folder / "new"
    new.touch()
    os.chown(new, OTHER, -1)
    new.rename(place.folder / "heat.log")

    why = f"it belongs to user nobody ({OTHER}), {AS_ROOT} (chown root {place.folder}/heat.log)"
    heat.await_news(f"cannot write heat.log: {why}")
    assert heat.log() == ""
    os.chown(place.folder / "heat.log", 0, -1)
    heat.await_news("heat.log can be written again; nothing was lost")
    heat.await_file("heat.log", "x")
    assert heat.stop() == 0
    orderly(heat)
    assert records(heat.verbose())


def test_a_state_that_comes_back_as_another_users_is_not_used(place: Place) -> None:
    heat = place.heat("-i", "0.05", "--state", "heat.state", "-s", place.check(0, 1, 1, 1, 0, 1))
    heat.await_line("Failed")
    new = place.folder / "new"
    new.touch()
    os.chown(new, OTHER, -1)
    new.rename(place.folder / "heat.state")

    heat.await_news("heat.state cannot be used: ")
    assert new.parent.joinpath("heat.state").stat().st_size == 0
    heat.signal(signal.SIGTERM)
    assert heat.wait() == 0
    orderly(heat)


def test_another_user_is_named_without_asking_a_server() -> None:
    program = "import sys; from heat.trust import user; print(user(0), user(99999), user(65534))"
    done = subprocess.run(
        [sys.executable, "-c", f"{program}; print('pwd' in sys.modules)"],
        capture_output=True, check=True, text=True,
    )  # fmt: skip

    assert done.stdout == "user root (0) user 99999 user nobody (65534)\nFalse\n"
