"""The command ``heatctl serve``."""

USAGE = """heatctl serve: HTTP for Prometheus and other programs, from a running HEAT.

Usage:
  heatctl serve [--listen HOST:PORT] [--control PATH] [--token-file FILE]
                [--host NAME]...

Options:
  --listen HOST:PORT   listen here; port 0 for any (default: 127.0.0.1:9333)
  --control PATH       the socket of HEAT (default: /run/heat/heat.sock as root,
                       $XDG_RUNTIME_DIR/heat.sock otherwise)
  --token-file FILE    answer only requests with the token in FILE, as in
                       Authorization: Bearer TOKEN; required on an address
                       that other machines reach
  --host NAME          a name that clients may use for this server, besides its
                       address and localhost; may be given more than once
  -h, --help           print this

It answers GET and HEAD of:
  /metrics             the numbers of all monitors, for Prometheus
  /healthz             whether HEAT answers; needs no token
  /api/status          as heatctl status --json; ?name=NAME, also repeated
  /api/why/NAME        as heatctl why NAME --json
  /api/history         as heatctl history --json; ?name=NAME, ?since=12h
  /api/openapi.json    a description of all this, for programs

No request changes anything. Without a token, answers leave out command lines
and the output of checks. While no HEAT answers, serve keeps running and says
so: heat_up is 0, and everything else has status 503.

Exit status: 0 stopped by SIGTERM; 2 bad usage; 130 stopped by SIGINT.
"""

import os
import signal
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from heat.ctl import output
from heat.ctl.errors import EXIT_WELL, UsageError
from heat.diagnostics import Diagnostic, of_option, shown

if TYPE_CHECKING:
    import socket

    from heat.web.app import History
    from heat.web.options import Serving

COMMAND = "heatctl serve"
BACKLOG = 128


def main(words: Sequence[str], history: "History | None" = None) -> int:
    """Serve as the words after `heatctl serve` say; return the exit status.

    ``history`` reads the state file; by default as `heatctl history` does.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Until the server handles it.
    from heat.web.options import parse

    request = parse(USAGE, words)
    if request.wants_help:
        output.write(USAGE)
        return EXIT_WELL
    if request.serving is None:
        raise UsageError(COMMAND, *request.diagnostics)
    try:
        from heat.web.server import run
    except ModuleNotFoundError as error:
        line = f"Error: heatctl serve needs {error.name}, which is not installed"
        hint = f"{sys.executable} -m pip install 'heat-watchdog[serve]'"
        raise UsageError(COMMAND, Diagnostic(line, hint)) from None
    try:
        listener = _listener(request.serving)
    except OSError as error:
        raise UsageError(COMMAND, _unfit(request.serving, error)) from None
    return run(request.serving, listener, history)


def _listener(serving: "Serving") -> "socket.socket":
    import socket

    family = socket.AF_INET6 if ":" in serving.address else socket.AF_INET
    return socket.create_server((serving.address, serving.port), family=family, backlog=BACKLOG)


def _unfit(serving: "Serving", error: OSError) -> Diagnostic:
    why = os.strerror(error.errno or 0).lower()
    hint = "choose another port, or an address of this machine"
    return of_option("--listen", shown(serving.place), f"cannot be used: {why}", hint)
