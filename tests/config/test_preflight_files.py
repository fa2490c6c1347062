"""The look before the first check at all that a file names."""

import os
import shutil
import sys
from pathlib import Path

import pytest
from toml_files import WEB, lay_out, lines_of, monitors

from heat.app.cli import understand
from heat.app.loader import look
from heat.config.options import Common
from heat.config.preflight_warnings import warnings_of
from heat.ctl.commands.validate import advised


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return lay_out(tmp_path, monkeypatch)


def test_paths_are_relative_to_the_file_and_the_logs_to_where_heat_was_started(
    start: Path,
) -> None:
    (start / "logs").mkdir()
    request = understand(["--config", "etc/heat.toml", "--log-dir", "logs", "-q"])

    assert [str(each) for each in request.diagnostics] == []
    assert request.config is not None
    assert request.config.path == str(start / "etc/heat.toml")
    logs = str(start / "logs")
    assert request.common == Common("logs", quiet=True, log_folder=logs, state=f"{logs}/heat.state")
    assert str(start / "etc") == os.getcwd()


def test_without_log_dir_the_logs_are_where_heat_was_started(start: Path) -> None:
    request = understand(["--config", "etc/heat.toml", "--json"])

    there = str(start)
    assert request.common == Common("", json=True, log_folder=there, state=f"{there}/heat.state")


def test_a_folder_that_is_gone_is_told(start: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (start / "gone").mkdir()
    monkeypatch.chdir("gone")
    (start / "gone").rmdir()

    assert lines_of("--config", "heat.toml") == [
        "Error: the folder that HEAT was started in is gone\n  start it in another one"
    ]


def test_files_are_looked_at_though_something_is_wrong_with_the_keys(start: Path) -> None:
    (start / "etc/heat.toml").write_text("""
[defaults]
fail = 3
[monitor.web]
command = ["gone"]
interval = 1
[monitor.db]
command = ["gone"]
script = "./gone"
recovery = "./gone"
intervall = 3
""")

    assert [line.partition("\n")[0] for line in lines_of("--config", "etc/heat.toml")] == [
        "etc/heat.toml: defaults.fail: 3 is a whole number, not text",
        "etc/heat.toml: monitor.db.intervall: is not a key of a monitor",
        "etc/heat.toml: monitor.db.interval: is missing",
        "etc/heat.toml: monitor.db: use either script or command",
        "etc/heat.toml: monitor.web.command: gone not found",
        "etc/heat.toml: monitor.db.script: ./gone not executable",
        "etc/heat.toml: monitor.db.recovery: ./gone not executable",
    ]


def test_mistakes_of_the_line_the_file_and_the_programs_are_told_at_once(start: Path) -> None:
    (start / "etc/heat.toml").write_text(
        f"{WEB}fail = './no--pid'\nrecovery = '.'\npid = 4194304\n[monitor.db]\ninterval = 3\n"
        "[monitor.sh]\ninterval = 3\ncommand = ['a|b --pid']\n"
    )

    assert lines_of("--config", "etc/heat.toml", "--log-dir", "nope", "--count", "3") == [
        (
            "Error: --count '3' cannot be combined with --config\n"
            "  write it into the file, under [defaults] or [monitor.NAME]: count = 3"
        ),
        (
            "etc/heat.toml: monitor.db: use either script or command\n"
            '  name the check: script = "./check", or command = ["curl", "-sf", "URL"]'
        ),
        "etc/heat.toml: monitor.web.fail: ./no--pid not executable\n  no such file",
        "etc/heat.toml: monitor.web.recovery: . not executable\n  it is a directory",
        (
            "etc/heat.toml: monitor.web.pid: process 4194304 does not exist\n"
            "  name a running process, or use pid-file for one that comes and goes"
        ),
        (
            "etc/heat.toml: monitor.sh.command: a|b --pid not found\n"
            "  HEAT runs a command directly; for a shell, use: "
            'command = ["sh", "-c", "a|b --pid"]'
        ),
        (
            "Error: --log-dir 'nope': nope/heat.log cannot be opened for appending: "
            "no such file or directory\n  make it first: mkdir -p nope"
        ),
        (
            "Error: --log-dir 'nope': nope/heat.verbose.log cannot be opened for appending: "
            "no such file or directory\n  make it first: mkdir -p nope"
        ),
    ]


def test_what_many_monitors_share_is_told_once(start: Path) -> None:
    text = "[defaults]\ninterval = 3\nfail = './nope'\ncommand = ['true']\n"
    text += "".join(f"[monitor.m{number}]\n" for number in range(1000))
    (start / "etc/heat.toml").write_text(text)

    assert lines_of("--config", "etc/heat.toml") == [
        (
            "etc/heat.toml: monitor.m0.fail: ./nope not executable (so in 999 other monitors)\n"
            "  no such file"
        )
    ]


def test_the_scripts_files_that_are_there_are_looked_at(start: Path) -> None:
    text = "[defaults]\ninterval = 3\nfail = './ok'\ncommand = ['true']\n"
    text += "".join(f"[monitor.m{number}]\n" for number in range(5))
    (start / "etc/heat.toml").write_text(text)
    (start / "heat.m3.out").mkdir()

    (line,) = lines_of("--config", "etc/heat.toml")
    assert line.startswith("Error: --log-dir '.': heat.m3.out cannot be opened for appending: is a")


def test_warnings_name_keys_where_they_stand_in_a_file() -> None:
    alone = monitors(f"{WEB}signal = 'USR2'\n")["web"]
    recovered = monitors(f"{WEB}pid = {os.getpid()}\nrecovery = 'x'\nsignal = 'USR2'\n")["web"]

    assert list(warnings_of(alone, None, in_file=True)) == [
        'signal = "USR2" ends HEAT itself, its own target: use pid or pid-file'
    ]
    assert list(warnings_of(alone, None)) == [
        "--signal USR2 ends HEAT itself, its own target: use --pid or --pid-file"
    ]
    assert list(warnings_of(recovered, os.getpid(), in_file=True)) == [
        f"recovery may not replace process {os.getpid()}: use pid-file",
        (
            f"process {os.getpid()} does not catch USR2 (signal) and would be ended by it: "
            'choose another signal, or signal = "none"'
        ),
    ]


@pytest.mark.skipif(
    shutil.which("curl") is None or not Path("/usr/lib/nagios/plugins/check_disk").exists(),
    reason="needs curl and monitoring-plugins-basic",
)
def test_the_example_is_sound(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # A copy of its own: the checkout may be another user's, whom root does not trust.
    shutil.copytree(Path(__file__).parents[2] / "examples", tmp_path / "examples")
    for path in (tmp_path, *tmp_path.rglob("*")):
        path.chmod(path.stat().st_mode & ~0o022)
    example = tmp_path / "examples/fleet.toml"
    monkeypatch.chdir(example.parent)
    folders = os.environ["PATH"].split(os.pathsep)
    system = [folder for folder in folders if folder != os.path.dirname(sys.executable)]
    monkeypatch.setenv("PATH", os.pathsep.join(system))

    common = Common(log_folder=str(tmp_path))
    config, diagnostics, _ = look("fleet.toml", str(example), common, present={})

    assert diagnostics == []
    assert advised(config) == []
    assert len(config.monitors) == 20
