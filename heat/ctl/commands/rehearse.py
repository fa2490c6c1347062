"""The command ``heatctl rehearse``."""

USAGE = """heatctl rehearse: what HEAT would do if the check gave these results.

Usage:
  heatctl rehearse -i SECS [options] [--] COMMAND [ARG...]
  heatctl rehearse -i SECS [options] -s SCRIPT
  heatctl rehearse --config FILE [--monitor NAME] [options]
  heatctl rehearse -h | --help

The options are those of 'heat', and these. Nothing is started, signalled or
written, and neither the programs nor the target need to exist. The same code
decides as in a running HEAT, on a virtual clock.

What happens:
  --results LIST            the results of the checks, in order: an exit code,
                            'timeout', 'killed' or 'unknown'; '1x5' is five
                            times 1, '1@3s' is 1 after 3 seconds:
                            0,1x5,timeout,killed,unknown,0
  --recovery-takes SECS     the recovery script runs this long (default: 0)
  --recovery-exits CODE     its exit code, or 'killed', or 'timeout' if it
                            never ends by itself (default: 0)
  --recovery-works-after N  once it has run N times, the check passes
  --fail-takes SECS         the fail script runs this long (default: 0)
  --until SECS              go on this long, repeating the last result
                            (default: until the results are used up)

With a file:
  --monitor NAME            the monitor of --config FILE to rehearse

Output:
  --svg FILE                draw the timeline into FILE as well
  --json                    one JSON object per event, and one that sums up
  -h, --help                print this

Exit status: 0 it ends in NORMAL; 1 it does not; 2 bad usage.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from heat.app import cli, loader
from heat.app.parser import beside_config
from heat.config import options, readers, toml_file
from heat.config.command_line import Grammar, Words, read
from heat.config.durations import duration
from heat.config.mistyped import nearest
from heat.config.options import Options
from heat.config.schema import BAD, Option
from heat.ctl import output
from heat.ctl.errors import UsageError
from heat.diagnostics import Diagnostic, of_option, shown
from heat.monitor.exit_codes import EXIT_NOT_WELL, EXIT_WELL
from heat.rehearsal import render_text
from heat.rehearsal.advice import advice
from heat.rehearsal.play import Played, play
from heat.rehearsal.results import Plot, exit_of_script, results
from heat.rehearsal.svg import draw
from heat.text import escaped

COMMAND = "heatctl rehearse"

OWN = (
    Option("--results", "LIST", results),
    Option("--recovery-takes", "SECS", duration),
    Option("--recovery-exits", "CODE", exit_of_script),
    Option("--recovery-works-after", "N", readers.number),
    Option("--fail-takes", "SECS", duration),
    Option("--until", "SECS", duration),
    Option("--monitor", "NAME", readers.path),
    Option("--svg", "FILE", readers.path),
)
"""The options of a rehearsal on top of HEAT's own."""
_OF_RECOVERY = ("--recovery-takes", "--recovery-exits", "--recovery-works-after")

_OF_HEAT = [
    line
    for line in cli.USAGE.splitlines()
    if re.match(r"  (-\w, )?--", line) and not re.search(r"--(json|help|version)\b", line)
]
"""The lines of the help of heat that list its options."""
_GRAMMAR = Grammar(COMMAND, "\n".join([USAGE, "Options of heat:", *_OF_HEAT]), options_first=True)


class _Rehearsal(NamedTuple):
    """One monitor, and what happens to it; ``in_file`` is the place of its table, if it has one."""

    options: Options
    plot: Plot
    in_file: str
    others: bool
    """The file has more monitors."""


def main(words: Sequence[str]) -> int:
    """Rehearse as these words say; return the exit status."""
    line = read(_GRAMMAR, words)
    if "--help" in line.flags:
        output.write(USAGE)
        return EXIT_WELL
    rehearsal, diagnostics = _understand(line)
    if rehearsal is None:
        raise UsageError(COMMAND, *diagnostics)
    named = bool(rehearsal.in_file)
    played = play(rehearsal.options, rehearsal.plot, named=named, others=rehearsal.others)
    if (path := line.values.get("--svg")) and (diagnostic := _draw(path, played)):
        raise UsageError(COMMAND, diagnostic)
    _print(played, rehearsal, as_json="--json" in line.flags)
    return EXIT_WELL if played.well else EXIT_NOT_WELL


def _print(played: Played, rehearsal: _Rehearsal, *, as_json: bool) -> None:
    hints = advice(rehearsal.options, rehearsal.plot.fail.after)
    if rehearsal.in_file:
        hints = [each.at(rehearsal.in_file) for each in hints]
    if as_json:
        output.write_lines(render_text.as_json(played, hints))
    else:
        output.write_lines(render_text.lines(played, hints, colour=output.is_coloured()))


