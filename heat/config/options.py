"""The options: one table, from which a command line or a file becomes a frozen ``Options``.

A row says how a value is read and what it may be; messages name the option and the value,
and where it is known the fix.
"""

import os
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Literal

from heat.config.conflicts import BAD, COMMAND, conflicts, missing, signal_of, threshold_of
from heat.config.durations import DAY, duration, positive_duration
from heat.diagnostics import BadValueError, Diagnostic, of_option, shown
from heat.process import signals
from heat.text import escaped
from states.engine.named_tuple import NamedTuple
from states.monitor.limits import Limits

MOST = 1_000_000_000
NAME_LENGTH = 100

_NONE = "none"
_JOURNAL = "journal"


class Options(NamedTuple):
    """The options of one monitor; times in seconds, None for no limit or no such thing."""

    name: str
    interval: float
    check: tuple[str, ...]
    is_script: bool
    timeout: float | None
    pid: int | None
    pid_file: str | None
    fail: str | None
    recovery: str | None
    script_timeout: float | None
    on_killed: Literal["error", "fail"]
    unknown_codes: tuple[int, ...]
    """Exit codes of the check that say nothing about the service."""
    warn_codes: tuple[int, ...]
    """Exit codes of the check that pass with a warning."""
    limits: Limits

    @property
    def shown(self) -> str:
        """The script as given, or the command with its arguments."""
        return escaped(" ".join(self.check))

    @property
    def has_target(self) -> bool:
        """Signals go to another process than HEAT."""
        return self.pid is not None or self.pid_file is not None

    @property
    def when_spent(self) -> Literal["error", "watch"]:
        """The policy after the last recovery that is allowed."""
        return "watch" if self.limits.spent_watch else "error"


class Common(NamedTuple):
    """The options of HEAT as a whole, not of one monitor."""

    log_dir: str = ""
    """As given; empty for the folder HEAT was started in."""
    json: bool = False
    quiet: bool = False
    log_folder: str = ""
    """The same, to be opened: absolute where HEAT has left the folder it was started in."""
    journal: bool = False
    """Lines are for journald, which has the time of each and asks for its priority."""
    control: str = ""
    """Path of the control socket; empty for none, or the usual one."""
    state: str = ""
    """Path of the state file; empty for none."""


def limit(value: str | float) -> float | None:
    """A positive duration, or ``none``."""
    if value == _NONE:
        return None
    try:
        return positive_duration(value)
    except BadValueError as error:
        raise BadValueError(
            error.complaint,
            f"{error.hint}, or 'none' for no limit",
            f'{error.hint_in_file or error.hint}, or "none" for no limit',
        ) from None


def number(text: str) -> int:
    """A count of 1 and more."""
    if not re.fullmatch(r"[0-9]{1,20}", text) or not 1 <= int(text) <= MOST:
        raise BadValueError("is not a count", f"write a whole number from 1 to {MOST}")
    return int(text)


def process_id(text: str) -> int:
    """A process id; whether there is such a process is looked at later."""
    if not re.fullmatch(r"[0-9]{1,20}", text) or not 1 <= int(text) <= signals.PID_MAX:
        raise BadValueError(
            "is not a process id", f"write the number of a running process, 1 to {signals.PID_MAX}"
        )
    return int(text)


def signal_or_none(text: str) -> int | None:
    """A signal, or ``none`` to send none."""
    return None if text.lower() == _NONE else signals.parse(text)


def exit_codes(text: str) -> tuple[int, ...]:
    """A list of exit codes, the smallest first: ``3,4``, or ``none``."""
    return () if text == _NONE else tuple(sorted({_exit_code(part) for part in text.split(",")}))


def _exit_code(part: str) -> int:
    if not re.fullmatch(r" *[0-9]{1,20} *", part):
        what = f"holds '{escaped(part.strip())}', which is not an exit code"
        what = what if part.strip() else "holds an empty part"
        raise BadValueError(what, f"{_CODES} such as 3,4", _CODES_IN_FILE)
    if not 1 <= (code := int(part)) <= LARGEST_CODE:
        why = "which always passes" if code == 0 else f"and the largest exit code is {LARGEST_CODE}"
        raise BadValueError(f"holds {code}, {why}", f"{_CODES} such as 3,4", _CODES_IN_FILE)
    return code


