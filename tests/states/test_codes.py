"""Exit codes that mean more than well and failed: those that are listed, and 126 and 127.

On a virtual clock; with real programs at the end.
"""

import contextlib
import json
import re
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from heat_process import DETAILS, FAILED, FAST, Heat, records
from place import Place
from virtual import Ends, VirtualWorld

from heat.ctl.main import main
from states.monitor.model import State

OK, FAILS = Ends(), Ends(1)
RECOVER = ("--recovery=./recover",)


def results(world: VirtualWorld) -> list[str]:
    """The lines of stdout."""
    return [line for line in world.printed if not line.startswith("(")]


# Gone, with --when-spent watch


SPENT_WATCHED = (*RECOVER, "--max-recoveries=1", "--when-spent=watch")


@pytest.mark.parametrize(("code", "why"), [(127, "no such file"), (126, "it is not executable")])
def test_a_check_that_is_gone_has_failed_where_checks_go_on(code: int, why: str) -> None:
    gone = Ends(code=code, error=f"./check cannot be started: {why}", passing=False)
    world = VirtualWorld(
        *SPENT_WATCHED, "--threshold=2", "--fail=./tell", checks=[OK, gone, OK]
    ).run_until(25)

    assert world.monitor.exit_code is None
    assert results(world) == [
        "1671306479: OK",
        f"1671306489: Failed: Exit Code {code}, details in heat.log",
        "1671306499: OK",
    ]
    assert world.records["heat.log"] == f"1671306489: ./check cannot be started: {why}\n"
    record = f"> ./check cannot be started: {why}\n> [Exit Code {code}]\n"
    assert f"1671306489 : FAIL : check :\n{record}" in world.records["heat.verbose.log"]
    (env,) = (program.env for program in world.programs if program.shown == "fail")
    assert (env["HEAT_FAIL_CODE"], env["HEAT_FAIL_PID"]) == (str(code), "")


def test_a_check_that_stays_away_is_recovered_like_any_other() -> None:
    gone = Ends(code=127, error="./check is gone", passing=False)
    world = VirtualWorld(*SPENT_WATCHED, checks=[gone]).run_until(45)

    assert world.times("recovery") == [0]
    assert world.monitor.exit_code is None
    assert world.monitor.model.count == 6


@pytest.mark.parametrize(("code", "why"), [(127, "no such file"), (126, "it is not executable")])
def test_a_recovery_that_is_gone_has_ended_where_checks_go_on(code: int, why: str) -> None:
    gone = Ends(code=code, error=f"./recover cannot be started: {why}", passing=False)
    world = VirtualWorld(*SPENT_WATCHED, checks=[FAILS, OK], recoveries=[gone]).run_until(5)

    assert world.monitor.model.state is State.NORMAL
    record = f"> ./recover cannot be started: {why}\n> [Exit Code {code}]\n"
    assert f" : FAIL : ./recover :\n{record}" in world.records["heat.verbose.log"]
    assert (
        f"(./recover cannot be started: {why}; that counts as a recovery that ended with Exit "
        f"Code {code})"
    ) in world.printed


def test_want_of_resources_is_no_end_of_a_recovery_where_checks_go_on() -> None:
    world = VirtualWorld(
        *SPENT_WATCHED, checks=[FAILS, OK], recoveries=[Ends(error="no room"), OK]
    ).run_until(15)

    assert world.times("recovery") == [10]


# Exit codes that are listed


CODES = ("--unknown-codes=3,4", "--warn-codes=1")


def test_a_code_that_warns_is_a_pass_that_is_always_told() -> None:
    warns = Ends(1, stderr=b"80 % full\n")
    world = VirtualWorld(
        *CODES, "--quiet", *RECOVER, "--threshold=2", checks=[Ends(2), warns, OK]
    ).run_until(25)

    assert results(world) == [
        "1671306479: Failed: Exit Code 2, details in heat.log",
        "1671306489: Warning: Exit Code 1",
    ]
    assert world.monitor.model.state is State.NORMAL
    record = "1671306489 : INFO : check :\n> 80 % full\n> [Exit Code 1]\n"
    assert record in world.records["heat.verbose.log"]
    assert "80 %" not in world.records["heat.log"]


def test_a_warning_that_prints_nothing_is_on_record_too() -> None:
    world = VirtualWorld(*CODES, checks=[Ends(1)]).run_until(0)

    assert "INFO : check :\n> [Exit Code 1]\n" in world.records["heat.verbose.log"]
    assert "last check warning: Exit Code 1, " in world.monitor.describe()


