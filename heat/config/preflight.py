"""The look before the first check: files, target, logs; mistakes and warnings."""

import os
from collections.abc import Collection, Container, Iterator
from functools import cache
from typing import TYPE_CHECKING

from heat.config.options import Common, Options
from heat.config.schema import COMMAND
from heat.diagnostics import Diagnostic, as_keys, of_file, of_option, quoted
from heat.errors import HeatError, TargetError, reason_of
from heat.files import try_to_open
from heat.process import signals
from heat.process.executable import (
    Cause,
    Unfit,
    interpreter,
    interpreters,
    on_path,
    shebang,
    unfit,
    why_not_executable,
)
from heat.process.proc import would_end
from heat.process.target import PidFileTarget, PidTarget, open_process
from heat.text import counted, escaped
from heat.trust import Trust

if TYPE_CHECKING:
    from heat.config.model import Config

_SHELL_SYNTAX = set("|&;<>()$`\"'*?[]{}~\\# \t\n")


def look(options: Options, common: Common, trust: Trust) -> list[Diagnostic]:
    """List all that keeps these options from being carried out here and now."""
    files = _Files(trust)
    found = [*_of_monitor(options, files), *_of_heat(common, [options], files)]
    # A folder that script and logs have in common is told once.
    return list({diagnostic.message: diagnostic for diagnostic in found}.values())


def look_at_file(
    config: "Config", common: Common, trust: Trust, present: Container[str] = ()
) -> list[Diagnostic]:
    """List the same for all monitors of a file; what several of them share is told once.

    Of those that are ``present``, and watched as they stand there, no more is asked than who may
    change what they run.
    """
    files = _Files(trust)
    new = [options for name, options in config.monitors.items() if name not in present]
    found = [*_of_monitors(config, files, present), *_of_heat(common, new, files)]
    return list({diagnostic.message: diagnostic for diagnostic in found}.values())


def look_at_monitors(config: "Config", trust: Trust) -> list[Diagnostic]:
    """List all that keeps the monitors of a file from being watched, wherever the logs may be."""
    return _of_monitors(config, _Files(trust))


def _of_monitors(
    config: "Config", files: "_Files", present: Container[str] = ()
) -> list[Diagnostic]:
    found: dict[Diagnostic, list[str]] = {}
    for name, options in config.monitors.items():
        look_at = _of_programs if name in present else _of_monitor
        for diagnostic in look_at(options, files):
            found.setdefault(diagnostic, []).append(name)
    told: list[Diagnostic] = []
    for diagnostic, names in found.items():
        here = diagnostic.at(config.place(names[0]))
        if len(names) > 1:
            others = counted(len(names) - 1, "other monitor")
            here = here._replace(message=f"{here.message} (so in {others})")
        told.append(here)
    return told


class _Files:
    """Files looked at once, however many monitors name them."""

    def __init__(self, trust: Trust) -> None:
        self.unfit = cache(unfit)
        self.on_path = cache(on_path)
        self._trust = trust
        self._shebang = cache(shebang)
        self._doubted = cache(self._doubts)

    def doubted(self, option: str, path: str, *, runs: bool = False) -> Iterator[Diagnostic]:
        """List what others may change about a file that HEAT opens itself, or ``runs``."""
        for subject, why, hint in self._doubted(path, runs):
            key, told = option.removeprefix("--"), f"{subject} {why}"
            yield Diagnostic(f"Failed: {told}", hint, key, told, hint)

    def _doubts(self, path: str, runs: bool) -> list[tuple[str, str, str]]:  # noqa: FBT001 - cached
        doubts = dict.fromkeys(self._trust.doubts(path, follow=runs), "")
        for program in interpreters(path, self._shebang) if runs and self._trust.is_asked else ():
            doubts = {**dict.fromkeys(self._trust.doubts(program), "interpreter"), **doubts}
        return [
            (_subject(doubt.kind or kind, doubt.path, path), doubt.why, doubt.hint)
            for doubt, kind in doubts.items()
        ]


def _subject(kind: str, path: str, given: str) -> str:
    """Name a file as it was given, unless it is another one."""
    shown = escaped(given if os.path.abspath(given) == path else path)
    return f"the {kind} {shown}" if kind else shown


def _of_monitor(options: Options, files: _Files) -> Iterator[Diagnostic]:
    if options.is_script:
        yield from _of_script("--script", options.check[0], files)
    elif options.check:
        yield from _of_command(options.check, files)
    for option, path in (("--fail", options.fail), ("--recovery", options.recovery)):
        if path is not None:
            yield from _of_script(option, path, files)
    if options.pid is not None:
        yield from _of_target(options.pid)