LARGEST_CODE = 255
_CODES = f"write exit codes from 1 to {LARGEST_CODE},"
_CODES_IN_FILE = f"{_CODES} such as [3, 4]"


def path(text: str) -> str:
    """A file's path, as given."""
    if not text:
        raise BadValueError("is not a valid path", "name a file")
    if "\0" in text:
        raise BadValueError("is not a valid path", "leave out the NUL")
    return text


def monitor_name(text: str) -> str:
    """A name that can be part of a file's name and of a line."""
    if not text or len(text.encode("utf-8", "surrogateescape")) > NAME_LENGTH:
        raise BadValueError("is not a valid name", f"write 1 to {NAME_LENGTH} bytes")
    if "/" in text or escaped(text) != text or text.strip() != text:
        raise BadValueError(
            "is not a valid name", "leave out '/', control characters and outer blanks"
        )
    return text


def one_of(*words: str) -> Callable[[str], str]:
    """One of these words."""

    def parse(text: str) -> str:
        if text not in words:
            raise BadValueError("is not known", f"write {' or '.join(words)}")
        return text

    return parse


class Option(NamedTuple):
    """One option; ``parse`` None for one that takes no value."""

    name: str
    value: str
    parse: Callable[[Any], Any] | None
    short: str = ""


OPTIONS = (
    Option("--interval", "SECS", positive_duration, "-i"),
    Option("--script", "SCRIPT", path, "-s"),
    Option("--timeout", "SECS", limit, "-t"),
    Option("--pid", "PID", process_id),
    Option("--pid-file", "FILE", path),
    Option("--signal", "SIG", signal_or_none),
    Option("--fail", "SCRIPT", path),
    Option("--fail-overlap", "POLICY", one_of("queue", "skip")),
    Option("--threshold", "N", number),
    Option("--recovery", "SCRIPT", path),
    Option("--recovery-timeout", "SECS", positive_duration),
    Option("--recovery-interval", "SECS", positive_duration),
    Option("--recovery-backoff", "SECS", duration),
    Option("--recovery-backoff-max", "SECS", positive_duration),
    Option("--max-recoveries", "N", number),
    Option("--when-spent", "POLICY", one_of("error", "watch")),
    Option("--success-threshold", "N", number),
    Option("--fault-signal", "SIG", signal_or_none),
    Option("--success-signal", "SIG", signal_or_none),
    Option("--script-timeout", "SECS", limit),
    Option("--start-period", "SECS", duration),
    Option("--retry-interval", "SECS", positive_duration),
    Option("--unknown-codes", "LIST", exit_codes),
    Option("--warn-codes", "LIST", exit_codes),
    Option("--on-killed", "POLICY", one_of("error", "fail")),
    Option("--count", "N", number),
    Option("--name", "NAME", monitor_name),
    Option("--config", "FILE", path),
    Option("--log-dir", "DIR", path),
    Option("--log-format", "FORMAT", one_of("text", _JOURNAL)),
    Option("--control", "PATH", path),
    Option("--state", "FILE", path),
    Option("--json", "", None),
    Option("--quiet", "", None, "-q"),
    Option("--help", "", None, "-h"),
    Option("--version", "", None),
)

OF_HEAT = frozenset(
    {
        "--config",
        "--log-dir",
        "--log-format",
        "--control",
        "--state",
        "--json",
        "--quiet",
        "--help",
        "--version",
    }
)
"""Options that concern HEAT as a whole; the others are a monitor's."""
HISTORY = 90 * DAY
"""Seconds for which history is kept, where no file says otherwise."""
DEFAULT_TIMEOUT = 30.0
DEFAULT_BACKOFF_MAX = 600.0
IN_FILE = {"--when-spent": "watch", "--on-killed": "fail"}
"""Defaults of a file that are others on a command line: of many monitors none is to be given up."""


def build(
    given: Mapping[str, str], flags: Collection[str], command: Sequence[str]
) -> tuple[Options | None, list[Diagnostic]]:
    """The options of one monitor, or all that is wrong with them.

    ``given`` holds the long options with their values as written, ``flags`` those that take
    none.
    """
    del flags  # None of them is a monitor's.
    values, diagnostics = parsed(given)
    if command:
        values[COMMAND] = tuple(command)
    diagnostics += missing(values)
    diagnostics += [each.diagnostic(given[each.option]) for each in conflicts(values)]
    return (None if diagnostics else made_of(values)), diagnostics


