"""The programs of a monitor before its start: whether they run, and who may change them."""

import os
from collections.abc import Iterator
from functools import cache

from heat.config.options import Options
from heat.config.schema import COMMAND
from heat.diagnostics import Diagnostic, of_file, quoted
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
from heat.text import escaped
from heat.trust import Trust

_SHELL_SYNTAX = set("|&;<>()$`\"'*?[]{}~\\# \t\n=")


class Files:
    """A cache: each file is looked at once, however many monitors name it."""

    def __init__(self, trust: Trust) -> None:
        self.unfit = cache(unfit)
        self.on_path = cache(on_path)
        self._trust = trust
        self._shebang = cache(shebang)
        self._cached_doubts = cache(self._doubts)

    def doubted(self, option: str, path: str, *, runs: bool = False) -> Iterator[Diagnostic]:
        """List what others may change about a file that HEAT opens, or ``runs``."""
        key = option.removeprefix("--")
        for subject, why, hint in self._cached_doubts(path, runs):
            text = f"{subject} {why}"
            yield Diagnostic(f"Failed: {text}", hint, key, text, hint)

    def _doubts(self, path: str, runs: bool) -> list[tuple[str, str, str]]:  # noqa: FBT001 - cached
        doubts = dict.fromkeys(self._trust.doubts(path, follow=runs), "")
        for program in interpreters(path, self._shebang) if runs and self._trust.is_asked else ():
            doubts = {**dict.fromkeys(self._trust.doubts(program), "interpreter"), **doubts}
        return [
            (_subject(doubt.kind or kind, doubt.path, path), doubt.why, doubt.hint)
            for doubt, kind in doubts.items()
        ]


def _subject(kind: str, path: str, name: str) -> str:
    """Name a file as the user did, unless it is another one."""
    shown = escaped(name if os.path.abspath(name) == path else path)
    return f"the {kind} {shown}" if kind else shown


def look_at_programs(options: Options, files: Files) -> Iterator[Diagnostic]:
    """List what is wrong with the check, the fail script and the recovery script."""
    if options.is_script:
        yield from _of_script("--script", options.check[0], files)
    elif options.check:
        yield from _of_command(options.check, files)
    for option, path in (("--fail", options.fail), ("--recovery", options.recovery)):
        if path is not None:
            yield from _of_script(option, path, files)


def look_at_trust(options: Options, files: Files) -> Iterator[Diagnostic]:
    """List who else may change what a monitor runs."""
    check = options.check[0]
    path = check if options.is_script else files.on_path(check)
    option = "--script" if options.is_script else COMMAND
    for name, program in (
        (option, path),
        ("--fail", options.fail),
        ("--recovery", options.recovery),
    ):
        if program is not None:
            yield from files.doubted(name, program, runs=True)


def _of_script(option: str, path: str, files: Files) -> Iterator[Diagnostic]:
    why = files.unfit(path)
    if why is None:
        yield from files.doubted(option, path, runs=True)
    elif why.cause is Cause.NO_LINE:
        hint = "begin it with a line such as '#!/bin/sh'"
        yield of_file(option, escaped(path), f"cannot run: {why.text}", hint)
    elif why.cause is Cause.FILE:
        yield of_file(option, escaped(path), "not executable", f"{option}: {why.text}", why.text)
    else:
        yield _of_either(option, path, why)


def _of_command(command: tuple[str, ...], files: Files) -> Iterator[Diagnostic]:
    name, shown = command[0], escaped(command[0])
    path = files.on_path(name)
    why = None if path is None else files.unfit(path)
    if path is None or (why is not None and not os.path.exists(path)):
        yield _not_found(command)
    elif why is None:
        yield from files.doubted(COMMAND, path, runs=True)
    elif why.cause is Cause.NO_LINE:
        in_file = f'use: command = ["sh", {quoted(name)}, ...]'
        yield of_file(COMMAND, shown, f"cannot run: {why.text}", f"use: sh {shown}", in_file)
    elif why.cause is Cause.FILE:
        yield of_file(COMMAND, shown, "not executable", why.text)
    else:
        yield _of_either(COMMAND, name, why)


def _of_either(option: str, path: str, why: Unfit) -> Diagnostic:
    """Word a mistake that has the same remedy in a script and in a command."""
    shown = escaped(path)
    if why.cause is Cause.MODE:
        return of_file(option, shown, "not executable", f"chmod +x {shown}")
    if why.cause is Cause.NOEXEC:
        return _noexec(option, path, why.text)
    hint = "install the interpreter, or correct the first line of the script"
    if why.cause is Cause.LINE_END:
        hint = "save it with Unix line ends: sed -i 's/\\r$//' FILE"
    elif why.cause is Cause.MARK:
        hint = "save it as UTF-8 without one: sed -i '1s/^\\xEF\\xBB\\xBF//' FILE"
    return of_file(option, shown, f"cannot run: {why.text}", hint)


def _noexec(option: str, path: str, why: str) -> Diagnostic:
    shown, runner, move = escaped(path), interpreter(path), "move it to another file system"
    complaint, hint, in_file = f"not executable: {why}", move, ""
    if runner and option in ("--script", COMMAND):
        hint = f"use: {runner} {shown}, or {move}"
        in_file = f"use: command = [{quoted(runner)}, {quoted(path)}], or {move}"
    elif runner:
        hint = f"{move}, or name a script there that runs: {runner} {shown}"
    return of_file(option, shown, complaint, hint, in_file)


def _not_found(command: tuple[str, ...]) -> Diagnostic:
    name, shown = command[0], escaped(command[0])
    in_file = ""
    if set(name) & _SHELL_SYNTAX:
        whole = " ".join(command)
        in_shell = escaped(whole).replace("'", "'\\''")
        use = "HEAT runs a command directly; for a shell, use:"
        hint = f"{use} sh -c '{in_shell}'"
        in_file = f'{use} command = ["sh", "-c", {quoted(whole)}]'
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
    """Return the file of this name on PATH that cannot run; empty if there is none."""
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    paths = (os.path.join(folder or ".", name) for folder in folders)
    return next(filter(os.path.isfile, paths), "")