def _draw(path: str, played: Played) -> Diagnostic | None:
    try:
        with open(path, "w", encoding="utf-8") as file:
            file.write(draw(played))
    except OSError as error:
        why = f"cannot be written: {str(error.strerror).lower()}"
        return of_option("--svg", shown(path), why, "name a file in a folder that you may write to")
    return None


# The words


def _understand(line: Words) -> tuple[_Rehearsal | None, list[Diagnostic]]:
    values, diagnostics = options.read_values(line.values, OWN)
    diagnostics = [*line.diagnostics, *diagnostics]
    if "--results" not in line.values and "--recovery-works-after" not in line.values:
        hint = "say what the checks give, as in --results 0,1x3,timeout,0"
        diagnostics.append(of_option("--results", "", "is missing", hint))
    if "--config" in line.values:
        monitor, place, others, wrong = _of_file(line)
    else:
        monitor, wrong = options.build(line.values, line.operands)
        place, others = "", False
        if "--monitor" in line.values:
            hint = "add --config FILE, or leave it out"
            wrong.append(_wrong(line, "--monitor", "has no effect without --config", hint))
    diagnostics = list(dict.fromkeys([*diagnostics, *wrong]))
    if monitor is not None:
        diagnostics += _conflicts(line, values, monitor)
    if monitor is None or diagnostics:
        return None, diagnostics
    return _Rehearsal(monitor, _plot(values), place, others), []


def _read(path: str) -> loader.Findings:
    content, wrong = toml_file.sound_part(path, path)
    return loader.Findings(content._replace(unsound={}), wrong, [])


def _of_file(line: Words) -> tuple[Options | None, str, bool, list[Diagnostic]]:
    """Find the monitor to rehearse, its place, and whether there are others."""
    path, diagnostics = line.values["--config"], beside_config(line)
    content, wrong, _ = loader.read(partial(_read, path))
    diagnostics += wrong
    if wrong:
        return None, "", False, diagnostics
    name = line.values.get("--monitor")
    names = list(content.monitors)
    if name is None and len(names) == 1:
        name = names[0]
    if name in content.monitors:
        return content.monitors[name], content.place(name), len(names) > 1, diagnostics
    known = ", ".join(map(escaped, names[:_SOME])) + (", ..." if len(names) > _SOME else "")
    if name is None:
        text = f"Error: --monitor is missing: {escaped(path)} has {len(names)} monitors"
        return None, "", True, [*diagnostics, Diagnostic(text, f"name one of them: {known}")]
    return None, "", True, [*diagnostics, _unknown_monitor(line, name, names, known)]


_SOME = 10


def _unknown_monitor(line: Words, name: str, names: list[str], known: str) -> Diagnostic:
    near = nearest(name, names)
    hint = f"did you mean {escaped(near)}?" if near else f"name one of them: {known}"
    complaint = f"is not a monitor of {escaped(line.values['--config'])}"
    return _wrong(line, "--monitor", complaint, hint)


def _wrong(line: Words, option: str, complaint: str, hint: str) -> Diagnostic:
    return of_option(option, shown(line.values[option]), complaint, hint)


def _conflicts(line: Words, values: Mapping[str, Any], monitor: Options) -> Iterator[Diagnostic]:
    """List the options that do not go together in a rehearsal."""
    for option in _OF_RECOVERY:
        if option in line.values and monitor.recovery is None:
            hint = "add --recovery, or leave it out"
            yield _wrong(line, option, "has no effect without --recovery", hint)
    if "--fail-takes" in line.values and monitor.fail is None:
        hint = "add --fail, or leave it out"
        yield _wrong(line, "--fail-takes", "has no effect without --fail", hint)
    ends = values.get("--recovery-exits", BAD)
    if ends is not BAD and ends.after is None and monitor.script_timeout is None:
        complaint = "never comes without --script-timeout"
        hint = "add --script-timeout, or leave it out"
        yield _wrong(line, "--recovery-exits", complaint, hint)
    played = values.get("--results", ())
    endless = played is not BAD and any(result.after is None for result in played)
    if endless and monitor.timeout is None:
        complaint = "contains 'timeout', but --timeout is 'none': that check would never end"
        yield _wrong(line, "--results", complaint, "leave out --timeout, or give it a length")


def _plot(values: Mapping[str, Any]) -> Plot:
    recovery = values.get("--recovery-exits", Plot(()).recovery)
    if recovery.after is not None:
        recovery = recovery._replace(after=values.get("--recovery-takes", 0.0))
    return Plot(
        values.get("--results") or results("1"),
        recovery,
        Plot(()).fail._replace(after=values.get("--fail-takes", 0.0)),
        values.get("--recovery-works-after"),
        values.get("--until"),
    )
