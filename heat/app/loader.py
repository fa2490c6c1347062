"""Read a configuration file in a process of its own, a fork that sends back its findings.

Reading ten thousand monitors takes half a second, and more memory than they need later. So HEAT
goes on watching, and keeps none of that memory. The monitors come back a hundred at a time: all
at once they would be a megabyte, which leaves gaps in memory for good.

A file can be made to take hours to read (a key of 450,000 dotted parts), and a network file system
may never answer: HEAT kills the process when its time is up.
"""

import marshal
import os
import select
import signal
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import islice
from typing import Any

from heat.config.model import Config
from heat.config.options import Common, Options
from heat.diagnostics import Diagnostic
from heat.errors import reason_of
from heat.process import inherited
from heat.process.helper import Fork
from heat.runtime.loop import RealClock
from states.engine.named_tuple import NamedTuple
from states.monitor.limits import Limits

LIMIT = 20.0
"""Seconds that reading may take; ten thousand monitors take two on a slow machine."""
_AT_ONCE = 100
"""Monitors that are sent at a time."""
_HEAD = 4
"""Bytes before each part: its length."""
_MONITORS, _ALL = "monitors", "all"
"""The kinds of parts: some monitors, or, as the last one, all the rest."""


class Findings(NamedTuple):
    """The content of a file, and what is wrong with it or with what it names."""

    config: Config
    diagnostics: list[Diagnostic]
    warnings: list[str]


def look(shown: str, path: str, common: Common, present: Mapping[str, Options]) -> Findings:
    """Read the file at ``path``, and check all that its monitors name.

    Of monitors that are ``present`` as they are, check only who may change what they run.
    """
    from heat.config import preflight
    from heat.config.toml_file import sound_part
    from heat.trust import Trust

    trust = Trust()
    config, diagnostics = sound_part(shown, path, trust)
    known = {name for name, each in config.monitors.items() if present.get(name) == each}
    looked_at = config._replace(monitors={**config.monitors, **config.unsound})
    diagnostics += preflight.look_at_file(looked_at, common, trust, known)
    return Findings(config._replace(unsound={}), diagnostics, list(trust.warnings))


class Reading:
    """A reading under way; ``fd`` is readable when there is something to ``take``.

    Raises OSError for want of a process or a descriptor.
    """

    def __init__(self, work: Callable[[], Findings], own: set[int]) -> None:
        self.fd, out = os.pipe()
        try:
            self._fork = Fork(partial(_send, work, out), own)
        except OSError:
            os.close(self.fd)
            raise
        finally:
            os.close(out)
        self._data = b""
        self._monitors: dict[str, Options] = {}
        self._findings: Findings | None = None

    def take(self) -> Findings | None:
        """Wait for the next part; return the findings once they are complete."""
        if data := os.read(self.fd, 1 << 16):
            self._data += data
            for part in self._parts():
                self._take(part)
            return None
        return self._findings or _nothing("the process that read it was killed, and not by HEAT")

    def _parts(self) -> Iterator[tuple[Any, ...]]:
        data, at = self._data, 0
        while (begin := at + _HEAD) <= len(data):
            end = begin + int.from_bytes(data[at:begin], "big")
            if end > len(data):
                break
            yield marshal.loads(data[begin:end])  # noqa: S302 - our own process wrote it
            at = end
        self._data = data[at:]

    def _take(self, part: tuple[Any, ...]) -> None:
        kind, *values = part
        if kind == _MONITORS:
            self._monitors.update((options.name, options) for options in _monitors(values))
        else:
            (path, shown, most, history), diagnostics, warnings = values
            config = Config(path, shown, most, history, self._monitors)
            self._findings = Findings(
                config, [Diagnostic(*diagnostic) for diagnostic in diagnostics], warnings
            )

    def end(self) -> None:
        """Reap the process, and close the descriptor."""
        os.close(self.fd)
        self._fork.reap()

    def stop(self) -> None:
        """Kill the process; ``reap`` it later."""
        self._fork.kill()
        os.close(self.fd)

    def reap(self) -> bool:
        """Reap the killed process; False while it still hangs in a dead file system."""
        return self._fork.reap(wait=False)


def read(work: Callable[[], Findings]) -> Findings:
    """Read a configuration, and wait for it."""
    try:
        reading = Reading(work, inherited.forked)
    except OSError as error:
        return _nothing(reason_of(error))
    now = RealClock.now
    end = now() + LIMIT
    findings = None
    while findings is None:
        if not select.select([reading.fd], [], [], max(0.0, end - now()))[0]:
            reading.stop()
            return late()
        findings = reading.take()
    reading.end()
    return findings


def late() -> Findings:
    """Return the findings of a reading that took too long."""
    return _nothing(
        f"it took longer than {LIMIT:g} s",
        "see that its disk answers, and that no key has thousands of dotted parts",
    )


def unread(why: str, hint: str = "try again") -> Diagnostic:
    """Return the diagnostic of a configuration that could not be read, whatever is in it."""
    return Diagnostic(f"Error: the configuration could not be read: {why}", hint)


def _nothing(why: str, hint: str = "try again") -> Findings:
    diagnostic = unread(why, hint)
    return Findings(Config("", "", 0, 0.0, {}), [diagnostic], [])


def _send(work: Callable[[], Findings], out: int) -> None:
    """Be the process that reads."""
    # If HEAT is killed in the meantime, nobody else ends this.
    signal.setitimer(signal.ITIMER_REAL, LIMIT + 1)
    try:
        findings = work()
    except ImportError as error:
        why = f"a file of HEAT's own is not where it was: {error}"
        findings = _nothing(why, "if HEAT was upgraded or removed in the meantime, restart it")
    except MemoryError:
        findings = _nothing("no memory is left", "raise the limit of HEAT (ulimit -v, MemoryMax=)")
    except Exception as error:  # noqa: BLE001 - nobody sees a traceback of this process
        findings = _nothing(f"a bug of HEAT: {error!r}")
    with open(out, "wb") as pipe:
        for part in _plain(findings):
            data = marshal.dumps(part)
            pipe.write(len(data).to_bytes(_HEAD, "big") + data)


def _plain(findings: Findings) -> Iterator[tuple[Any, ...]]:
    """Yield parts that marshal can carry; values that monitors of a part share stay shared."""
    *whole, monitors, _ = findings.config
    all_of_them = iter(monitors.values())
    while some := list(islice(all_of_them, _AT_ONCE)):
        limits: dict[Limits, tuple[Any, ...]] = {}
        yield (
            _MONITORS,
            *(
                (*options[:-1], limits.setdefault(options.limits, tuple(options.limits)))
                for options in some
            ),
        )
    yield (
        _ALL,
        tuple(whole),
        [tuple(diagnostic) for diagnostic in findings.diagnostics],
        findings.warnings,
    )


def _monitors(plain: list[tuple[Any, ...]]) -> Iterator[Options]:
    limits: dict[tuple[Any, ...], Limits] = {}
    for options in plain:
        shared = limits.setdefault(options[-1], Limits(*options[-1]))
        yield Options._make((*options[:-1], shared))
