"""HEAT with ten thousand monitors in one process, beside what it is measured against.

usage: scale.py [--only 1,2,...,8] [--quick] [--root CHECKOUT] [--monitors N] [--minutes N]

What each figure is, and of what: in the functions below and, beside Monit, in ``monit.py``.
How it is measured: in ``bench.py`` and ``many.py``. ``--monitors`` and ``--minutes`` are for
section 4. A whole run, neither quick nor of some sections only, is written to SCALE.md as well.

HEAT is at work as a whole: table, lines on stdout, logs. It prints to a file, and its checks are
counted by its lines when the time is over, so that counting takes nothing from what is counted.
"""

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial

import monit
from bench import (
    HERE,
    IN_FLIGHT,
    Bench,
    Command,
    Figure,
    Section,
    arguments,
    chosen,
    environment,
    in_turns,
    machine,
    measured,
    ms,
    percentile,
    prepared,
    printed,
    processor,
    ratio,
    running,
    sizes,
    sleep_until,
    write_results,
)
from many import (
    GRACE,
    NUMBER,
    Config,
    Lateness,
    Speed,
    affordable,
    capacity_of,
    fresh,
    lateness,
    must_take_configs,
    records,
    saturated,
    watching,
)

MANY = 10_000
BARE = "bare Python loop"


def us(seconds: float) -> str:
    return f"{seconds * 1e6:.0f} us"


def megabytes(kib: int) -> str:
    return f"{kib * 1024 / 1e6:.1f} MB"


def bare_many(bench: Bench, entries: int, seconds: float, *words: str) -> list[str]:
    """Run the bare loop with timed entries for these seconds."""
    script = os.path.join(HERE, "bare_many.py")
    return [bench.python, script, str(entries), repr(seconds), "256", "0", *words]


# 1. Throughput


def throughput(bench: Bench) -> list[Figure]:
    """Where the bare loop does 8,000 a second, HEAT is to do 6,000."""
    figures = []
    tiny = "a tiny static check"
    for name, path, goals in (
        (tiny, bench.check, {BARE: 0.75, "C": 0.6}),
        ("/bin/true", "/bin/true", {BARE: None, "C": 0.9}),
    ):
        speeds = at_full_speed(bench, path, bench.slices(16))
        figures += [beside(name, speeds, who, goal) for who, goal in goals.items()]
        if name == tiny:
            figures.append(spent_on(f"at full speed, {tiny}", speeds))
    return figures


def at_full_speed(bench: Bench, path: str, slices: int) -> dict[str, list[Speed]]:
    capacity = capacity_of(bench, path)
    seconds = 0.5 if bench.quick else 1.0
    checks = str(round(capacity * seconds))
    loop = [bench.python, os.path.join(HERE, "bare_many.py"), IN_FLIGHT, "0", IN_FLIGHT, checks]
    runs = {
        "HEAT": partial(saturated, bench, path, capacity, seconds),
        BARE: partial(_said, [*loop, path]),
        "C": partial(_said, [bench.built("spawn"), path, checks, IN_FLIGHT]),
    }
    return in_turns(runs, slices)


def _said(command: Command) -> Speed:
    rate, cost = printed(command).split()
    return Speed(float(rate), float(cost) / 1e6)


def beside(name: str, speeds: dict[str, list[Speed]], who: str, goal: float | None) -> Figure:
    rates = {key: [speed.rate for speed in taken] for key, taken in speeds.items()}
    share = ratio(rates["HEAT"], rates[who])
    return Figure(
        f"checks a second, {name}, {IN_FLIGHT} in flight",
        f"{statistics.median(rates['HEAT']):.0f}",
        f"{who} {statistics.median(rates[who]):.0f}",
        f"{share:.2f}",
        f">= {goal:.2f}" if goal else "",
        share >= goal if goal else None,
    )


# 2. Processor time


