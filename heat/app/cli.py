"""The command ``heat``: its text of --help, and what it does first."""

USAGE = """HEAT: run a check at an interval, react to failures, write down what was seen.

Usage:
  heat -i SECS [options] [--] COMMAND [ARG...]
  heat -i SECS [options] -s SCRIPT
  heat --config FILE [-q] [--json] [--log-dir DIR] [--log-format FORMAT]
                     [--control PATH] [--state FILE]
  heat -h | --help
  heat --version

The check is a COMMAND, executed directly and not through a shell, or a SCRIPT;
exit code 0 is a pass, any other a failure unless --unknown-codes or
--warn-codes lists it. HEAT's own options stand before COMMAND. SECS is a number
of seconds such as 30 or 0.5, or has units: 500ms, 30s, 5m, 2h, 1d, 1w, 1h30m.

The check:
  -i, --interval SECS       time from one check to the next
  -s, --script SCRIPT       the check is this executable file
  -t, --timeout SECS        a check that runs longer is killed, and fails with
                            code 124; 'none' for no limit (default: 30)
  --start-period SECS       failures this soon after the start are logged and
                            not counted, until the first pass (default: 0)
  --on-killed POLICY        a check or recovery script killed by a signal is
                            'error' (HEAT stops) or 'fail', a failure or an end
                            with code 128+n (default: error; in a file: fail)
  --retry-interval SECS     from one check to the next while it fails and
                            recovery has not begun (default: --interval)
  --unknown-codes LIST      exit codes that say nothing about the service, such
                            as 3,4: neither pass nor failure
  --warn-codes LIST         exit codes that pass with a warning, such as 1
  --count N                 stop after N checks

On each failure, outside recovery:
  --signal SIG              sent to the target; 'none' to send none
                            (default: HUP if there is a target, else none)
  --fail SCRIPT             run on every failure
  --fail-overlap POLICY     while it still runs, 'queue' goes on checking and
                            runs it once more, 'skip' does not check
                            (default: queue)

The target:
  --pid PID                 the process that signals are sent to
  --pid-file FILE           the same, read from FILE again for each signal
                            (without a target, signals go to HEAT itself)

Recovery, after failures in a row:
  --threshold N             this many start it (default: 1); if recovery does
                            nothing, --signal and --fail start with this failure
  --recovery SCRIPT         run when it starts, and again each time a recovery
                            window closes without success
  --recovery-timeout SECS   length of the window (default: --threshold checks)
  --recovery-interval SECS  from one check to the next in a window; the first
                            still comes at once (default: --interval)
  --recovery-backoff SECS   after a window checks go on for this long before the
                            next recovery, doubled each time (default: 0)
  --recovery-backoff-max SECS  the longest it gets (default: 10m)
  --max-recoveries N        stop trying after N recoveries in one outage
  --when-spent POLICY       then give up, 'error' (exit 3), or 'watch': checks
                            go on, a pass ends the outage; a check or script
                            that is gone fails (default: error; in a file:
                            watch)
  --success-threshold N     consecutive passes that end recovery (default: 1)
  --fault-signal SIG        sent to the target just before each recovery run
  --success-signal SIG      sent to the target when recovery succeeds
  --script-timeout SECS     a fail or recovery script that runs longer is killed

What is written:
  --name NAME               the monitor's name (default: base name of the check)
  --log-dir DIR             folder of heat.log and heat.verbose.log (default: .)
  --log-format FORMAT       of the lines: 'text', or 'journal' for journald: a
                            priority instead of the time (default: text)
  --control PATH            listen there for heatctl (default with --config:
                            /run/heat/heat.sock for root, else
                            $XDG_RUNTIME_DIR/heat.sock)
  --state FILE              keep state for a restart there, and history
                            (default with --config: FILE.state next to the logs)
  --json                    one JSON object a line on stdout
  -q, --quiet               print only failures, warnings and errors
  -h, --help                print this
  --version                 print the version

Many monitors:
  --config FILE             watch all monitors in FILE, in TOML: its keys are
                            the options above without dashes, or 'command'

    [defaults]
    interval = 30
    timeout = "5s"

    [monitor.web]
    command = ["curl", "-sf", "http://localhost/health_check"]
    threshold = 3
    recovery = "./restart-web"

There a check that is killed or gone fails, and HEAT gives up no monitor:
'on-killed = "error"' and 'when-spent = "error"' change that.
Relative paths in FILE are relative to its folder; the programs run there.

Signals are named USR1, SIGUSR1, 10 or RTMIN+1. HEAT itself: SIGTERM, SIGINT
and SIGQUIT stop it, SIGHUP reopens the logs and reads FILE again, SIGUSR1
prints a status line.

Exit status: 0 stopped by SIGTERM or SIGQUIT, or --count reached and all well;
1 --count reached and not well; 2 bad usage; 3 the monitor (of FILE: every one)
went to ERROR, or HEAT was its own target of TERM, INT or QUIT; 130 stopped by
SIGINT.
"""