def test_a_code_that_says_nothing_counts_neither_way() -> None:
    unsure = Ends(3, stderr=b"no route\n")
    world = VirtualWorld(
        *CODES, *RECOVER, "--threshold=2", checks=[Ends(2), unsure, Ends(2), OK]
    ).run_until(25)

    assert results(world)[1] == "1671306489: Unknown: Exit Code 3"
    assert world.times("recovery") == [20]
    record = "1671306489 : ERR : check :\n> no route\n> [Exit Code 3]\n"
    assert record in world.records["heat.verbose.log"]
    assert "no route" not in world.records["heat.log"]


def test_the_results_as_objects_tell_a_warning_and_the_code_of_what_is_unknown() -> None:
    world = VirtualWorld(*CODES, "--json", checks=[OK, Ends(1), Ends(4)]).run_until(25)
    results = [json.loads(line) for line in world.printed if line.startswith("{")]

    assert [(each["result"], each["code"], each.get("warning")) for each in results] == [
        ("ok", 0, None),
        ("ok", 1, True),
        ("unknown", 4, None),
    ]


def test_a_check_whose_time_is_up_has_failed_whatever_is_listed() -> None:
    world = VirtualWorld(
        "--unknown-codes=124", "--timeout=2", checks=[Ends(after=None), Ends(124)]
    ).run_until(15)

    assert results(world) == [
        "1671306479: Failed: Timed out after 2 s, details in heat.log",
        "1671306489: Unknown: Exit Code 124",
    ]


@pytest.mark.parametrize("policy", ["error", "fail"])
def test_a_killed_check_is_judged_by_its_code_where_it_has_one(policy: str) -> None:
    world = VirtualWorld(
        "--warn-codes=137", f"--on-killed={policy}", checks=[Ends(killed=signal.SIGKILL)]
    ).run_until(5)

    error = "1671306479: Failed: Killed by SIGKILL, details in heat.log"
    assert results(world) == [error if policy == "error" else "1671306479: Warning: Exit Code 137"]
    assert (world.monitor.exit_code == 3) is (policy == "error")


# With real programs


