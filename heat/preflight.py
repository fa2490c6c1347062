"""What is looked at before the first check: files, target, logs; mistakes and warnings."""

import os
import stat
from collections.abc import Collection, Iterator
from functools import cache
from typing import TYPE_CHECKING

from heat import signals
from heat.errors import HeatError, TargetError
from heat.files import Cause, Unfit, on_path, unfit
from heat.log import try_to_open
from heat.mistakes import Mistake, as_keys, of_file, of_option, quoted
from heat.options import COMMAND, Common, Options
from heat.target import PidFileTarget, PidTarget, open_process, would_end
from heat.text import counted, escaped

if TYPE_CHECKING:
    from heat.content import Config

_SHELL_SYNTAX = set("|&;<>()$`\"'*?[]{}~\\# \t\n")


def mistakes(options: Options, common: Common) -> list[Mistake]:
    """All that keeps these options from being carried out here and now."""
    return [*_of_monitor(options, _Files()), *_of_logs(common, [options])]


def mistakes_in_file(config: "Config", common: Common) -> list[Mistake]:
    """The same for all monitors of a file; what several of them share is told once."""
    return mistakes_of_monitors(config) + _of_logs(common, config.monitors.values())


def mistakes_of_monitors(config: "Config") -> list[Mistake]:
    """All that keeps the monitors of a file from being watched, wherever the logs may be."""
    files = _Files()
    found: dict[Mistake, list[str]] = {}
    for name, options in config.monitors.items():
        for mistake in _of_monitor(options, files):
            found.setdefault(mistake, []).append(name)
    told: list[Mistake] = []
    for mistake, names in found.items():
        here = mistake.at(config.place(names[0]))
        if len(names) > 1:
            others = counted(len(names) - 1, "other monitor")
            here = here._replace(line=f"{here.line} (so in {others})")
        told.append(here)
    return told


class _Files:
    """Files looked at once, however many monitors name them."""

    def __init__(self) -> None:
        self.unfit = cache(unfit)
        self.on_path = cache(on_path)
        self.others_write = cache(_others_write)


def _of_monitor(options: Options, files: _Files) -> Iterator[Mistake]:
    if options.is_script:
        yield from _of_script("--script", options.check[0], files)
    elif options.check:
        yield from _of_command(options.check, files)
    for option, path in (("--fail", options.fail), ("--recovery", options.recovery)):
        if path is not None:
            yield from _of_script(option, path, files)
    if options.pid is not None:
        yield from _of_target(options.pid)


def _of_script(option: str, path: str, files: _Files) -> Iterator[Mistake]:
    found = files.unfit(path)
    if found is None:
        if files.others_write(path):
            yield _writable(option, escaped(path))
    elif found.cause is Cause.NO_LINE:
        fix = "begin it with a line such as '#!/bin/sh'"
        yield of_file(option, escaped(path), f"cannot run: {found.text}", fix)
    elif found.cause is Cause.FILE:
        fix = f"{option}: {found.text}"
        yield of_file(option, escaped(path), "not executable", fix, found.text)
    else:
        yield _of_either(option, path, found)


def _of_either(option: str, path: str, found: Unfit) -> Mistake:
    """A mistake that has the same remedy in a script and in a command."""
    shown = escaped(path)
    if found.cause is Cause.MODE:
        return of_file(option, shown, "not executable", f"chmod +x {shown}")
    fix = "install the interpreter, or correct the first line of the script"
    if found.cause is Cause.LINE_END:
        fix = "save it with Unix line ends: sed -i 's/\\r$//' FILE"
    return of_file(option, shown, f"cannot run: {found.text}", fix)


def _of_command(command: tuple[str, ...], files: _Files) -> Iterator[Mistake]:
    name, shown = command[0], escaped(command[0])
    path = files.on_path(name)
    found = None if path is None else files.unfit(path)
    if path is None or (found is not None and not os.path.exists(path)):
        yield _not_found(command)
    elif found is None:
        return
    elif found.cause is Cause.NO_LINE:
        fix = f"use: sh {shown}"
        in_file = f'use: command = ["sh", {quoted(name)}, ...]'
        yield of_file(COMMAND, shown, f"cannot run: {found.text}", fix, in_file)
    elif found.cause is Cause.FILE:
        yield of_file(COMMAND, shown, "not executable", found.text)
    else:
        yield _of_either(COMMAND, name, found)


