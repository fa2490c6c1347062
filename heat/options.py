"""The options: one table, from which a command line or a file becomes a frozen ``Options``.

A row says how a value is read and what it may be; messages name the option and the value,
and where it is known the fix.
"""

import os
import re
import signal
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, Literal

from heat import signals
from heat.durations import DAY, duration, positive_duration
from heat.mistakes import BadValueError, Mistake, of_option, shown
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
    limits: Limits

    @property
    def shown(self) -> str:
        """The script as given, or the command with its arguments."""
        return escaped(" ".join(self.check))

    @property
    def has_target(self) -> bool:
        """Signals go to another process than HEAT."""
        return self.pid is not None or self.pid_file is not None


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
            f"{error.fix}, or 'none' for no limit",
            f'{error.fix_in_file or error.fix}, or "none" for no limit',
        ) from None


def number(text: str) -> int:
    """A count of 1 and more."""
    if not re.fullmatch(r"[0-9]{1,20}", text) or not 1 <= int(text) <= MOST:
        raise BadValueError("is not a count", f"write a whole number from 1 to {MOST}")
    return int(text)


def process_id(text: str) -> int:
    """A process id; whether there is such a process is looked at later."""
    if not re.fullmatch(r"[0-9]{1,20}", text) or not 1 <= int(text) <= PID_MAX:
        raise BadValueError(
            "is not a process id", f"write the number of a running process, 1 to {PID_MAX}"
        )
    return int(text)


def signal_or_none(text: str) -> int | None:
    """A signal, or ``none`` to send none."""
    return None if text.lower() == _NONE else signals.parse(text)


def path(text: str) -> str:
    """A file's path, as given."""
    if not text:
        raise BadValueError("is no path", "name a file")
    if "\0" in text:
        raise BadValueError("is no path", "leave out the NUL")
    return text


def monitor_name(text: str) -> str:
    """A name that can be part of a file's name and of a line."""
    if not text or len(text.encode("utf-8", "surrogateescape")) > NAME_LENGTH:
        raise BadValueError("is no name", f"write 1 to {NAME_LENGTH} bytes")
    if "/" in text or escaped(text) != text or text.strip() != text:
        raise BadValueError("is no name", "leave out '/', control characters and outer blanks")
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
    Option("--max-recoveries", "N", number),
    Option("--success-threshold", "N", number),
    Option("--fault-signal", "SIG", signal_or_none),
    Option("--success-signal", "SIG", signal_or_none),
    Option("--script-timeout", "SECS", limit),
    Option("--start-period", "SECS", duration),
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
PID_MAX = 4_194_304
"""The largest process id that Linux can be told to give."""
COMMAND = "command"
"""The command stands among the values under this name."""

HISTORY = 90 * DAY
"""Seconds for which history is kept, where no file says otherwise."""
DEFAULT_TIMEOUT = 30.0
DEFAULT_SIGNAL = int(signal.SIGHUP)

BAD = object()
"""Stands for a value that could not be read: given, and told already."""

_IN_RECOVERY = ("--recovery", "--fault-signal", "--success-signal")
_FOR_RECOVERY = ("--threshold", "--success-threshold", "--recovery-timeout", "--max-recoveries")
_SIGNALS = ("--signal", "--fault-signal", "--success-signal")
_SCRIPTS = ("--fail", "--recovery")
_TARGETS = ("--pid", "--pid-file")


def build(
    given: Mapping[str, str], flags: Collection[str], command: Sequence[str]
) -> tuple[Options | None, list[Mistake]]:
    """The options of one monitor, or all that is wrong with them.

    ``given`` holds the long options with their values as written, ``flags`` those that take
    none.
    """
    del flags  # None of them is a monitor's.
    values, mistakes = parsed(given)
    if command:
        values[COMMAND] = tuple(command)
    mistakes += missing(values)
    mistakes += [each.mistake(given[each.option]) for each in conflicts(values)]
    return (None if mistakes else made_of(values)), mistakes


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
) -> tuple[dict[str, Any], list[Mistake]]:
    """The values by their options, `BAD` where one cannot be read, and what is wrong with those."""
    values: dict[str, Any] = {}
    mistakes: list[Mistake] = []
    for option in options:
        if option.parse is None or option.name not in given:
            continue
        text = given[option.name]
        try:
            values[option.name] = option.parse(text)
        except BadValueError as error:
            values[option.name] = BAD
            mistakes.append(bad_value(option.name, text, error))
    return values, mistakes