def ctl(heat: Heat, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """Exit status and output of a command of heatctl."""
    code = main(["--control", str(heat.folder / "heat.sock"), *words])
    return code, capsys.readouterr().out


def table(name: str, script: str, **keys: object) -> str:
    """The table of a monitor."""
    values = {"script": script, "interval": FAST, **keys}
    lines = [f"{key.replace('_', '-')} = {json.dumps(value)}\n" for key, value in values.items()]
    return f"[monitor.{name}]\n{''.join(lines)}"


def test_a_warning_and_an_unknown_result_are_told_wherever_one_looks(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    disk = table("disk", place.script("disk", "echo 80 % full; exit 1"), warn_codes=[1])
    link = table("link", place.script("link", "echo no route >&2; exit 3"), unknown_codes="3,4")
    heat = place.fleet(disk + link, "-q")
    heat.await_line("disk: Warning: Exit Code 1", 2)
    heat.await_line("link: Unknown: Exit Code 3", 2)

    code, output = ctl(heat, capsys, "status", "disk")
    assert (code, output.splitlines()[1].split()[1]) == (0, "NORMAL")
    assert output.rstrip().endswith("Warning: Exit Code 1  80 % full")
    code, output = ctl(heat, capsys, "why", "disk")
    assert code == 0
    assert "--warn-codes 1)" in output
    assert "warning: Exit Code 1; took " in output
    last = json.loads(ctl(heat, capsys, "status", "disk", "--json")[1])["last"]
    assert (last["result"], last["warning"], last["code"]) == ("ok", True, 1)
    assert "Unknown: Exit Code 3" in ctl(heat, capsys, "status", "link")[1]
    assert "unknown: Exit Code 3; took " in ctl(heat, capsys, "why", "link")[1]
    entries = records(heat.verbose())
    assert ("INFO", "disk: ./disk", ["80 % full", "[Exit Code 1]"]) in entries
    assert ("ERR", "link: ./link", ["no route", "[Exit Code 3]"]) in entries
    assert heat.log() == ""
    assert heat.stop() == 0


def test_why_tells_the_options_that_are_others_in_a_file_and_what_a_threshold_leads_to(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    check = place.script("check", "exit 7")
    tell, recover = place.script("tell", "true"), place.script("recover", "true")
    pace = {"retry_interval": "40ms", "recovery_interval": "40ms"}
    heat = place.fleet(
        table("told", check, fail=tell, threshold=99)
        + table("spent", check, recovery=recover, max_recoveries=1, threshold=2, **pace)
    )
    heat.await_news("spent: 1 recovery did not help, and none is left (max-recoveries = 1) after")

    output = ctl(heat, capsys, "why", "told")[1]
    assert re.search(r"failures +\d+ in a row; failures take effect from number 99 on", output)
    output = ctl(heat, capsys, "why", "spent")[1]
    assert "--retry-interval 0.04, --recovery-interval 0.04)" in output
    assert "(--max-recoveries 1, --when-spent watch)" in output
    known = json.loads(ctl(heat, capsys, "why", "spent", "--json")[1])["options"]
    assert (known["when-spent"], known["on-killed"]) == ("watch", "fail")
    assert heat.stop() == 0


def test_on_a_command_line_a_check_that_is_gone_is_an_error(place: Place) -> None:
    heat = place.heat("-i", FAST, "-s", place.check(0))
    heat.await_line("OK")
    vanish(place.folder / "check")

    assert heat.wait() == 3
    assert heat.news()[-1].startswith("heat: error: ./check cannot be started: no such file")


def test_one_that_warns_to_its_last_check_ends_well(place: Place) -> None:
    check = place.script("check", "exit 1")
    heat = place.heat("-i", FAST, "--warn-codes", "1", "--count", "2", "-s", check)

    assert heat.wait() == 0
    assert heat.lines() == ["Warning: Exit Code 1"] * 2


def recoveries(heat: Heat) -> list[tuple[int | None, str | None]]:
    """Exit code and end of each recovery, as the state file tells them."""
    with contextlib.closing(sqlite3.connect(heat.folder / "heat.state")) as there:
        return there.execute("SELECT code, how FROM recoveries ORDER BY id").fetchall()


def vanish(path: Path) -> None:
    path.unlink()


def lose_its_bit(path: Path) -> None:
    path.chmod(0o644)


def become_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def lose_its_interpreter(path: Path) -> None:
    path.write_text("#!/no/such/interpreter\n")


SPOILT = pytest.mark.parametrize(
    ("spoil", "why", "code"),
    [
        (vanish, "no such file", 127),
        (lose_its_bit, "it is not executable", 126),
        (become_a_folder, "it is a directory", 126),
        (lose_its_interpreter, "its interpreter /no/such/interpreter does not exist", 126),
    ],
)


@SPOILT
def test_a_check_that_is_spoilt_has_failed_until_it_is_back(
    place: Place, spoil: Callable[[Path], None], why: str, code: int
) -> None:
    heat = place.fleet(table("web", place.check(0)))
    heat.await_line("web: OK")
    spoil(path := place.folder / "check")
    heat.await_line(f"web: Failed: Exit Code {code}, {DETAILS}", 2)
    if path.is_dir():
        path.rmdir()
    path.unlink(missing_ok=True)
    place.check(0)
    before = heat.lines().count("web: OK")
    heat.await_line("web: OK", before + 2)

    message = f"./check cannot be started: {why}"
    assert f": web: {message}\n" in heat.log()
    assert ("FAIL", "web: ./check", [message, f"[Exit Code {code}]"]) in records(heat.verbose())
    assert heat.stop() == 0


@SPOILT
def test_a_recovery_that_is_spoilt_has_ended_and_checks_go_on(
    place: Place, spoil: Callable[[Path], None], why: str, code: int
) -> None:
    recover = place.script("recover", "true")
    heat = place.fleet(table("web", place.script("web", "[ ! -e broken ]"), recovery=recover))
    heat.await_line("web: OK")
    spoil(place.folder / "recover")
    (place.folder / "broken").touch()
    heat.await_line(f"web: {FAILED}", 4)

    message = f"./recover cannot be started: {why}"
    assert ("FAIL", "web: ./recover", [message, f"[Exit Code {code}]"]) in records(heat.verbose())
    counts = f"; that counts as a recovery that ended with Exit Code {code}"
    assert f"web: {message}{counts}" in heat.news()
    assert recoveries(heat)[0] == (code, f"Exit Code {code}")
    assert heat.stop() == 0


def test_in_a_file_a_killed_recovery_has_ended_with_its_signal(place: Place) -> None:
    recover = place.script("recover", "kill -9 $$")
    heat = place.fleet(table("web", place.check(1, 0), recovery=recover))
    heat.await_line("web: OK")

    assert (
        "web: recovery script ./recover ended: Exit Code 137 (killed by SIGKILL), after "
        in heat.err.read_text()
    )
    assert ("FAIL", "web: ./recover", ["[killed by SIGKILL]"]) in records(heat.verbose())
    assert recoveries(heat) == [(137, "killed by SIGKILL")]
    assert heat.stop() == 0
