"""A HEAT that watches many monitors of one file, and what tests do with it."""

import json
import signal

from heat_process import FAST, Heat
from place import Place

WELL = ["true"]


def monitor(name: str, check: str | list[str], **keys: object) -> str:
    """Return the table of a monitor; ``check`` is a script, or a command as a list."""
    what = "script" if isinstance(check, str) else "command"
    values = {what: check, "interval": FAST, **keys}
    lines = [f"{key.replace('_', '-')} = {json.dumps(value)}\n" for key, value in values.items()]
    return f"[monitor.{name}]\n{''.join(lines)}"


def hanging(place: Place, name: str) -> str:
    """Make a check that does not end; its process ids are in NAME.pids."""
    return place.script(name, f"echo $$ >> {name}.pids\nexec sleep 600")


def stubborn(place: Place, name: str) -> str:
    """Make the same, ignoring TERM."""
    return place.script(name, f"trap '' TERM\necho $$ >> {name}.pids\nwhile :; do sleep 0.02; done")


def pid_of(place: Place, name: str) -> int:
    """Return the first process id in NAME.pids."""
    return place.adopt(int(place.await_words(f"{name}.pids")[0]))


def ran(place: Place, name: str) -> int:
    """Count the runs of a check of ``place.check``."""
    return len(place.words(f"{name}.ran"))


def await_more(heat: Heat, line: str, more: int = 5) -> None:
    """Wait until a monitor has printed its line this many times from now on."""
    heat.await_line(line, heat.out.read_text().count(line) + more)


def started(heat: Heat) -> Heat:
    """Wait until HEAT takes signals."""
    heat.await_file("heat.verbose.log", "> watching ")
    return heat


def summary(heat: Heat) -> list[str]:
    """Return the lines that SIGUSR1 prints now."""
    before = heat.err.read_text().count(" running of ")
    heat.signal(signal.SIGUSR1)
    heat.await_news(" running of ", before + 1)
    heads = [n for n, line in enumerate(heat.news()) if " running of " in line]
    return [line.removeprefix("heat: ") for line in heat.news()[heads[-1] :]]


def state_of(heat: Heat, name: str) -> str:
    """Return the line that SIGUSR1 prints for one of a few monitors."""
    (line,) = (line for line in summary(heat) if line.startswith(f"{name}: "))
    return line.removeprefix(f"{name}: ")