def bad_value(option: str, value: object, error: BadValueError) -> Mistake:
    """The mistake that this value of an option is."""
    return of_option(option, shown(value), error.complaint, error.fix, error.fix_in_file)


def missing(values: Mapping[str, Any]) -> Iterator[Mistake]:
    """The options that no monitor can do without."""
    if "--interval" not in values:
        yield of_option(
            "--interval",
            "",
            "is missing",
            "say how often to check, as in -i 30",
            "say how often to check: interval = 30",
        )
    if ("--script" in values) == (COMMAND in values):
        text = "use either script or command"
        if COMMAND in values:
            fix, in_file = "leave out --script, or the command behind the options", "leave out one"
        else:
            fix = "name the check: heat -i 30 -s ./check, or heat -i 30 curl -sf URL"
            in_file = 'name the check: script = "./check", or command = ["curl", "-sf", "URL"]'
        yield Mistake(f"Error: {text}", fix, "", text, in_file)


class Conflict(NamedTuple):
    """An option that does not go with the others; ``in_vain`` where it merely has no effect."""

    option: str
    complaint: str
    fix: str
    in_vain: bool = True

    def mistake(self, value: object) -> Mistake:
        """The mistake it is, the option having been given this value."""
        return of_option(self.option, shown(value), self.complaint, self.fix)


def conflicts(values: Mapping[str, Any]) -> Iterator[Conflict]:
    """Options that do not go together."""
    said = {option for option, value in values.items() if value is not None}
    if said.isdisjoint(_IN_RECOVERY):
        for option in filter(said.__contains__, _FOR_RECOVERY):
            yield Conflict(
                option,
                "has no effect without anything to do in recovery",
                "add --recovery, --fault-signal or --success-signal, or leave it out",
            )
    if "--fail-overlap" in said and "--fail" not in said:
        yield Conflict(
            "--fail-overlap", "has no effect without --fail", "add --fail, or leave it out"
        )
    if "--script-timeout" in said and said.isdisjoint(_SCRIPTS):
        yield Conflict(
            "--script-timeout",
            "has no effect without a script to run",
            "add --fail or --recovery, or leave it out",
        )
    if said.issuperset(_TARGETS):
        yield Conflict("--pid", "has no effect beside --pid-file", "use either --pid or --pid-file")
    for option in _SIGNALS if said.isdisjoint(_TARGETS) else ():
        if values.get(option) in signals.NEED_TARGET:
            fix = "name the process with --pid or --pid-file"
            yield Conflict(option, "needs a target", fix, in_vain=False)


def made_of(values: Mapping[str, Any]) -> Options:
    """The options that these values make, in which nothing is wrong."""
    get = values.get
    script: str | None = get("--script")
    check: tuple[str, ...] = (script,) if script is not None else values[COMMAND]
    target = "--pid" in values or "--pid-file" in values
    recovers = any(get(option) is not None for option in _IN_RECOVERY)
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
        limits=Limits(
            threshold=get("--threshold", 1) if recovers else None,
            success_threshold=get("--success-threshold", 1),
            max_recoveries=get("--max-recoveries"),
            recovery_timeout=get("--recovery-timeout"),
            start_period=get("--start-period", 0.0),
            checks=get("--count"),
            fail="--fail" in values,
            fail_overlap_skip=get("--fail-overlap") == "skip",
            recovery="--recovery" in values,
            signal=get("--signal", DEFAULT_SIGNAL if target else None),
            fault_signal=get("--fault-signal"),
            success_signal=get("--success-signal"),
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
