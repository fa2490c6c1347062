"""A configuration file is read by a process of its own, a fork that sends back what it found.

Reading ten thousand monitors takes half a second, and more memory than all of them need
later. So the watching goes on meanwhile, and keeps none of that memory. They come back some
at a time: in one go they would be a megabyte, and the gaps that it leaves stay.

A file can be made so that reading it takes hours (a key of 450,000 dotted parts), and one on a
network file system may not come at all: the process is killed when its time is up.
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
"""Seconds that a reading may take; ten thousand monitors take two on a slow machine."""
_AT_ONCE = 100
"""Monitors that are sent in one go."""
_HEAD = 4
"""Bytes in front of each part, that tell how long it is."""
_MONITORS, _ALL = "monitors", "all"
"""A part of it: some monitors, or, in the last one, all the rest."""


class Found(NamedTuple):
    """The content of a file, and what is wrong with it, in files and target as well."""

    config: Config
    diagnostics: list[Diagnostic]
    warnings: list[str]


def look(shown: str, path: str, common: Common, present: Mapping[str, Options]) -> Found:
    """Read the file at ``path``, and look at all that its monitors name.

    Of those that are ``present`` no more is asked than who may change what they run.
    """
    from heat.config import preflight
    from heat.config.toml_file import sound_part
    from heat.trust import Trust

    trust = Trust()
    config, diagnostics = sound_part(shown, path, trust)
    known = {name for name, each in config.monitors.items() if present.get(name) == each}
    looked_at = config._replace(monitors={**config.monitors, **config.unsound})
    diagnostics += preflight.look_at_file(looked_at, common, trust, known)
    return Found(config._replace(unsound={}), diagnostics, list(trust.warnings))


class Reading:
    """One reading under way; ``fd`` can be read when there is something to ``take``.

    Raises OSError where there is no process or no descriptor for it.
    """

    def __init__(self, work: Callable[[], Found], own: set[int]) -> None:
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
        self._found: Found | None = None

    def take(self) -> Found | None:
        """The findings, once all of them are there; waits for the next part of them."""
        if data := os.read(self.fd, 1 << 16):
            self._data += data
            for part in self._parts():
                self._take(part)
            return None
        return self._found or _nothing("the process that read it was killed, and not by HEAT")

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
            self._found = Found(
                config, [Diagnostic(*diagnostic) for diagnostic in diagnostics], warnings
            )

    def end(self) -> None:
        """Reap the process, give the descriptor back."""
        os.close(self.fd)
        self._fork.reap()

    def stop(self) -> None:
        """It is no longer wanted, and not waited for."""
        self._fork.kill()
        os.close(self.fd)

    def reap(self) -> bool:
        """Reap it once it is stopped; False as long as it waits for a dead file system."""
        return self._fork.reap(wait=False)


def read(work: Callable[[], Found]) -> Found:
    """Have it read, and wait for that."""
    try:
        reading = Reading(work, inherited.forked)
    except OSError as error:
        return _nothing(reason_of(error))
    now = RealClock.now
    end = now() + LIMIT
    found = None
    while found is None:
        if not select.select([reading.fd], [], [], max(0.0, end - now()))[0]:
            reading.stop()
            return late()
        found = reading.take()
    reading.end()
    return found


def late() -> Found:
    """Its time was up."""
    return _nothing(
        f"it took longer than {LIMIT:g} s",
        "see that its disk answers, and that no key has thousands of dotted parts",
    )


def unread(why: str, hint: str = "try again") -> Diagnostic:
    """The configuration could not be looked at, whatever is in it."""
    return Diagnostic(f"Error: the configuration could not be read: {why}", hint)


def _nothing(why: str, hint: str = "try again") -> Found:
    diagnostic = unread(why, hint)
    return Found(Config("", "", 0, 0.0, {}), [diagnostic], [])


def _send(work: Callable[[], Found], out: int) -> None:
    """Be the process that reads."""
    # HEAT may be killed in the meantime; then nobody else ends this.
    signal.setitimer(signal.ITIMER_REAL, LIMIT + 1)
    try:
        found = work()
    except ImportError as error:
        why = f"a file of HEAT's own is not where it was: {error}"
        found = _nothing(why, "if HEAT was upgraded or removed meanwhile, restart it")
    except MemoryError:
        found = _nothing("no memory is left", "raise the limit of HEAT (ulimit -v, MemoryMax=)")
    except Exception as error:  # noqa: BLE001 - nobody sees a traceback of this process
        found = _nothing(f"a bug of HEAT: {error!r}")
    with open(out, "wb") as pipe:
        for part in _plain(found):
            data = marshal.dumps(part)
            pipe.write(len(data).to_bytes(_HEAD, "big") + data)


def _plain(found: Found) -> Iterator[tuple[Any, ...]]:
    """In parts that marshal can carry; what is shared in one of them stays so."""
    *whole, monitors, _ = found.config
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
        [tuple(diagnostic) for diagnostic in found.diagnostics],
        found.warnings,
    )


def _monitors(plain: list[tuple[Any, ...]]) -> Iterator[Options]:
    limits: dict[tuple[Any, ...], Limits] = {}
    for options in plain:
        shared = limits.setdefault(options[-1], Limits(*options[-1]))
        yield Options._make((*options[:-1], shared))
