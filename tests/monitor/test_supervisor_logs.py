"""The logs of many monitors: nothing is lost, nothing torn."""

import contextlib
import signal
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from fleet import (
    WELL,
    await_more,
    monitor,
)
from heat_process import FAILED, orderly, records
from place import Place


def test_two_hundred_failures_at_once_lose_no_record(place: Place) -> None:
    gate = place.gate("gate")
    check = place.script(
        "check",
        'echo $$ >> started\n: < gate\nfor n in 1 2 3; do echo "$HEAT_X line $n" >&2; done\nexit 1',
    )
    names = [f"m{n}" for n in range(200)]
    tables = [
        monitor(name, ["env", f"HEAT_X={name}", check], interval="100ms", count=1) for name in names
    ]
    heat = place.fleet("".join(tables))
    place.await_words("started", 200)
    with gate.path.open("wb"):
        assert heat.wait() == 1

    lines = {name: [f"{name} line {n}" for n in (1, 2, 3)] for name in names}
    fails = {
        p.partition(":")[0]: lines for kind, p, lines in records(heat.verbose()) if kind == "FAIL"
    }
    assert fails == {name: [*lines, "[Exit Code 1]"] for name, lines in lines.items()}
    logged = [line.split(": ", 2)[1:] for line in heat.log().splitlines()]
    assert sorted(name for name, _ in logged[::3]) == sorted(names)
    assert all(
        [name for name, _ in logged[n : n + 3]] == [logged[n][0]] * 3 for n in range(0, 600, 3)
    )
    assert Counter(heat.lines()) == Counter(f"{name}: {FAILED}" for name in names)
    orderly(heat)


def test_two_heats_in_one_log_folder_tear_no_record(place: Place) -> None:
    check = place.script("check", 'for n in 1 2 3 4 5; do echo "$0 $n" >&2; done\nexit 1')
    for which in "ab":
        tables = [monitor(f"{which}{n}", check, count=10, interval="20ms") for n in range(5)]
        place.write_config("".join(tables), f"{which}.toml")
    heats = [place.heat("--config", f"{w}.toml", "--control", f"{w}.sock") for w in "ab"]

    assert [heat.wait() for heat in heats] == [1, 1]
    fails = Counter(
        program
        for kind, program, lines in records(heats[0].verbose())
        if kind == "FAIL" and lines == [*(f"./check {n}" for n in range(1, 6)), "[Exit Code 1]"]
    )
    assert fails == {f"{which}{n}: ./check": 10 for which in "ab" for n in range(5)}
    logged = [line.split(": ", 2)[1:] for line in heats[0].log().splitlines()]
    assert len(logged) == 2 * 5 * 10 * 5
    for n in range(0, len(logged), 5):
        assert len({name for name, _ in logged[n : n + 5]}) == 1


@pytest.mark.parametrize("way", ["TERM", "ERROR"])
def test_all_is_out_before_heat_exits(place: Place, way: str) -> None:
    gate = place.gate("gate")
    ends = "kill -9 $$" if way == "ERROR" else "exec sleep 600"
    check = place.script("check", f"echo said; echo >> started; : < gate\n{ends}")
    heat = place.fleet("".join(monitor(f"m{n}", check, on_killed="error") for n in range(30)))
    place.await_words("started", 30)
    if way == "TERM":
        heat.signal(signal.SIGTERM)
        assert heat.wait() == 0
    else:
        with gate.path.open("wb"):
            assert heat.wait() == 3

    last = "[stopped with HEAT]" if way == "TERM" else "[killed by SIGKILL]"
    lines = Counter(p for _, p, lines in records(heat.verbose()) if lines == ["said", last])
    assert lines == {f"m{n}: ./check": 1 for n in range(30)}


def test_a_full_disk_behind_stdout_does_not_stop_the_watching(place: Place) -> None:
    tables = [monitor(f"m{n}", ["false"], count=3) for n in range(3)]
    with open("/dev/full", "wb") as full:
        heat = place.fleet("".join(tables), stdout=full)

    assert heat.wait() == 1
    assert heat.err.read_text().count("cannot write to stdout: no space left on device") == 1
    assert heat.log().count("Exit Code 1") == 9


def test_a_full_disk_is_said_once_for_all_and_nothing_is_lost(place: Place) -> None:
    (place.folder / "logs").mkdir()
    namespace = ("unshare", "--mount", "sh", "-c")
    mount = "mount -t tmpfs -o size=64k none logs"
    if subprocess.run([*namespace, mount], cwd=place.folder, check=False).returncode != 0:
        pytest.skip("no mount namespace")
    much = "x" * 400
    text = "".join(
        monitor(f"m{n}", place.check(1, name=f"m{n}", body=f"echo $n {much} >&2")) for n in range(3)
    )
    heat = place.fleet(
        text, "--log-dir", "logs", prefix=(*namespace, f'{mount} && exec "$@"', "sh")
    )
    heat.await_line("Failed", 3)
    logs = Path(f"/proc/{heat.pid}/root{place.folder}/logs")
    with (logs / "ballast").open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"x" * 4096):
            pass
    for name in ("heat.log", "heat.verbose.log"):
        heat.await_news(f"cannot write logs/{name}: no space left on device")
    await_more(heat, "Failed", 9)
    (logs / "ballast").unlink()
    for name in ("heat.log", "heat.verbose.log"):
        heat.await_news(f"logs/{name} can be written again; nothing was lost")
    with (logs / "heat.log").open() as failures, (logs / "heat.verbose.log").open() as verbose:
        assert heat.stop() == 0
        logged, written = failures.read(), records(verbose.read())

    shown = Counter(line.partition(":")[0] for line in heat.lines())
    assert heat.err.read_text().count("cannot write") == 2
    assert Counter(line.split(": ")[1] for line in logged.splitlines()) == shown
    assert Counter(p.partition(":")[0] for kind, p, _ in written if kind == "FAIL") == shown
    orderly(heat)


def test_the_start_is_told_though_the_first_check_is_long_to_come(place: Place) -> None:
    sleeper = place.spawn(["sleep", "600"])
    keys = {"interval": "8000h", "pid": sleeper.pid, "signal": "USR1"}
    heat = place.fleet(monitor("web", WELL, **keys))
    heat.await_news(f"web: heat: warning: process {sleeper.pid} does not catch USR1 (signal)")
    heat.await_file("heat.verbose.log", "> watching 1 monitor of heat.toml")

    assert heat.lines() == []
    assert heat.stop() == 0