def _not_found(command: tuple[str, ...]) -> Mistake:
    name, shown = command[0], escaped(command[0])
    in_file = ""
    if set(name) & _SHELL_SYNTAX or "=" in name:
        whole = " ".join(command)
        in_shell = escaped(whole).replace("'", "'\\''")
        fix = f"HEAT runs a command directly; for a shell, use: sh -c '{in_shell}'"
        in_file = (
            "HEAT runs a command directly; for a shell, use: "
            f'command = ["sh", "-c", {quoted(whole)}]'
        )
    elif os.path.exists(name) and "/" not in name:
        fix = f"it is not on PATH; for the file in this folder, write ./{shown}"
    elif "/" in name:
        fix = "there is no such file"
    else:
        fix = "it is not on PATH: install it, or write its whole path"
    found_unfit = "/" not in name and _unfit_on_path(name)
    complaint = "not executable" if found_unfit else "not found"
    return of_file(COMMAND, shown, complaint, fix, in_file)


def _unfit_on_path(name: str) -> bool:
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    return any(os.path.isfile(os.path.join(folder or ".", name)) for folder in folders)


def _others_write(path: str) -> bool:
    """As root, what anybody may change is not run and not written to."""
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return False
    return os.geteuid() == 0 and bool(mode & stat.S_IWOTH)


def _writable(option: str, shown: str) -> Mistake:
    return of_file(option, shown, "may be written to by anybody", f"chmod o-w {shown}")


def _of_target(pid: int) -> Iterator[Mistake]:
    if pid == os.getpid():
        yield of_option("--pid", f"'{pid}'", "is HEAT itself", "leave it out")
        return
    try:
        os.close(open_process(pid))
    except TargetError as error:
        why = f"process {pid} {str(error).removeprefix(f'process {pid} ')}"
        fix = "name a running process, or use --pid-file for one that comes and goes"
        yield Mistake(f"Error: --pid '{pid}': {why}", fix, "pid", why, as_keys(fix))


def log_paths(common: Common, name: str) -> tuple[str, str, str]:
    """heat.log, heat.verbose.log and the scripts' file of a monitor, to be opened."""
    logs = ("heat.log", "heat.verbose.log", _out(name))
    heat, verbose, out = (os.path.join(common.log_folder, log) for log in logs)
    return heat, verbose, out


def _out(name: str) -> str:
    return f"heat.{name}.out"


def _of_logs(common: Common, monitors: Collection[Options]) -> list[Mistake]:
    """What is wrong with the logs; of many, a folder that is no good is told once."""
    found = [*_of_log(common, "heat.log"), *_of_log(common, "heat.verbose.log")]
    outs = [_out(each.name) for each in monitors if each.fail or each.recovery]
    if len(monitors) > 1:
        outs = [] if found else _to_be_looked_at(common.log_folder, outs)
    for out in outs:
        found += _of_log(common, out)
    return found


def _to_be_looked_at(folder: str, outs: list[str]) -> list[str]:
    """The scripts' files that are there; of the others one speaks for all."""
    try:
        there = set(os.listdir(folder or "."))
    except OSError:
        return outs  # One can write into a folder that one cannot list.
    missing = [out for out in outs if out not in there]
    return missing[:1] + [out for out in outs if out in there]


def _of_log(common: Common, log: str) -> Iterator[Mistake]:
    path = os.path.join(common.log_folder, log)
    try:
        try_to_open(path)
    except (OSError, HeatError, ValueError) as error:
        why = str(getattr(error, "strerror", None) or error)
        if os.path.islink(path):
            why = "it is a symbolic link"
        folder = escaped(common.log_dir or ".")
        fix = "name a folder that HEAT may write to"
        if not os.path.exists(common.log_folder or "."):
            fix = f"make it first: mkdir -p {folder}"
        line = f"Error: --log-dir '{folder}': {_shown(common, log)} cannot be opened for appending"
        yield Mistake(f"{line}: {why[0].lower()}{why[1:]}", fix)
        return
    if _others_write(path):
        yield _writable("--log-dir", _shown(common, log))


def _shown(common: Common, log: str) -> str:
    return escaped(os.path.join(common.log_dir, log))


def warnings(options: Options, pid: int | None, *, in_file: bool = False) -> Iterator[str]:
    """What is allowed and may not be meant; ``pid`` is the target now, if there is one.

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
