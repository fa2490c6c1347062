"""A world for the tests of users: one real monitor, virtual time, doubles or real programs."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from processes import alive

from heat.errors import CommandError
from heat.testing import Run, Signal, World


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def script(folder: Path, body: str, name: str = "check") -> None:
    (folder / name).write_text(f"#!/bin/sh\n{body}\n")
    (folder / name).chmod(0o755)


def moments(runs: list[Run]) -> list[float]:
    return [run.at for run in runs]


# Time


def test_a_check_runs_at_each_interval_and_passes_unless_the_test_says_otherwise() -> None:
    world = World("-i 10 ./check")
    world.run("25s")

    assert moments(world.check.runs) == [0, 10, 20]
    assert world.state == "NORMAL"
    assert world.now == 25


def test_time_goes_on_where_it_was() -> None:
    world = World("-i 10 ./check")
    world.run(5)
    assert moments(world.check.runs) == [0]
    world.run(5)
    assert moments(world.check.runs) == [0, 10]


def test_a_day_takes_no_time() -> None:
    world = World("-i 1m ./check")
    world.run("1d")

    assert len(world.check.runs) == 1441


def test_nothing_happens_before_time_passes() -> None:
    assert World("-i 10 ./check").events == ()


# Doubles


def test_results_are_given_one_a_run_and_the_last_one_stays() -> None:
    world = World("-i 10 ./check")
    world.check.gives(0, "1x2", 7)
    world.run(50)

    assert [run.code for run in world.check.runs] == [0, 1, 1, 7, 7, 7]


def test_results_can_be_given_while_time_passes() -> None:
    world = World("-i 10 --threshold 2 --recovery ./restart ./check")
    world.check.gives(1)
    world.run(15)
    world.check.gives(0)
    world.run(10)

    assert moments(world.recovery.runs) == [10]
    assert world.state == "NORMAL"


@pytest.mark.parametrize("result", ["timeout", "killed", "unknown"])
def test_a_run_that_does_not_exit_has_no_code(result: str) -> None:
    world = World("-i 10 -t 5 ./check")
    world.check.gives(result)
    world.run(1)

    assert [run.code for run in world.check.runs] == [None]


def test_a_result_with_a_length_takes_virtual_time() -> None:
    world = World("-i 10 --threshold 1 --recovery ./restart ./check")
    world.check.gives("1@3s")
    world.run(10)

    assert moments(world.recovery.runs) == [3]


def test_a_double_prints_what_the_scripts_are_told() -> None:
    world = World("-i 10 --fail ./tell ./check")
    world.check.gives(1, prints="no route to host")
    world.run(1)

    assert world.check.runs[0].output == "no route to host"
    assert world.fail.runs[0].env["HEAT_FAIL_TEXT"] == "no route to host"


def test_a_program_that_the_options_do_not_name_cannot_be_given_results() -> None:
    world = World("-i 10 ./check")

    with pytest.raises(ValueError, match="add --recovery"):
        world.recovery.gives(1)
    with pytest.raises(ValueError, match="add --fail"):
        world.fail.runs_for_real()


def test_a_wrong_result_is_refused() -> None:
    with pytest.raises(ValueError, match="'maybe'"):
        World("-i 10 ./check").check.gives("maybe")


# Real programs


def test_a_real_check_decides(folder: Path) -> None:
    script(folder, "echo looked; [ ! -e down ]")
    world = World("-i 10 --threshold 2 --recovery ./restart ./check")
    world.check.runs_for_real()
    world.run(15)
    assert world.state == "NORMAL"
    (folder / "down").touch()
    world.run(20)

    assert [(run.code, run.output) for run in world.check.runs] == [
        *[(0, "looked\n")] * 2,
        *[(1, "looked\n")] * 3,
    ]
    assert len(world.recovery.runs) == 1


def test_a_real_program_has_the_variables_of_heat(folder: Path) -> None:
    script(folder, 'echo "$HEAT_NAME $HEAT_STATE $HEAT_FAIL_CODE"', "tell")
    world = World("-i 10 --name web --fail ./tell ./check")
    world.check.gives(7)
    world.fail.runs_for_real()
    world.run(1)

    assert world.fail.runs[0].output == "web FAILING 7\n"


def test_a_real_program_that_takes_long_hangs_in_virtual_time(folder: Path) -> None:
    script(folder, "exec sleep 600")
    world = World("-i 1m -t 5 ./check")
    world.check.runs_for_real(limit=0.1)
    world.run(10)

    assert world.check.runs[0].code is None
    assert "Timed out after 5 s" in world.lines[0]


def test_a_real_program_can_be_killed(folder: Path) -> None:
    script(folder, "kill -9 $$")
    world = World("-i 10 ./check")
    world.check.runs_for_real()
    world.run(1)

    assert world.check.runs[0].code is None
    assert "Killed by SIGKILL" in world.lines[0]


def test_a_real_program_that_is_not_there_cannot_be_started() -> None:
    world = World("-i 10 ./check")
    world.check.runs_for_real()
    world.run(1)

    assert "no such file" in "\n".join(world.lines).lower()


def test_a_real_command_is_found_on_the_path() -> None:
    world = World("-i 10 true")
    world.check.runs_for_real()
    world.run(1)

    assert world.check.runs[0].code == 0


def test_real_programs_leave_no_descriptors_behind() -> None:
    world = World("-i 10 true")
    world.check.runs_for_real()
    before = len(os.listdir("/proc/self/fd"))
    world.run(100)

    assert len(world.check.runs) == 11
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_real_check_leaves_nothing_behind_and_a_real_script_may(folder: Path) -> None:
    body = "sleep 600 & echo $! > {0}.pid; [ {0} != check ]"
    script(folder, body.format("check"))
    script(folder, body.format("restart"), "restart")
    world = World("-i 10 --threshold 1 --recovery ./restart ./check")
    world.check.runs_for_real()
    world.recovery.runs_for_real()
    world.run(1)
    check, service = (int((folder / f"{name}.pid").read_text()) for name in ("check", "restart"))
    living = [pid for pid in (check, service) if alive(pid)]
    os.kill(service, signal.SIGKILL)

    assert living == [service]
    assert world.recovery.runs[0].code == 0


# The target


def test_signals_are_listed_with_their_options() -> None:
    world = World("-i 10 --pid 4711 --threshold 2 --signal USR1 --fault-signal HUP ./check")
    world.check.gives(1)
    world.run(15)

    assert world.signals == [
        Signal(0, "USR1", "--signal"),
        Signal(10, "USR1", "--signal"),
        Signal(10, "HUP", "--fault-signal"),
    ]


def test_a_stopped_target_gets_the_cont_that_heat_owes_it() -> None:
    world = World("-i 10 --pid 4711 --threshold 1 --fault-signal STOP --max-recoveries 1 ./check")
    world.check.gives(1)
    world.run("1m")

    assert [signal.name for signal in world.signals][-1] == "CONT"
    assert world.signals[-1].option == ""


def test_a_target_that_ends_is_an_error() -> None:
    world = World("-i 10 --pid 4711 ./check")
    world.run(5)
    world.end_target()
    world.run(5)

    assert world.state == "ERROR"
    assert world.exit_code == 3


def test_without_a_target_none_can_end() -> None:
    with pytest.raises(ValueError, match="add --pid"):
        World("-i 10 ./check").end_target()


# Options


def test_the_end_of_heat_ends_the_world() -> None:
    world = World("-i 10 --count 3 ./check")
    world.run("1h")

    assert len(world.check.runs) == 3
    assert world.exit_code == 0


def test_words_may_be_a_list() -> None:
    world = World(["-i", "10", "--", "./check", "two words"])

    assert world.check.argv == ("./check", "two words")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("-i 0 ./check", "'0'"),
        ("-i 10 --treshold 3 ./check", "--treshold"),
        ("-i 10", "use either script or command"),
        ("--help", "starts no monitor"),
    ],
)
def test_options_that_heat_refuses_are_refused(words: str, complaint: str) -> None:
    with pytest.raises(CommandError, match=complaint):
        World(words)


TWO = '[defaults]\ninterval = "10s"\ncommand = ["x"]\n[monitor.a]\n[monitor.b]\ninterval = "20s"\n'


def test_a_monitor_of_a_file_is_named(folder: Path) -> None:
    (folder / "heat.toml").write_text(TWO)
    world = World("--config heat.toml", monitor="b")
    world.run(25)

    assert moments(world.check.runs) == [0, 20]


@pytest.mark.parametrize("name", [None, "c"])
def test_a_monitor_that_a_file_does_not_have_is_refused(folder: Path, name: str | None) -> None:
    (folder / "heat.toml").write_text(TWO)

    with pytest.raises(CommandError, match="name of one: a, b"):
        World("--config heat.toml", monitor=name)


def test_a_file_with_mistakes_is_refused(folder: Path) -> None:
    (folder / "heat.toml").write_text(TWO.replace("10s", "0s"))

    with pytest.raises(CommandError, match="'0s'"):
        World("--config heat.toml", monitor="a")


# The package


def loaded_by(module: str) -> set[str]:
    code = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd="/"
    )
    return set(done.stdout.split())


def test_it_needs_no_pytest() -> None:
    assert "pytest" not in loaded_by("heat.testing")


def test_heat_does_not_load_it() -> None:
    assert not {name for name in loaded_by("heat.app.service") if name.startswith("heat.testing")}
