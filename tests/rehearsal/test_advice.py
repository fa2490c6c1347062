"""Advice on options: each piece is given where it applies, and nowhere else."""

import json
from pathlib import Path

import pytest
from virtual import options

from heat.ctl import main as heatctl
from heat.rehearsal.advice import advice
from heat.rehearsal.play import play
from heat.rehearsal.results import Plot, results

RECOVERS = "--recovery=./r --script-timeout=10 --timeout=5"
QUIET = ("--recovery=./r", "--script-timeout=10", "--timeout=5", "--recovery-timeout=30")


def remarks(*words: str, fail_takes: float | None = None) -> list[str]:
    return [str(each) for each in advice(options(*words), fail_takes)]


@pytest.mark.parametrize(
    ("words", "about", "hint"),
    [
        ("--timeout=none", "--timeout 'none' lets a check hang for ever", "give --timeout"),
        (
            "--timeout=10.5",
            "--timeout '10.5' is longer than --interval '10': while",
            "make --timeout 10 or less",
        ),
        (
            "--recovery=./r --script-timeout=10 --timeout=5 --recovery-timeout=4.9",
            "--recovery-timeout '4.9' is shorter than --timeout '5'",
            "make --recovery-timeout longer than 5, or --timeout shorter",
        ),
        (
            "--recovery=./r --script-timeout=10 --timeout=5 --recovery-timeout=9",
            "--recovery-timeout '9' is shorter than --interval '10': a window has only the",
            "longer than 10",
        ),
        (
            "--recovery=./r --script-timeout=10 --timeout=5 --threshold=3 --count=2",
            "--threshold '3' is never reached: --count ends it after 2 checks",
            "make --threshold 2 or less, or --count larger",
        ),
        (
            f"{RECOVERS} --threshold=3 --count=11 --max-recoveries=3",
            "--max-recoveries '3' is never spent with --threshold '3': that takes 12 failed check",
            "make --count at least 12",
        ),
        (
            f"{RECOVERS} --threshold=3 --count=4 --success-threshold=2",
            "--success-threshold '2' is never reached: --count '4' leaves 1 check behind --thr",
            "make --count at least 5",
        ),
        (
            f"{RECOVERS} --threshold=2 --retry-interval=4.9",
            "--timeout '5' is longer than --retry-interval '4.9': after a check that hangs",
            "make --timeout 4.9 or less, or --retry-interval longer",
        ),
        (
            f"{RECOVERS} --recovery-interval=4.9",
            "--timeout '5' is longer than --recovery-interval '4.9': after a check that hangs",
            "make --timeout 4.9 or less, or --recovery-interval longer",
        ),
        (
            "--timeout=5 --retry-interval=10",
            "--retry-interval '10' must be shorter than --interval '10' to have an effect",
            "make it shorter, or leave it out",
        ),
        (
            f"{RECOVERS} --recovery-backoff=9.9",
            "--recovery-backoff '9.9' is shorter than --interval '10': the first pause may have",
            "make it 10 or longer",
        ),
        (
            f"{RECOVERS} --recovery-interval=8 --recovery-timeout=7",
            "--recovery-timeout '7' is shorter than --recovery-interval '8': a window has only",
            "longer than 8",
        ),
        (
            "--timeout=5 --fail=./f --script-timeout=5 --threshold=1",
            "--threshold '1' changes nothing without an action in recovery",
            "leave it out, or make it 2 or more",
        ),
        (
            "--timeout=5 --unknown-codes=3,124",
            "--unknown-codes '3,124' holds 124, which does not cover a check that runs longer",
            "leave 124 out, unless the check itself exits with it",
        ),
        (
            "--timeout=5 --warn-codes=124",
            "--warn-codes '124' holds 124, which does not cover a check that runs longer",
            "leave 124 out, unless the check itself exits with it",
        ),
        (
            "--timeout=5 --start-period=20.5 --count=3",
            "--start-period '20.5' is longer than the 3 checks of --count",
            "shorter",
        ),
        (
            "--timeout=5 --pid=42 --fault-signal=STOP --success-signal=CONT",
            "--fault-signal 'STOP' stops process 42: where check asks that process, no check can",
            "have --recovery send CONT",
        ),
        (
            "--timeout=5 --pid-file=/run/x.pid --signal=TSTP",
            "--signal 'TSTP' stops the process of /run/x.pid at a failure",
            "use --fault-signal STOP with --success-signal CONT",
        ),
        (
            "--timeout=5 --pid=42 --fault-signal=TERM",
            "--fault-signal 'TERM' ends process 42, and a target of --pid that has ended",
            "name it with --pid-file",
        ),
        (
            "--timeout=5 --pid=42 --recovery=./r --script-timeout=10",
            "--pid '42' may not be replaced by --recovery",
            "use --pid-file",
        ),
        (
            "--timeout=5 --fail=./tell --fail-overlap=skip",
            "--fail './tell' has no --script-timeout: with --fail-overlap 'skip' no check runs",
            "add --script-timeout, such as --script-timeout 10",
        ),
        (
            "--timeout=5 --fail=./tell",
            "--fail './tell' has no --script-timeout: if it hangs, HEAT reports no later failure",
            "add --script-timeout",
        ),
        (
            "--timeout=5 --recovery=./r",
            "--recovery './r' has no --script-timeout: if it hangs, no further check runs",
            "longer than any recovery",
        ),
        (
            "--timeout=5 --fail=./tell --script-timeout=10.5",
            "--script-timeout '10.5' lets the fail script run longer than --interval '10'",
            "make --script-timeout 10 or less",
        ),
    ],
)
def test_what_may_not_be_meant_is_said_with_the_fix(words: str, about: str, hint: str) -> None:
    (only,) = remarks(*words.split())
    line, remedy = only.splitlines()

    assert line.startswith(f"Advice: {about}")
    assert hint in remedy