def readable(given: Mapping[str, str], command: Sequence[str]) -> Options:
    """The part that can be looked at of options that `build` finds something wrong with."""
    values, _ = parsed(given)
    return as_far_as_read({**values, COMMAND: tuple(command)})


def common(given: Mapping[str, str], flags: Collection[str]) -> Common:
    """The part of a command line about HEAT as a whole."""
    log_dir = given.get("--log-dir", "")
    return Common(
        log_dir,
        "--json" in flags,
        "--quiet" in flags,
        log_folder=log_dir,
        journal=given.get("--log-format") == _JOURNAL,
        control=given.get("--control", ""),
        state=given.get("--state", ""),
    )


def parsed(
    given: Mapping[str, str], options: Sequence[Option] = OPTIONS
) -> tuple[dict[str, Any], list[Diagnostic]]:
    """The values by their options, `BAD` where one cannot be read, and what is wrong with those."""
    values: dict[str, Any] = {}
    diagnostics: list[Diagnostic] = []
    for option in options:
        if option.parse is None or option.name not in given:
            continue
        text = given[option.name]
        try:
            values[option.name] = option.parse(text)
        except BadValueError as error:
            values[option.name] = BAD
            diagnostics.append(bad_value(option.name, text, error))
    return values, diagnostics


def bad_value(option: str, value: object, error: BadValueError) -> Diagnostic:
    """The mistake that this value of an option is."""
    return of_option(option, shown(value), error.complaint, error.hint, error.hint_in_file)


def made_of(values: Mapping[str, Any]) -> Options:
    """The options that these values make, in which nothing is wrong."""
    get = values.get
    script: str | None = get("--script")
    check: tuple[str, ...] = (script,) if script is not None else values[COMMAND]
    return Options(
        name=get("--name") or default_name(check[0]),
        interval=values["--interval"],
        check=check,
        is_script=script is not None,
        timeout=get("--timeout", DEFAULT_TIMEOUT),
        pid=get("--pid"),
        pid_file=get("--pid-file"),
        fail=get("--fail"),
        recovery=get("--recovery"),
        script_timeout=get("--script-timeout"),
        on_killed=get("--on-killed", "error"),
        unknown_codes=get("--unknown-codes", ()),
        warn_codes=get("--warn-codes", ()),
        limits=Limits(
            threshold=threshold_of(values),
            success_threshold=get("--success-threshold", 1),
            max_recoveries=get("--max-recoveries"),
            recovery_timeout=get("--recovery-timeout"),
            start_period=get("--start-period", 0.0),
            checks=get("--count"),
            fail="--fail" in values,
            fail_overlap_skip=get("--fail-overlap") == "skip",
            recovery="--recovery" in values,
            signal=signal_of(values),
            fault_signal=get("--fault-signal"),
            success_signal=get("--success-signal"),
            spent_watch=get("--when-spent") == "watch",
            interval=values["--interval"],
            retry_interval=get("--retry-interval"),
            recovery_interval=get("--recovery-interval"),
            recovery_backoff=get("--recovery-backoff", 0.0),
            recovery_backoff_max=get("--recovery-backoff-max", DEFAULT_BACKOFF_MAX),
        ),
    )


def as_far_as_read(values: Mapping[str, Any]) -> Options:
    """Options in which something is wrong, so that the files they name can be looked at.

    ``check`` is empty where there is none.
    """
    sound = {option: value for option, value in values.items() if value is not BAD}
    check = sound.get("--script") or next(iter(sound.get(COMMAND, ())), "")
    return made_of({"--name": default_name(check), "--interval": 1.0, COMMAND: (), **sound})


def default_name(check: str) -> str:
    """The base name of the script or command, fit to be part of a file's name."""
    name = escaped(os.path.basename(check.rstrip("/"))).strip() or "check"
    while len(name.encode("utf-8", "surrogateescape")) > NAME_LENGTH:
        name = name[:-1]
    return name