def per_check(bench: Bench) -> list[Figure]:
    """At 250 checks a second; the figure at full speed is taken with the throughput."""
    monitors, interval = 1000, 4.0
    rate = monitors / interval
    heat = Config(monitors, interval, (bench.check,))
    bare = bare_many(bench, monitors, interval, bench.check)
    c = [bench.built("react"), str(1 / rate), "1000000", "0", bench.check]
    seconds = 1.0 if bench.quick else 3.0

    def of_heat() -> Speed:
        with watching(bench, heat) as watched:
            watched.wait_for(100)
            return watched.speed(seconds)

    def of(command: Command) -> Speed:
        with running(command) as program:
            time.sleep(0.5)
            spent = processor(program.pid)
            time.sleep(seconds)
            return Speed(rate, (processor(program.pid) - spent) / (rate * seconds))

    runs: dict[str, Callable[[], Speed]] = {
        "HEAT": of_heat,
        BARE: partial(of, bare),
        "C": partial(of, c),
    }
    taken = in_turns(runs, bench.slices(12))
    return [spent_on(f"at {rate:.0f} checks a second, {monitors} monitors", taken)]


def spent_on(when: str, speeds: dict[str, list[Speed]]) -> Figure:
    costs = {who: [speed.cost for speed in taken] for who, taken in speeds.items()}
    typical = {who: statistics.median(spent) for who, spent in costs.items()}
    return Figure(
        f"HEAT's own processor time a check, {when}",
        us(typical["HEAT"]),
        f"C {us(typical['C'])}, {BARE} {us(typical[BARE])}",
        f"{ratio(costs['HEAT'], costs['C']):.2f}, {ratio(costs['HEAT'], costs[BARE]):.2f}",
        "<= 150 us",
        typical["HEAT"] <= 150e-6,
    )


# 3. Ten thousand at rest


def at_rest(bench: Bench) -> list[Figure]:
    """At the same time, so that what disturbs one disturbs both; each in its own time."""
    interval = 60.0
    warm, window = (5.0, 20.0) if bench.quick else (interval * 1.1, interval)
    bare = bare_many(bench, MANY, interval, bench.check)
    with watching(bench, Config(MANY, interval, (bench.check,))) as heat, running(bare) as loop:
        heat.wait_for(1)
        time.sleep(warm)
        spent = [processor(pid) for pid in (heat.pid, loop.pid)]
        time.sleep(window)
        heat.must_run()
        shares = [
            (processor(pid) - before) / window
            for pid, before in zip((heat.pid, loop.pid), spent, strict=True)
        ]
        memory = sizes(heat.pid), sizes(loop.pid)
    what = f"{MANY} monitors at {interval:.0f} s"
    figures = [
        Figure(
            f"{what}: share of a core",
            f"{shares[0] * 100:.2f} %",
            f"{BARE} {shares[1] * 100:.2f} %",
            f"{shares[0] / shares[1]:.2f}",
            "<= 3 %",
            shares[0] <= 0.03,
        )
    ]
    for kind in ("rss", "pss"):
        own, other = (taken[kind] for taken in memory)
        figures.append(
            Figure(
                f"{what}: memory, {kind.upper()}",
                megabytes(own),
                f"{BARE} {megabytes(other)}",
                f"{own / other:.2f}",
                "<= 32 MB",
                own * 1024 <= 32e6,
            )
        )
    return figures


# 4. Punctuality


def punctuality(bench: Bench, monitors: int, minutes: float) -> list[Figure]:
    """Each check appends its number and the moment of its start; one in a hundred fails.

    A quick run takes a fifth of the monitors at a fifth of the interval: a grid needs some checks.
    """
    seconds = 20.0 if bench.quick else minutes * 60
    wanted = monitors / 10
    monitors //= 5 if bench.quick else 1
    rate = affordable(bench, wanted)
    interval = monitors / rate
    what = f"{monitors} monitors at {interval:.3g} s"
    what += _less(rate, wanted)
    figures, late = _late_heat(bench, monitors, interval, seconds)
    bare = _late_bare(bench, monitors, interval, min(seconds, 60.0))
    return [
        Figure(
            f"lateness of a start, {what}, median of {late.checks}",
            ms(late.median),
            f"{BARE} {ms(bare.median)}",
            f"{late.median / bare.median:.2f}",
            "<= 0.5 ms",
            late.median <= 0.5e-3,
        ),
        Figure(
            "lateness of a start, p99",
            ms(late.p99),
            f"{BARE} {ms(bare.p99)}",
            f"{late.p99 / bare.p99:.2f}",
            "<= 5 ms",
            late.p99 <= 5e-3,
        ),
        Figure("checks lost", str(late.lost), f"{BARE} {bare.lost}", "", "0", late.lost == 0),
        *figures,
    ]