def _of_programs(options: Options, files: _Files) -> Iterator[Diagnostic]:
    """List who may change what a monitor runs."""
    check = options.check[0]
    path = check if options.is_script else files.on_path(check)
    if path is not None:
        option = "--script" if options.is_script else COMMAND
        yield from files.doubted(option, path, runs=True)
    for option, script in (("--fail", options.fail), ("--recovery", options.recovery)):
        if script is not None:
            yield from files.doubted(option, script, runs=True)


def _of_script(option: str, path: str, files: _Files) -> Iterator[Diagnostic]:
    found = files.unfit(path)
    if found is None:
        yield from files.doubted(option, path, runs=True)
    elif found.cause is Cause.NO_LINE:
        hint = "begin it with a line such as '#!/bin/sh'"
        yield of_file(option, escaped(path), f"cannot run: {found.text}", hint)
    elif found.cause is Cause.FILE:
        hint = f"{option}: {found.text}"
        yield of_file(option, escaped(path), "not executable", hint, found.text)
    else:
        yield _of_either(option, path, found)


def _of_either(option: str, path: str, found: Unfit) -> Diagnostic:
    """A mistake that has the same remedy in a script and in a command."""
    shown = escaped(path)
    if found.cause is Cause.MODE:
        return of_file(option, shown, "not executable", f"chmod +x {shown}")
    if found.cause is Cause.NOEXEC:
        return _noexec(option, path, found.text)
    hint = "install the interpreter, or correct the first line of the script"
    if found.cause is Cause.LINE_END:
        hint = "save it with Unix line ends: sed -i 's/\\r$//' FILE"
    elif found.cause is Cause.MARK:
        hint = "save it as UTF-8 without one: sed -i '1s/^\\xEF\\xBB\\xBF//' FILE"
    return of_file(option, shown, f"cannot run: {found.text}", hint)


def _noexec(option: str, path: str, why: str) -> Diagnostic:
    shown, runner, move = escaped(path), interpreter(path), "move it to another file system"
    complaint, hint, in_file = f"not executable: {why}", move, ""
    if runner and option in ("--script", COMMAND):
        hint = f"use: {runner} {shown}, or {move}"
        in_file = f"use: command = [{quoted(runner)}, {quoted(path)}], or {move}"
    elif runner:
        hint = f"{move}, or name a script there that runs: {runner} {shown}"
    return of_file(option, shown, complaint, hint, in_file)


def _of_command(command: tuple[str, ...], files: _Files) -> Iterator[Diagnostic]:
    name, shown = command[0], escaped(command[0])
    path = files.on_path(name)
    found = None if path is None else files.unfit(path)
    if path is None or (found is not None and not os.path.exists(path)):
        yield _not_found(command)
    elif found is None:
        yield from files.doubted(COMMAND, path, runs=True)
    elif found.cause is Cause.NO_LINE:
        hint = f"use: sh {shown}"
        in_file = f'use: command = ["sh", {quoted(name)}, ...]'
        yield of_file(COMMAND, shown, f"cannot run: {found.text}", hint, in_file)
    elif found.cause is Cause.FILE:
        yield of_file(COMMAND, shown, "not executable", found.text)
    else:
        yield _of_either(COMMAND, name, found)


def _not_found(command: tuple[str, ...]) -> Diagnostic:
    name, shown = command[0], escaped(command[0])
    in_file = ""
    if set(name) & _SHELL_SYNTAX or "=" in name:
        whole = " ".join(command)
        in_shell = escaped(whole).replace("'", "'\\''")
        hint = f"HEAT runs a command directly; for a shell, use: sh -c '{in_shell}'"
        in_file = (
            "HEAT runs a command directly; for a shell, use: "
            f'command = ["sh", "-c", {quoted(whole)}]'
        )
    elif os.path.exists(name) and "/" not in name:
        hint = f"it is not on PATH; for the file in this folder, write ./{shown}"
    elif "/" in name:
        hint = "there is no such file"
    else:
        hint = "it is not on PATH: install it, or write its whole path"
    complaint = "not found"
    if "/" not in name and (path := _unfit_on_path(name)):
        complaint = "not executable"
        if why := why_not_executable(path):
            hint = f"{escaped(path)}: {why}"
    return of_file(COMMAND, shown, complaint, hint, in_file)


