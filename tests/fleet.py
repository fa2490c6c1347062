"""A HEAT that watches many monitors of one file, and what tests do with it."""

import json
import signal

from heat_process import FAST, Heat
from place import Place

WELL = ["true"]


def monitor(name: str, check: str | list[str], **keys: object) -> str:
    """The table of one; ``check`` is a script, or a command as a list."""
    what = "script" if isinstance(check, str) else "command"
    values = {what: check, "interval": FAST, **keys}
    lines = [f"{key.replace('_', '-')} = {json.dumps(value)}\n" for key, value in values.items()]
    return f"[monitor.{name}]\n{''.join(lines)}"


def hanging(place: Place, name: str) -> str:
    """A check that does not end; its process ids are in NAME.pids."""
    return place.script(name, f"echo $$ >> {name}.pids\nexec sleep 600")


def stubborn(place: Place, name: str) -> str:
    """The same, and it ignores TERM."""
    return place.script(name, f"trap '' TERM\necho $$ >> {name}.pids\nwhile :; do sleep 0.02; done")


def pid_of(place: Place, name: str) -> int:
    """The first process of a check or script that tells it in NAME.pids."""
    return place.adopt(int(place.await_words(f"{name}.pids")[0]))


def ran(place: Place, name: str) -> int:
    """How often a check of ``place.check`` was run."""
    return len(place.words(f"{name}.ran"))


def await_more(heat: Heat, line: str, more: int = 5) -> None:
    """Wait until a monitor has printed its line so many times from now on."""
    heat.await_line(line, heat.out.read_text().count(line) + more)


def started(heat: Heat) -> Heat:
    """HEAT takes signals from now on."""
    heat.await_file("heat.verbose.log", "> watching ")
    return heat


def summary(heat: Heat) -> list[str]:
    """What SIGUSR1 prints now."""
    before = heat.err.read_text().count(" running of ")
    heat.signal(signal.SIGUSR1)
    heat.await_news(" running of ", before + 1)
    heads = [n for n, line in enumerate(heat.news()) if " running of " in line]
    return [line.removeprefix("heat: ") for line in heat.news()[heads[-1] :]]


def state_of(heat: Heat, name: str) -> str:
    """What SIGUSR1 prints of one of a few monitors."""
    (line,) = (line for line in summary(heat) if line.startswith(f"{name}: "))
    return line.removeprefix(f"{name}: ")
