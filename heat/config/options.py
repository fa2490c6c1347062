"""The options of one monitor, and of HEAT as a whole, as frozen values."""

import os
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal

from heat.config.conflicts import conflicts, missing, signal_of, threshold_of
from heat.config.readers import NAME_LENGTH
from heat.config.schema import BAD, COMMAND, DEFAULTS, JOURNAL, OPTIONS, Option
from heat.diagnostics import BadValueError, Diagnostic, of_option, shown
from heat.text import escaped
from states.engine.named_tuple import NamedTuple
from states.monitor.limits import Limits


class Options(NamedTuple):
    """The options of one monitor; durations in seconds, None for no limit or none at all."""

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
        """Tell if signals go to a process other than HEAT."""
        return self.pid is not None or self.pid_file is not None

    @property
    def when_spent(self) -> Literal["error", "watch"]:
        """The policy after the last recovery, as `--when-spent` has it."""
        return "watch" if self.limits.spent_watch else "error"


class Common(NamedTuple):
    """The options of HEAT as a whole, not of one monitor."""

    log_dir: str = ""
    """As given; empty for the folder where HEAT was started."""
    json: bool = False
    quiet: bool = False
    log_folder: str = ""
    """The same for opening files: absolute if HEAT has left the folder where it was started."""
    journal: bool = False
    """Lines are for journald: with a priority and without a time."""
    control: str = ""
    """Path of the control socket; empty for none, or the usual one."""
    state: str = ""
    """Path of the state file; empty for none."""


def build(
    texts: Mapping[str, str], command: Sequence[str]
) -> tuple[Options | None, list[Diagnostic]]:
    """Make the options of one monitor from their texts, or list all that is wrong with them."""
    values, diagnostics = read_values(texts)
    if command:
        values[COMMAND] = tuple(command)
    diagnostics += missing(values)
    diagnostics += [each.diagnostic(texts[each.option]) for each in conflicts(values)]
    return (None if diagnostics else make(values)), diagnostics


def readable(texts: Mapping[str, str], command: Sequence[str]) -> Options:
    """Make as much of options that `build` refuses as preflight can look at."""
    values, _ = read_values(texts)
    return make_readable({**values, COMMAND: tuple(command)})


def common(texts: Mapping[str, str], flags: Collection[str]) -> Common:
    """Make the options of HEAT as a whole."""
    log_dir = texts.get("--log-dir", "")
    return Common(
        log_dir,
        "--json" in flags,
        "--quiet" in flags,
        log_folder=log_dir,
        journal=texts.get("--log-format") == JOURNAL,
        control=texts.get("--control", ""),
        state=texts.get("--state", ""),
    )


def read_values(
    texts: Mapping[str, str], options: Sequence[Option] = OPTIONS
) -> tuple[dict[str, Any], list[Diagnostic]]:
    """Read the texts of options; a text that is refused becomes `BAD`, and a diagnostic."""
    values: dict[str, Any] = {}
    diagnostics: list[Diagnostic] = []
    for option in options:
        if option.parse is None or option.name not in texts:
            continue
        text = texts[option.name]
        try:
            values[option.name] = option.parse(text)
        except BadValueError as error:
            values[option.name] = BAD
            diagnostics.append(of_option(option.name, shown(text), error.complaint, error.hint))
    return values, diagnostics


def make(values: Mapping[str, Any]) -> Options:
    """Make options of values in which nothing is wrong."""
    script: str | None = values.get("--script")
    check: tuple[str, ...] = (script,) if script is not None else values[COMMAND]
    every: dict[str, Any] = {**DEFAULTS, **values}
    get = every.get
    return Options(
        name=get("--name") or default_name(check[0]),
        interval=values["--interval"],
        check=check,
        is_script=script is not None,
        timeout=every["--timeout"],
        pid=get("--pid"),
        pid_file=get("--pid-file"),
        fail=get("--fail"),
        recovery=get("--recovery"),
        script_timeout=get("--script-timeout"),
        on_killed=every["--on-killed"],
        unknown_codes=every["--unknown-codes"],
        warn_codes=every["--warn-codes"],
        limits=Limits(
            threshold=threshold_of(values),
            success_threshold=every["--success-threshold"],
            max_recoveries=get("--max-recoveries"),
            recovery_timeout=get("--recovery-timeout"),
            start_period=every["--start-period"],
            checks=get("--count"),
            fail="--fail" in values,
            fail_overlap_skip=get("--fail-overlap") == "skip",
            recovery="--recovery" in values,
            signal=signal_of(values),
            fault_signal=get("--fault-signal"),
            success_signal=get("--success-signal"),
            spent_watch=every["--when-spent"] == "watch",
            interval=values["--interval"],
            retry_interval=get("--retry-interval"),
            recovery_interval=get("--recovery-interval"),
            recovery_backoff=every["--recovery-backoff"],
            recovery_backoff_max=every["--recovery-backoff-max"],
        ),
    )


def make_readable(values: Mapping[str, Any]) -> Options:
    """Make options although something is wrong, so that preflight can look at their files.

    ``check`` is empty where there is none.
    """
    sound = {option: value for option, value in values.items() if value is not BAD}
    check = sound.get("--script") or next(iter(sound.get(COMMAND, ())), "")
    return make({"--name": default_name(check), "--interval": 1.0, COMMAND: (), **sound})


def default_name(check: str) -> str:
    """Return the base name of the script or command, fit to be part of a file's name."""
    name = escaped(os.path.basename(check.rstrip("/"))).strip() or "check"
    while len(name.encode("utf-8", "surrogateescape")) > NAME_LENGTH:
        name = name[:-1]
    return name