@pytest.mark.parametrize(
    "words",
    [
        "--timeout=10",
        "--timeout=5 --count=1",
        "--timeout=5 --start-period=20 --count=3",
        " ".join(QUIET),
        " ".join((*QUIET, "--recovery-timeout=10", "--timeout=10")),
        " ".join((*QUIET, "--threshold=2", "--count=3")),
        "--timeout=5 --recovery=./r --script-timeout=9 --threshold=3 --count=12 --max-recoveries=3",
        "--timeout=5 --fail=./tell --script-timeout=10",
        "--timeout=5 --fail=./tell --recovery=./r --script-timeout=60",
        "--timeout=5 --pid=42 --signal=USR1",
        "--timeout=5 --pid-file=/run/x.pid --fault-signal=TERM",
        "--timeout=5 --fail=./tell --threshold=2 --fault-signal=USR1",
    ],
)
def test_where_all_is_well_there_is_no_advice(words: str) -> None:
    assert remarks(*words.split()) == []


def test_a_backoff_of_defaults_is_nothing_to_a_monitor_without_recovery() -> None:
    plain = options("--timeout=5")

    assert not advice(plain._replace(limits=plain.limits._replace(recovery_backoff=9.9)))


def test_a_stopped_target_that_nobody_continues() -> None:
    first, second = remarks("--timeout=5", "--pid=42", "--fault-signal=STOP")

    assert "where check asks that process" in first
    assert second == (
        "Advice: --fault-signal 'STOP' is not followed by CONT: after a recovery that succeeds, "
        "the process stays stopped until HEAT ends\n  add --success-signal CONT"
    )


def test_max_recoveries_needs_as_many_checks_as_the_machine_takes() -> None:
    for threshold in (1, 2, 3):
        for window in ((), ("--recovery-timeout=10",)):
            words = ("--recovery=./r", f"--threshold={threshold}", "--max-recoveries=2", *window)
            ended = play(options(*words), Plot(results("1"), until=10_000))
            needed = sum(entry.kind == "check" for entry in ended.entries)

            assert ended.exit_code == 3
            assert not any("never spent" in each for each in remarks(*words, f"--count={needed}"))


def test_a_fail_script_that_is_known_to_take_longer() -> None:
    words = ("--timeout=5", "--fail=./tell", "--script-timeout=10")

    assert remarks(*words, fail_takes=10) == []
    assert (
        "takes 10.5 s, longer than --interval '10': one run reports all failures"
        in (remarks(*words, fail_takes=10.5)[0])
    )
    skipping = remarks(*words, "--fail-overlap=skip", fail_takes=10.5)
    assert "with --fail-overlap 'skip' HEAT skips the checks in the meantime" in skipping[0]


def test_a_rehearsal_ends_with_advice(capfd: pytest.CaptureFixture[str]) -> None:
    words = "-i 10 -s ./check --results 0 --recovery ./r".split()  # noqa: SIM905 - as it is typed
    heatctl.main(["rehearse", *words])
    text = capfd.readouterr().out
    heatctl.main(["rehearse", *words, "--json"])
    summary = json.loads(capfd.readouterr().out.splitlines()[-1])

    assert "ticks are skipped, and --threshold is reached later\n" in text
    assert "\nAdvice: --timeout '30' is longer than --interval '10'" in text
    assert summary["advice"][1] == {
        "line": "--recovery './r' has no --script-timeout: if it hangs, no further check runs",
        "fix": "add --script-timeout, longer than any recovery takes",
    }


def test_in_a_file_advice_names_the_keys(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "heat.toml"
    path.write_text('[monitor.web]\nscript = "./c"\ninterval = 30\nrecovery = "./r"\n')
    heatctl.main(["rehearse", "--config", str(path), "--results", "0"])

    assert (
        f"{path}: monitor.web.recovery: './r' has no script-timeout: if it hangs, no further check "
        "runs\n  add script-timeout, longer than any recovery takes\n"
    ) in capfd.readouterr().out