import contextlib
import gc
import os
import signal
import stat
import sys
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from heat import __version__
from heat.process import inherited

if TYPE_CHECKING:
    from heat.app.parser import Request
    from heat.config.options import Common

EXIT_USAGE = 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run HEAT with the words of a command line; return the exit status."""
    inherited.put_right()
    try:
        return _run(argv)
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, inherited.KEPT)


def _run(argv: Sequence[str] | None) -> int:
    gc.disable()  # Imports trigger collections that find no garbage.
    if problem := _open_standard_descriptors():
        write(2, f"Error: {problem}\n")
        return EXIT_USAGE
    from heat.runtime import kernel

    if problem := kernel.refusal():
        return refuse([f"Error: {problem}"])
    request = understand(sys.argv[1:] if argv is None else argv)
    if request.action == "help":
        return _print(USAGE)
    if request.action == "version":
        return _print(f"heat {__version__}\n")
    if request.diagnostics:
        lines = [str(diagnostic) for diagnostic in request.diagnostics]
        return refuse(lines, journal=request.common.journal)
    return _serve(request)


def _serve(request: "Request") -> int:
    from heat.app.service import serve

    if request.config is not None:
        monitors = list(request.config.monitors.values())
    else:
        monitors = [request.options] if request.options else []
    return serve(monitors, request.common, request.config, request.warnings)


def understand(words: Sequence[str]) -> "Request":
    """Read a command line, and check all that can be checked before anything starts."""
    from heat.app import parser
    from heat.config import preflight
    from heat.trust import Trust

    request = parser.parse(USAGE, words)
    if request.file:
        return _with_file(request)
    if options := request.options or request.unsound:
        trust = Trust()
        diagnostics = [*request.diagnostics, *preflight.look(options, request.common, trust)]
        if diagnostics:
            return request._replace(options=None, diagnostics=diagnostics)
        return request._replace(warnings=list(trust.warnings))
    return request


def _with_file(request: "Request") -> "Request":
    """Read the file of --config, change to its folder, and check all that it names."""
    from heat.app import loader
    from heat.diagnostics import Diagnostic

    try:
        path = _path_of(request.file)
        common = _located(request.common, path)
    except FileNotFoundError:
        line = "Error: the folder that HEAT was started in is gone"
        diagnostic = Diagnostic(line, "start it in another one")
        return request._replace(diagnostics=[*request.diagnostics, diagnostic])
    with contextlib.suppress(OSError):  # Then the file cannot be read either.
        os.chdir(os.path.dirname(path))
    result = loader.read(partial(loader.look, request.file, path, common, {}))
    diagnostics = [*request.diagnostics, *result.diagnostics]
    config = None if diagnostics else result.config
    return request._replace(
        config=config, common=common, diagnostics=diagnostics, warnings=result.warnings
    )


def _path_of(file: str) -> str:
    """Return the absolute path of a file, by the shell's name for the current folder.

    A path that goes up is resolved by Linux: above a link, the shell means another folder.
    """
    from heat.process.working_folder import here

    up = ".." in file.split("/")
    return os.path.abspath(file if up else os.path.join(here(), file))


def _located(common: "Common", path: str) -> "Common":
    """Make paths absolute for a HEAT that changes to the folder of its file."""
    folder = _path_of(common.log_dir)
    name = os.path.splitext(os.path.basename(path))[0] + ".state"
    return common._replace(
        log_folder=folder,
        control=common.control and _path_of(common.control),
        state=_path_of(common.state) if common.state else os.path.join(folder, name),
    )


def refuse(lines: Sequence[str], command: str = "heat", *, journal: bool = False) -> int:
    """Print what is wrong with a command line; return the exit status."""
    text = "\n".join([*lines, "", f"'{command} --help' lists the options."]) + "\n"
    if journal:
        from heat.report.console import for_journal

        text = for_journal(text)
    write(2, text)
    return EXIT_USAGE


def _print(text: str) -> int:
    return 0 if write(1, text) else 1


def write(fd: int, text: str | bytes) -> bool:
    """Write all of a text; False if that cannot be done."""
    data = text.encode("utf-8", "backslashreplace") if isinstance(text, str) else text
    try:
        while data:
            data = data[os.write(fd, data) :]
    except OSError:
        return False
    return True


def _open_standard_descriptors() -> str:
    """Open closed ones on /dev/null, or a log would become stdout; return the problem, if any."""
    make = "make it: mknod -m 666 /dev/null c 1 3"
    while True:
        try:
            fd = os.open(os.devnull, os.O_RDWR)
        except OSError as error:
            return f"/dev/null cannot be opened: {str(error.strerror).lower()}; {make}"
        if fd > 2:  # noqa: PLR2004 - 0 to 2 are the standard ones
            is_device = stat.S_ISCHR(os.fstat(fd).st_mode)
            os.close(fd)
            return "" if is_device else f"/dev/null is not a device; remove it and {make}"
        os.set_inheritable(fd, True)


if __name__ == "__main__":
    sys.exit(main())