def _less(rate: float, wanted: float) -> str:
    """Why it is not the interval that was asked for, where it is not."""
    if rate == wanted:
        return ""
    return (
        f" ({rate:.0f} starts a second, 60 % of what HEAT does here at full speed;"
        f" {wanted:.0f} asked for)"
    )


def _late_heat(
    bench: Bench, monitors: int, interval: float, seconds: float
) -> tuple[list[Figure], Lateness]:
    with fresh(bench, "stamps") as stamps:
        config = Config(monitors, interval, (bench.built("tick"), stamps, NUMBER))
        with watching(bench, config) as heat:
            heat.wait_for(1)
            began, busy = time.monotonic(), _busy()
            sleep_until(began + seconds / 3)
            early = sizes(heat.pid)["rss"]
            sleep_until(began + seconds)
            heat.must_run()
            late, end = sizes(heat.pid)["rss"], time.monotonic()
            worked = [now - before for now, before in zip(_busy(), busy, strict=True)]
            time.sleep(GRACE)
            heat.stop()
            failed = heat.printed().count(b"Failed")
            with open(heat.path("heat.log"), "rb") as log:
                written = log.read().count(b"\n")
        times = lateness(records(stamps), monitors, interval, end)
    # Before each has run once or twice, memory has to grow.
    settled = seconds / 3 >= 1.5 * interval
    return [
        Figure(
            "records in heat.log, beside failures printed",
            str(written),
            str(failed),
            "",
            "all of them",
            written == failed,
        ),
        Figure(
            "memory, RSS, at the end, beside itself after a third",
            megabytes(late),
            megabytes(early),
            f"{late / early:.3f}",
            "<= 1.02" if settled else "",
            late <= 1.02 * early if settled else None,
        ),
        Figure("the machine's time that was not idle meanwhile", f"{worked[0] / worked[1]:.0%}"),
    ], times


def _busy() -> tuple[int, int]:
    """Ticks of all cores that were not idle, and all ticks."""
    with open("/proc/stat", encoding="ascii") as file:
        ticks = [int(word) for word in file.readline().split()[1:9]]
    return sum(ticks) - ticks[3] - ticks[4], sum(ticks)


def _late_bare(bench: Bench, monitors: int, interval: float, seconds: float) -> Lateness:
    with fresh(bench, "stamps") as stamps:
        with running(bare_many(bench, monitors, interval, bench.built("tick"), stamps, NUMBER)):
            time.sleep(seconds)
            end = time.monotonic()
            time.sleep(GRACE)
        return lateness(records(stamps), monitors, interval, end)


# 5. Reaction


def reaction(bench: Bench) -> list[Figure]:
    few = _reactions(bench, 10, 0.2, bench.slices(12))
    # A failing check is two starts: its own, and the reaction's.
    starts = 2.0 * 500
    rate = affordable(bench, starts)
    interval = starts / rate
    many = _reactions(bench, 500, interval, bench.slices(12))
    what = "exit of a failing check to the first instruction of its fail script"
    return [
        _reaction_figure(f"{what}, 10 monitors at 0.2 s", few, 0.5, 0.3e-3),
        _reaction_figure("the same", few, 0.99, None),
        _reaction_figure(
            f"{what}, 500 monitors at {interval:.3g} s{_less(rate, starts)}", many, 0.5, None
        ),
        _reaction_figure("the same", many, 0.99, 1e-3),
    ]


def _reaction_figure(
    what: str, spans: dict[str, list[float]], share: float, goal: float | None
) -> Figure:
    if not spans["HEAT"]:
        return Figure(what, "no reaction came", reached=False)
    own, other = (percentile(spans[who], share) for who in ("HEAT", "C"))
    name = "median" if share == 0.5 else f"p{share * 100:.0f}"
    return Figure(
        f"{what}, {name} of {len(spans['HEAT'])}",
        ms(own),
        f"C {ms(other)}",
        f"{own / other:.2f}",
        f"<= {ms(goal)}" if goal else "",
        own <= goal if goal else None,
    )


