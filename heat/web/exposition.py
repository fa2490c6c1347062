"""The text that Prometheus scrapes; only the lines that have changed are made again.

``generate_latest`` takes seconds for the samples of 10,000 monitors. So it makes the shape of each
family's lines once, and each monitor's name as a label once; after that a line is its shape with
the name and the number filled in.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache

from prometheus_client import generate_latest
from prometheus_client.core import Metric

from heat.control.protocol import Numbers
from heat.web.metrics import FAMILIES, MONITOR, Families, Family, number

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_MARK = "MARK"
_number = lru_cache(maxsize=1 << 14)(number)
"""Most numbers are small counts, which come again and again."""


def text_of(metrics: Iterable[Metric]) -> bytes:
    """Return these families as prometheus_client writes them."""
    return generate_latest(Families(metrics))


class Part:
    """The text of one family: its head, and the lines of each monitor."""

    __slots__ = ("_family", "_head", "_shape", "lines")

    def __init__(self, family: Family) -> None:
        metric = family.metric()
        self._head = text_of([metric])
        family.add(metric, _MARK, [0.0] * len(family.places))
        lines = text_of([metric]).removeprefix(self._head).decode().splitlines()
        self._shape = "".join(
            line.removesuffix("0.0").replace("%", "%%").replace(_MARK, "%s") + "%s\n"
            for line in lines
        )
        self._family = family
        self.lines: dict[str, bytes] = {}

    def put(self, row: Numbers, before: Numbers | None, label: str) -> None:
        """Make the lines of this monitor again, unless its numbers are the same."""
        values = self._family.values(row)
        if before is not None and values == self._family.values(before):
            return
        if not values:
            self.lines.pop(row.name, None)
            return
        words = [label] * (2 * len(values))
        words[1::2] = map(_number, values)
        self.lines[row.name] = (self._shape % tuple(words)).encode()

    def text(self) -> bytes:
        """Return the whole family."""
        return b"".join([self._head, *self.lines.values()])


class Exposition:
    """The text of all families of the monitors."""

    __slots__ = ("_labels", "_parts", "_rows")

    def __init__(self) -> None:
        self._parts = [Part(family) for family in FAMILIES]
        self._rows: dict[str, Numbers] = {}
        self._labels: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def put(self, row: Numbers) -> None:
        """Take the numbers of a monitor, whether it is new or known."""
        label = self._labels.get(row.name)
        if label is None:
            label = self._labels[row.name] = _label(row.name)
        before = self._rows.get(row.name)
        self._rows[row.name] = row
        for part in self._parts:
            part.put(row, before, label)

    def texts(self) -> Iterator[bytes]:
        """Yield the text, a family at a time."""
        for part in self._parts:
            yield part.text()


def _label(name: str) -> str:
    """Return a name as prometheus_client writes it into a label."""
    metric = Metric("m", "", "gauge")
    metric.add_sample("m", {MONITOR: name.encode("utf-8", "backslashreplace").decode()}, 0.0)
    line = text_of([metric]).decode().removesuffix('"} 0.0\n')
    return line.partition(f'm{{{MONITOR}="')[2]
