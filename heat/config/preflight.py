"""The look before the first check: at the programs, the target and the logs."""

import os
from collections.abc import Collection, Container, Iterator
from typing import TYPE_CHECKING

from heat.config.options import Common, Options
from heat.config.preflight_programs import Files, look_at_programs, look_at_trust
from heat.diagnostics import Diagnostic, as_keys, of_option
from heat.errors import HeatError, TargetError, reason_of
from heat.files import try_to_open
from heat.process.target import open_process
from heat.text import counted, escaped
from heat.trust import Trust

if TYPE_CHECKING:
    from heat.config.model import Config


def look(options: Options, common: Common, trust: Trust) -> list[Diagnostic]:
    """List all that keeps these options from being carried out here and now."""
    files = Files(trust)
    return _unique([*_of_monitor(options, files), *_of_heat(common, [options], files)])


def look_at_file(
    config: "Config", common: Common, trust: Trust, present: Container[str] = ()
) -> list[Diagnostic]:
    """List the same for all monitors of a file; what several of them share comes once.

    Of the monitors that are ``present``, which already run with these options, only the trust in
    their programs is looked at.
    """
    files = Files(trust)
    new = [options for name, options in config.monitors.items() if name not in present]
    return _unique([*_of_monitors(config, files, present), *_of_heat(common, new, files)])


def look_at_monitors(config: "Config", trust: Trust) -> list[Diagnostic]:
    """List all that keeps the monitors of a file from running, wherever the logs may be."""
    return _of_monitors(config, Files(trust))


def _unique(diagnostics: list[Diagnostic]) -> list[Diagnostic]:
    """Leave one of those with the same message, as of a folder that script and logs share."""
    return list({diagnostic.message: diagnostic for diagnostic in diagnostics}.values())


def _of_monitors(config: "Config", files: Files, present: Container[str] = ()) -> list[Diagnostic]:
    places: dict[Diagnostic, list[str]] = {}
    for name, options in config.monitors.items():
        look_at = look_at_trust if name in present else _of_monitor
        for diagnostic in look_at(options, files):
            places.setdefault(diagnostic, []).append(name)
    return [_at(config, names, diagnostic) for diagnostic, names in places.items()]


def _at(config: "Config", names: list[str], diagnostic: Diagnostic) -> Diagnostic:
    """Word a mistake of these monitors."""
    here = diagnostic.at(config.place(names[0]))
    if len(names) == 1:
        return here
    others = counted(len(names) - 1, "other monitor")
    return here._replace(message=f"{here.message} (so in {others})")


def _of_monitor(options: Options, files: Files) -> Iterator[Diagnostic]:
    yield from look_at_programs(options, files)
    if options.pid is not None:
        yield from _of_target(options.pid)


def _of_target(pid: int) -> Iterator[Diagnostic]:
    if pid == os.getpid():
        yield of_option("--pid", f"'{pid}'", "is HEAT itself", "leave it out")
        return
    try:
        os.close(open_process(pid))
    except TargetError as error:
        why = f"process {pid} {str(error).removeprefix(f'process {pid} ')}"
        hint = "name a running process, or use --pid-file for one that comes and goes"
        yield Diagnostic(f"Error: --pid '{pid}': {why}", hint, "pid", why, as_keys(hint))


# The files that HEAT itself keeps


def log_paths(common: Common, name: str) -> tuple[str, str, str]:
    """Return the paths of heat.log, heat.verbose.log and the scripts' file of a monitor."""
    logs = ("heat.log", "heat.verbose.log", _out(name))
    heat, verbose, out = (os.path.join(common.log_folder, log) for log in logs)
    return heat, verbose, out


def _out(name: str) -> str:
    return f"heat.{name}.out"


def _of_heat(common: Common, monitors: Collection[Options], files: Files) -> Iterator[Diagnostic]:
    yield from _of_logs(common, monitors, files)
    for option, path, endings in (
        ("--state", common.state, ("", ".lock", "-wal", "-shm", "-journal")),
        ("--control", common.control, (".lock",)),
    ):
        for ending in endings if path else ():
            yield from files.doubted(option, f"{path}{ending}")


def _of_logs(common: Common, monitors: Collection[Options], files: Files) -> list[Diagnostic]:
    """List the faults of the logs; of many monitors, those of a bad folder once."""
    diagnostics = [
        diagnostic
        for log in ("heat.log", "heat.verbose.log")
        for diagnostic in _of_log(common, log, files)
    ]
    outs = [_out(each.name) for each in monitors if each.fail or each.recovery]
    if len(monitors) > 1:
        outs = [] if diagnostics else _outs_to_open(common.log_folder, outs)
    for out in outs:
        diagnostics += _of_log(common, out, files)
    return diagnostics


def _outs_to_open(folder: str, outs: list[str]) -> list[str]:
    """Return the scripts' files that exist, and one that speaks for all others."""
    try:
        present = set(os.listdir(folder or "."))
    except OSError:
        return outs  # One can write into a folder that one cannot list.
    missing = [out for out in outs if out not in present]
    return missing[:1] + [out for out in outs if out in present]


def _of_log(common: Common, log: str, files: Files) -> Iterator[Diagnostic]:
    path = os.path.join(common.log_folder, log)
    if doubted := list(files.doubted("--log-dir", path)):
        yield from doubted
        return
    try:
        try_to_open(path)
    except (OSError, HeatError, ValueError) as error:
        folder, file = escaped(common.log_dir or "."), escaped(os.path.join(common.log_dir, log))
        hint = "name a folder that HEAT may write to"
        if not os.path.exists(common.log_folder or "."):
            hint = f"make it first: mkdir -p {folder}"
        text = f"{file} cannot be opened for appending: {reason_of(error)}"
        yield Diagnostic(f"Error: --log-dir '{folder}': {text}", hint)