def _reactions(bench: Bench, monitors: int, interval: float, slices: int) -> dict[str, list[float]]:
    """Seconds from exit to reaction, without those of the first second."""
    seconds = 1.5 if bench.quick else 3.0
    with fresh(bench, "cells", 8 * monitors) as cells, fresh(bench, "spans") as spans:
        words, script = (bench.built("fail"), cells, NUMBER), bench.built("first")
        heat = Config(monitors, interval, words, script)
        c = [bench.built("reacts"), repr(interval), str(monitors), script, *words]

        def noted() -> list[float]:
            time.sleep(1.0)
            start = os.stat(spans).st_size
            time.sleep(seconds)
            return [span / 1e9 for _, span in records(spans, start)]

        def of_heat() -> list[float]:
            with watching(bench, heat) as watched:
                watched.wait_for(1)
                return noted()

        def of_c() -> list[float]:
            with running(c):
                return noted()

        taken = in_turns({"HEAT": of_heat, "C": of_c}, slices)
    return {who: [span for some in taken[who] for span in some] for who in taken}


# 6. Under load


def under_load(bench: Bench) -> list[Figure]:
    loops = 2 * (os.cpu_count() or 1)
    with contextlib.ExitStack() as stack:
        for _ in range(loops):
            stack.enter_context(running([bench.built("busy")]))
        speeds = at_full_speed(bench, bench.check, bench.slices(12))
    name = f"a tiny static check, beside {loops} busy loops"
    return [beside(name, speeds, "C", 0.5), beside(name, speeds, BARE, None)]


# 7. Start-up


def start_up(bench: Bench) -> list[Figure]:
    interval = 60.0

    def to_first_check() -> float:
        with fresh(bench, "stamps") as stamps:
            config = Config(MANY, interval, (bench.built("tick"), stamps, NUMBER))
            with watching(bench, config) as heat:
                heat.wait_for(1)
            return min(stamp for _, stamp in records(stamps)) / 1e9 - heat.began

    def bare() -> float:
        began = time.monotonic()
        subprocess.run([bench.python, "-c", "pass"], env=environment(), check=True)
        return time.monotonic() - began

    taken = in_turns({"HEAT": to_first_check, "python": bare}, bench.slices(12))
    typical = statistics.median(taken["HEAT"])
    return [
        Figure(
            f"from the start of HEAT with {MANY} monitors to its first check",
            ms(typical),
            f"python -c pass {ms(statistics.median(taken['python']))}",
            f"{ratio(taken['HEAT'], taken['python']):.1f}",
            "<= 1.5 s",
            typical <= 1.5,
        )
    ]


# The command line


def sections(asked: argparse.Namespace) -> dict[str, Section]:
    late = partial(punctuality, monitors=asked.monitors, minutes=asked.minutes)
    return {
        "1": Section("Throughput of the whole engine", throughput),
        "2": Section("Processor time", per_check),
        "3": Section("Ten thousand at rest", at_rest),
        "4": Section("Punctuality", late),
        "5": Section("Reaction", reaction),
        "6": Section("Under load", under_load),
        "7": Section("Start-up", start_up),
        "8": Section("Beside Monit", monit.beside_monit),
    }


def main() -> int:
    parser = arguments("HEAT with ten thousand monitors, beside what it is measured against")
    parser.add_argument("--monitors", type=int, default=MANY, help="in section 4")
    parser.add_argument("--minutes", type=float, default=10.0, help="in section 4")
    asked = parser.parse_args()
    known = sections(asked)
    keys = chosen(parser, asked.only, list(known))
    about = machine()
    print(about)
    with prepared(asked) as bench:
        if not bench.has_c:
            sys.exit("nothing can be measured without cc")
        must_take_configs(bench)
        parts = measured(bench, {key: known[key] for key in keys})
    whole = set(keys) == set(known) and asked.monitors == MANY and asked.minutes >= 10
    if whole and not asked.quick:
        write_results(os.path.join(HERE, "SCALE.md"), about, parts)
    return 0


if __name__ == "__main__":
    sys.exit(main())
