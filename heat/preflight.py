"""What is looked at before the first check: files, target, logs; mistakes and warnings."""

import os
import stat
import sys
from collections.abc import Iterator

from heat import signals
from heat.errors import HeatError, TargetError
from heat.files import on_path, why_not_executable
from heat.log import try_to_open
from heat.mistakes import Mistake
from heat.options import Options
from heat.target import PidFileTarget, PidTarget, open_process, would_end
from heat.text import escaped

_SHELL_SYNTAX = set("|&;<>()$`\"'*?[]{}~\\# \t\n")


def wrong_platform() -> str:
    """Why HEAT cannot run on this system; empty if it can."""
    if sys.platform != "linux" or not hasattr(os, "pidfd_open") or not hasattr(os, "P_PIDFD"):
        return f"HEAT needs Linux 5.4 or newer, and this is {sys.platform}"
    needed = f"HEAT needs Linux 5.4 or newer with pidfds, and this is {os.uname().release}"
    try:
        pidfd = os.pidfd_open(os.getpid())
    except OSError:
        return needed
    try:
        os.waitid(os.P_PIDFD, pidfd, os.WEXITED | os.WNOHANG)
    except ChildProcessError:
        return ""  # What it says of a process that is no child, if it knows pidfds.
    except OSError:
        return needed
    finally:
        os.close(pidfd)
    return ""


def mistakes(options: Options) -> list[Mistake]:
    """All that keeps these options from being carried out here and now."""
    found: list[Mistake] = []
    if options.is_script:
        found += _script_mistakes("--script", options.check[0])
    else:
        found += _command_mistakes(options.check)
    for option, path in (("--fail", options.fail), ("--recovery", options.recovery)):
        if path is not None:
            found += _script_mistakes(option, path)
    if options.pid is not None:
        found += _target_mistakes(options.pid)
    found += _log_mistakes(options)
    return found


def _script_mistakes(option: str, path: str) -> Iterator[Mistake]:
    shown = escaped(path)
    why = why_not_executable(path)
    if why.startswith("its "):
        yield Mistake(f"Failed: {shown} cannot run: {why}", _interpreter_fix(why))
    elif why.startswith("it has no '#!'") or why == "it is empty":
        fix = "begin it with a line such as '#!/bin/sh'"
        yield Mistake(f"Failed: {shown} cannot run: {why}", fix)
    elif why:
        fix = f"chmod +x {shown}" if why == "it is not executable" else f"{option}: {why}"
        yield Mistake(f"Failed: {shown} not executable", fix)
    elif _others_write(path):
        yield _writable(shown)


def _interpreter_fix(why: str) -> str:
    if "carriage return" in why:
        return "save it with Unix line ends: sed -i 's/\\r$//' FILE"
    return "install the interpreter, or correct the first line of the script"


def _command_mistakes(command: tuple[str, ...]) -> Iterator[Mistake]:
    name, shown = command[0], escaped(command[0])
    found = on_path(name)
    if found is not None and os.path.exists(found):
        why = why_not_executable(found)
        if why.startswith("its "):
            yield Mistake(f"Failed: {shown} cannot run: {why}", _interpreter_fix(why))
        elif why.startswith("it has no '#!'") or why == "it is empty":
            yield Mistake(f"Failed: {shown} cannot run: {why}", f"use: sh {shown}")
        elif why:
            fix = f"chmod +x {shown}" if why == "it is not executable" else why
            yield Mistake(f"Failed: {shown} not executable", fix)
        return
    if set(name) & _SHELL_SYNTAX or "=" in name:
        whole = escaped(" ".join(command))
        quoted = whole.replace("'", "'\\''")
        fix = f"HEAT runs a command directly; for a shell, use: sh -c '{quoted}'"
    elif os.path.exists(name) and "/" not in name:
        fix = f"it is not on PATH; for the file in this folder, write ./{shown}"
    elif "/" in name:
        fix = "there is no such file"
    else:
        fix = "it is not on PATH: install it, or write its whole path"
    found_unfit = "/" not in name and _unfit_on_path(name)
    yield Mistake(f"Failed: {shown} {'not executable' if found_unfit else 'not found'}", fix)


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


def _writable(shown: str) -> Mistake:
    return Mistake(f"Failed: {shown} may be written to by anybody", f"chmod o-w {shown}")


def _target_mistakes(pid: int) -> Iterator[Mistake]:
    if pid == os.getpid():
        yield Mistake(f"Error: --pid '{pid}' is HEAT itself", "leave it out")
        return
    try:
        os.close(open_process(pid))
    except TargetError as error:
        text = str(error).removeprefix(f"process {pid} ")
        yield Mistake(
            f"Error: --pid '{pid}': process {pid} {text}",
            "name a running process, or use --pid-file for one that comes and goes",
        )


def log_paths(options: Options) -> tuple[str, str, str]:
    """heat.log, heat.verbose.log and the scripts' file, as given."""
    folder = options.log_dir
    return (
        os.path.join(folder, "heat.log"),
        os.path.join(folder, "heat.verbose.log"),
        os.path.join(folder, f"heat.{options.name}.out"),
    )


def _log_mistakes(options: Options) -> Iterator[Mistake]:
    for path in log_paths(options):
        if path.endswith(".out") and not (options.fail or options.recovery):
            continue
        shown = escaped(path)
        try:
            try_to_open(path)
        except (OSError, HeatError, ValueError) as error:
            why = str(getattr(error, "strerror", None) or error)
            if os.path.islink(path):
                why = "it is a symbolic link"
            folder = escaped(options.log_dir or ".")
            fix = "name a folder that HEAT may write to"
            if not os.path.exists(folder):
                fix = f"make it first: mkdir -p {folder}"
            yield Mistake(
                f"Error: --log-dir '{folder}': {shown} cannot be opened for appending: "
                f"{why[0].lower()}{why[1:]}",
                fix,
            )
            continue
        if _others_write(path):
            yield _writable(shown)


def warnings(options: Options, pid: int | None) -> Iterator[str]:
    """What is allowed and may not be meant; ``pid`` is the target now, if there is one."""
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
                yield f"{option} {name} ends HEAT itself, its own target: use --pid or --pid-file"
        elif pid is not None and would_end(pid, signum):
            yield (
                f"process {pid} does not catch {name} ({option}) and would be ended by it: "
                f"choose another signal, or '{option} none'"
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
