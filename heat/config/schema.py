"""The schema: all options, each a row, for the command line and for the file of --config.

In a file, names have no dashes in front. The text of --help in `heat.app.cli`
and docs/options.md list the same options; tests compare them.
"""

from collections.abc import Callable
from typing import Any

from heat.config.durations import DAY, duration, positive_duration
from heat.config.readers import (
    exit_codes,
    history,
    limit,
    monitor_name,
    number,
    one_of,
    path,
    process_id,
    signal_or_none,
    up_to,
)
from states.engine.named_tuple import NamedTuple

COMMAND = "command"
"""The check as a list of words: a key of a file, or the rest of a command line."""
BAD = object()
"""In the place of a value that its reader has refused, with a diagnostic."""
JOURNAL = "journal"


class Need(NamedTuple):
    """A need of an option: without one of these it has no effect."""

    options: tuple[str, ...]
    complaint: str
    hint: str


_RECOVERS = ("--recovery", "--fault-signal", "--success-signal")
_ADD = "add --recovery, --fault-signal or --success-signal"
_NOTHING = "has no effect without anything to do in recovery"
RECOVERY = Need(_RECOVERS, _NOTHING, f"{_ADD}, or leave it out")
REACTION = Need(
    (*_RECOVERS, "--fail", "--signal"),
    f"{_NOTHING} or on a failure",
    f"{_ADD}, or --fail or --signal, or leave it out",
)
FAIL = Need(("--fail",), "has no effect without --fail", "add --fail, or leave it out")
SCRIPT = Need(
    ("--fail", "--recovery"),
    "has no effect without a script to run",
    "add --fail or --recovery, or leave it out",
)
MOST = Need(
    ("--max-recoveries",),
    "needs --max-recoveries: without it there is always one recovery more",
    "add --max-recoveries N, or leave it out",
)
BACKOFF = Need(
    ("--recovery-backoff",),
    "has no effect without --recovery-backoff",
    "add --recovery-backoff SECS, or leave it out",
)


class Option(NamedTuple):
    """One option."""

    name: str
    value: str
    """The word for its value in texts; empty for a flag."""
    parse: Callable[[Any], Any] | None
    """Reads the value; None for a flag."""
    short: str = ""
    default: Any = None
    default_in_file: Any = None
    """The default of a file, if it is different: HEAT gives up none of many monitors."""
    needs: tuple[Need, ...] = ()
    example: str = ""
    """A value as a file has it, where `keys` has none for the word."""


_MONITOR = (
    Option("--interval", "SECS", positive_duration, "-i"),
    Option("--script", "SCRIPT", path, "-s"),
    Option("--timeout", "SECS", limit, "-t", 30.0),
    Option("--pid", "PID", process_id),
    Option("--pid-file", "FILE", path),
    Option("--signal", "SIG", signal_or_none),
    Option("--fail", "SCRIPT", path),
    Option("--fail-overlap", "POLICY", one_of("queue", "skip"), needs=(FAIL,), example='"skip"'),
    Option("--threshold", "N", number, needs=(REACTION,)),
    Option("--recovery", "SCRIPT", path),
    Option("--recovery-timeout", "SECS", positive_duration, needs=(RECOVERY,)),
    Option("--recovery-interval", "SECS", positive_duration, needs=(RECOVERY,)),
    Option("--recovery-backoff", "SECS", duration, default=0.0, needs=(RECOVERY,)),
    Option(
        "--recovery-backoff-max",
        "SECS",
        positive_duration,
        default=600.0,
        needs=(RECOVERY, BACKOFF),
    ),
    Option("--max-recoveries", "N", number, needs=(RECOVERY,)),
    Option(
        "--when-spent",
        "POLICY",
        one_of("error", "watch"),
        default="error",
        default_in_file="watch",
        needs=(RECOVERY, MOST),
        example='"error"',
    ),
    Option("--success-threshold", "N", number, default=1, needs=(RECOVERY,)),
    Option("--fault-signal", "SIG", signal_or_none),
    Option("--success-signal", "SIG", signal_or_none),
    Option("--script-timeout", "SECS", limit, needs=(SCRIPT,)),
    Option("--start-period", "SECS", duration, default=0.0),
    Option("--retry-interval", "SECS", positive_duration),
    Option("--unknown-codes", "LIST", exit_codes, default=(), example="[3, 4]"),
    Option("--warn-codes", "LIST", exit_codes, default=(), example="[1]"),
    Option(
        "--on-killed",
        "POLICY",
        one_of("error", "fail"),
        default="error",
        default_in_file="fail",
        example='"error"',
    ),
    Option("--count", "N", number),
)
"""The options of a monitor."""

_NAME = Option("--name", "NAME", monitor_name)
"""Only on a command line: in a file, it is the name of the monitor's table."""
_COMMAND = Option(COMMAND, "WORDS", None)
"""Only in a file: on a command line, it is all that follows the options."""

_HEAT = (
    Option("--config", "FILE", path),
    Option("--log-dir", "DIR", path),
    Option("--log-format", "FORMAT", one_of("text", JOURNAL)),
    Option("--control", "PATH", path),
    Option("--state", "FILE", path),
    Option("--json", "", None),
    Option("--quiet", "", None, "-q"),
    Option("--help", "", None, "-h"),
    Option("--version", "", None),
)
"""The options of HEAT as a whole; only on a command line."""

OPTIONS = (*_MONITOR, _NAME, *_HEAT)
"""The options of a command line."""
OF_HEAT = {option.name: option for option in _HEAT}
DEFAULTS = {option.name: option.default for option in _MONITOR if option.default is not None}
DEFAULTS_IN_FILE = {
    option.name: option.default_in_file for option in _MONITOR if option.default_in_file
}

KEYS = {option.name.removeprefix("--"): option for option in (*_MONITOR, _COMMAND)}
"""The keys of a monitor in a file."""
MAX_RUNNING = 256
"""The number of checks that run at once."""
HISTORY = 90 * DAY
"""Seconds for which history is kept."""
KEYS_OF_HEAT = {
    "max-running": Option("max-running", "N", up_to(1_000_000), default=MAX_RUNNING, example="256"),
    "history": Option("history", "SECS", history, default=HISTORY, example='"90d"'),
}
"""The keys of [heat] in a file."""
RIVALS = (("--script", COMMAND), ("--pid-file", "--pid"))
"""A monitor has one of each pair; where the defaults have both, the first counts."""
