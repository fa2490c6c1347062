"""The metrics: a table that turns the numbers of each monitor into Prometheus's samples.

Pure: rows of the control socket go in, families of ``prometheus_client`` come out.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from operator import itemgetter
from typing import Any, NamedTuple, cast, get_args

from prometheus_client.core import Metric
from prometheus_client.utils import floatToGoString  # pyright: ignore[reportUnknownVariableType]

from heat.control.answers import State
from heat.control.protocol import NUMBERS, Numbers
from heat.monitor.counters import BOUNDS

STATES: Sequence[str] = get_args(State)
MONITOR = "monitor"
number = cast("Callable[[float], str]", floatToGoString)
"""A number as prometheus_client writes it."""


def reader(columns: Sequence[str]) -> Callable[[Sequence[Any]], Numbers]:
    """Return what makes `Numbers` of a row with these columns; KeyError if one is missing."""
    places = {column: place for place, column in enumerate(columns)}
    pick = itemgetter(*[places[column] for column in NUMBERS])
    new = cast("Callable[[object, object], Numbers]", getattr(tuple, "__new__"))  # noqa: B009 - typed
    return lambda row: new(Numbers, pick(row))  # Twice as quick as `Numbers` itself.


class Place(NamedTuple):
    """One sample of a family, for each monitor: a suffix of the name, and the other labels."""

    suffix: str
    labels: Mapping[str, str]


class Family(NamedTuple):
    """A metric of each monitor; ``values`` returns one for each place, or none at all."""

    name: str
    kind: str
    help: str
    values: Callable[[Numbers], Sequence[float]]
    places: Sequence[Place] = (Place("", {}),)

    def metric(self) -> Metric:
        """Return the family, without a sample."""
        return Metric(self.name, self.help, self.kind)

    def add(self, metric: Metric, name: str, values: Sequence[float]) -> None:
        """Add the samples of the monitor with this name."""
        if values:
            for place, value in zip(self.places, values, strict=True):
                labels = {MONITOR: name, **place.labels}
                metric.add_sample(self.name + place.suffix, labels, value)


def _each(suffix: str, label: str, values: Iterable[str]) -> tuple[Place, ...]:
    return tuple(Place(suffix, {label: value}) for value in values)


_COUNTED = (Place("_total", {}),)
_HISTOGRAM = (
    *_each("_bucket", "le", [*map(number, BOUNDS), "+Inf"]),
    Place("_count", {}),
    Place("_sum", {}),
)


_ONE_HOT = {state: tuple(float(state == each) for each in STATES) for state in STATES}
_COLD = (0.0,) * len(STATES)
"""For a state that only a later HEAT knows."""


def _fields(*names: str) -> Callable[[Numbers], Sequence[float]]:
    """Return what picks these numbers of a row."""
    places = [Numbers._fields.index(name) for name in names]
    if len(places) == 1:  # A slice picks a tuple, too.
        return itemgetter(slice(places[0], places[0] + 1))
    return itemgetter(*places)


def _state(row: Numbers) -> Sequence[float]:
    return _ONE_HOT.get(row.state, _COLD)


def _last(row: Numbers) -> Sequence[float]:
    return () if row.last is None else (row.last,)


def _histogram(row: Numbers) -> Sequence[float]:
    up_to = list(accumulate(row.buckets))
    return (*up_to, up_to[-1], row.duration)


FAMILIES: Sequence[Family] = (
    Family(
        "heat_monitor_state",
        "gauge",
        "1 for the state that the monitor is in, 0 for the others.",
        _state,
        _each("", "state", STATES),
    ),
    Family(
        "heat_monitor_failures",
        "gauge",
        "Failures in a row; 0 once the monitor is NORMAL again.",
        _fields("failures"),
    ),
    Family(
        "heat_monitor_paused",
        "gauge",
        "1 while the monitor is paused: no checks, no effects.",
        _fields("paused"),
    ),
    Family(
        "heat_monitor_spent",
        "gauge",
        "1 while no recovery is left and checks go on (when-spent = watch).",
        _fields("spent"),
    ),
    Family(
        "heat_monitor_checks",
        "counter",
        "Checks that have ended, by result; unknown ones could not be run, or could not tell.",
        _fields("ok", "failed", "unknown"),
        _each("_total", "result", ("ok", "failed", "unknown")),
    ),
    Family(
        "heat_monitor_warnings",
        "counter",
        "Checks that have passed with a warning; they are among those that are ok.",
        _fields("warnings"),
        _COUNTED,
    ),
    Family(
        "heat_monitor_check_running",
        "gauge",
        "1 while a check runs or waits for its turn.",
        _fields("checking"),
    ),
    Family(
        "heat_monitor_last_check_timestamp_seconds",
        "gauge",
        "Unix time of the last result; missing as long as there is none.",
        _last,
    ),
    Family(
        "heat_monitor_check_duration_seconds",
        "histogram",
        "How long checks took.",
        _histogram,
        _HISTOGRAM,
    ),
    Family(
        "heat_monitor_lateness_seconds",
        "counter",
        "How long after they were due checks started, summed up.",
        _fields("late"),
        _COUNTED,
    ),
    Family(
        "heat_monitor_longest_lateness_seconds",
        "gauge",
        "The longest time after it was due that a check has started, of the last 5 to 10 minutes.",
        _fields("latest"),
    ),
    Family(
        "heat_monitor_skipped_ticks",
        "counter",
        "Ticks that started no check, because one still ran or waited.",
        _fields("skipped"),
        _COUNTED,
    ),
    Family(
        "heat_monitor_outages",
        "counter",
        "Outages: from the first failure until the monitor is NORMAL again.",
        _fields("outages"),
        _COUNTED,
    ),
    Family(
        "heat_monitor_recoveries_begun",
        "counter",
        "Recoveries begun.",
        _fields("recoveries"),
        _COUNTED,
    ),
    Family(
        "heat_monitor_recoveries",
        "counter",
        "Recoveries by their outcome, once it is known: after helped the check passed again.",
        _fields("helped", "useless"),
        _each("_total", "outcome", ("helped", "useless")),
    ),
)


class Families:
    """These families, as a collector of prometheus_client."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        """Return the families."""
        return self._families


def of_monitors(rows: Sequence[Numbers]) -> Iterator[Metric]:
    """Yield all families, with the samples of these monitors."""
    for family in FAMILIES:
        metric = family.metric()
        for row in rows:
            family.add(metric, row.name, family.values(row))
        yield metric


def of_heat(about: Mapping[str, Any] | None) -> Iterator[Metric]:
    """Yield the families of HEAT as a whole; None if it does not answer."""
    yield _gauge("heat_up", "1 if HEAT answers on its control socket.", about is not None)
    if about is None:
        return
    info = Metric("heat_info", "The version of HEAT.", "gauge")
    info.add_sample("heat_info", {"version": str(about["version"])}, 1)
    yield info
    yield _gauge("heat_start_time_seconds", "Unix time at which HEAT began.", about["started"])
    monitors = Metric("heat_monitors", "Monitors, by the state they are in.", "gauge")
    for state in STATES:
        monitors.add_sample("heat_monitors", {"state": state}, about["states"].get(state, 0))
    yield monitors
    yield _gauge("heat_monitors_paused", "Monitors that are paused.", about["paused"])
    yield _gauge("heat_checks_running", "Checks that run now.", about["running"])
    yield _gauge("heat_checks_limit", "Checks that may run at once.", about["max_running"])
    waited = Metric("heat_checks_waited", "Checks that had to wait for their turn.", "counter")
    waited.add_sample("heat_checks_waited_total", {}, about["waited"])
    yield waited
    yield _gauge(
        "heat_longest_wait_seconds",
        "The longest that a check had to wait, since HEAT began.",
        about["longest_wait"],
    )
    yield _gauge(
        "heat_troubles",
        "Things of HEAT's own that do not work now, such as the state file.",
        len(about["trouble"]),
    )


def _gauge(name: str, text: str, value: float) -> Metric:
    metric = Metric(name, text, "gauge")
    metric.add_sample(name, {}, value)
    return metric