def _unfit_on_path(name: str) -> str:
    """The file of this name on PATH that cannot be executed."""
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    paths = (os.path.join(folder or ".", name) for folder in folders)
    return next(filter(os.path.isfile, paths), "")


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


def log_paths(common: Common, name: str) -> tuple[str, str, str]:
    """heat.log, heat.verbose.log and the scripts' file of a monitor, to be opened."""
    logs = ("heat.log", "heat.verbose.log", _out(name))
    heat, verbose, out = (os.path.join(common.log_folder, log) for log in logs)
    return heat, verbose, out


def _out(name: str) -> str:
    return f"heat.{name}.out"


def _of_heat(common: Common, monitors: Collection[Options], files: _Files) -> Iterator[Diagnostic]:
    """List what is wrong with the files that HEAT itself keeps."""
    yield from _of_logs(common, monitors, files)
    kept = (("--state", common.state, ("", *_BESIDE_STATE)), ("--control", common.control, _LOCK))
    for option, path, endings in kept:
        for ending in endings if path else ():
            yield from files.doubted(option, f"{path}{ending}")


_LOCK = (".lock",)
_BESIDE_STATE = (*_LOCK, "-wal", "-shm", "-journal")


def _of_logs(common: Common, monitors: Collection[Options], files: _Files) -> list[Diagnostic]:
    """The faults of the logs; of many, a folder that is no good is told once."""
    found = [
        diagnostic
        for log in ("heat.log", "heat.verbose.log")
        for diagnostic in _of_log(common, log, files)
    ]
    outs = [_out(each.name) for each in monitors if each.fail or each.recovery]
    if len(monitors) > 1:
        outs = [] if found else _to_be_looked_at(common.log_folder, outs)
    for out in outs:
        found += _of_log(common, out, files)
    return found


def _to_be_looked_at(folder: str, outs: list[str]) -> list[str]:
    """The scripts' files that are there; of the others one speaks for all."""
    try:
        there = set(os.listdir(folder or "."))
    except OSError:
        return outs  # One can write into a folder that one cannot list.
    missing = [out for out in outs if out not in there]
    return missing[:1] + [out for out in outs if out in there]


def _of_log(common: Common, log: str, files: _Files) -> Iterator[Diagnostic]:
    path = os.path.join(common.log_folder, log)
    if doubted := list(files.doubted("--log-dir", path)):
        yield from doubted
        return
    try:
        try_to_open(path)
    except (OSError, HeatError, ValueError) as error:
        why = reason_of(error)
        folder = escaped(common.log_dir or ".")
        hint = "name a folder that HEAT may write to"
        if not os.path.exists(common.log_folder or "."):
            hint = f"make it first: mkdir -p {folder}"
        line = f"Error: --log-dir '{folder}': {_shown(common, log)} cannot be opened for appending"
        yield Diagnostic(f"{line}: {why}", hint)


def _shown(common: Common, log: str) -> str:
    return escaped(os.path.join(common.log_dir, log))


def warnings(options: Options, pid: int | None, *, in_file: bool = False) -> Iterator[str]:
    """Warnings of what is allowed and may not be meant; ``pid`` is the target now, if there is one.

    Options are named as keys where they stand ``in_file``.
    """
    for text in _warnings(options, pid, in_file=in_file):
        yield as_keys(text) if in_file else text


def _warnings(options: Options, pid: int | None, *, in_file: bool) -> Iterator[str]:
    if options.pid is not None and options.recovery:
        yield f"recovery may not replace process {options.pid}: use --pid-file"
    limits = options.limits
    asked = (
        ("--signal", limits.signal),
        ("--fault-signal", limits.fault_signal),
        ("--success-signal", limits.success_signal),
    )
    for option, signum in asked:
        if signum is None or signum in signals.EXPECTED_TO_END or signum in signals.HARMLESS:
            continue
        name = signals.name(signum)
        if not options.has_target:
            if signum not in signals.HANDLED:
                given = f'{option} = "{name}"' if in_file else f"{option} {name}"
                yield f"{given} ends HEAT itself, its own target: use --pid or --pid-file"
        elif pid is not None and would_end(pid, signum):
            none = f'{option} = "none"' if in_file else f"'{option} none'"
            yield (
                f"process {pid} does not catch {name} ({option}) and would be ended by it: "
                f"choose another signal, or {none}"
            )


def present_target(target: object) -> int | None:
    """The process that a signal would go to now."""
    if isinstance(target, PidTarget):
        return target.pid
    if isinstance(target, PidFileTarget):
        try:
            return target.read()
        except TargetError:
            return None
    return None
