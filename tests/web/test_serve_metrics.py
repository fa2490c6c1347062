"""The numbers as Prometheus gets them: the same text as prometheus_client's own, only sooner."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from heat_double import HeatDouble
from hypothesis import given, settings
from hypothesis import strategies as st
from processes import PATIENCE
from prometheus_client.parser import text_string_to_metric_families

from heat.control.protocol import NUMBERS, Numbers
from heat.monitor.counters import BOUNDS
from heat.web.exposition import Exposition, text_of
from heat.web.metrics import FAMILIES, STATES, of_heat, of_monitors, reader

HOME = Path(__file__).parents[2]
FRESH = Numbers._make(["web", "NORMAL", *[0] * 12, 0.0, (0,) * 13, 0.0, 0.0, 0, None, 0])

counts = st.integers(0, 10**12)
spans = st.floats(0, 1e9, allow_nan=False)
names = st.text(min_size=1, max_size=20).filter(lambda text: text.isprintable()) | st.sampled_from(
    ['a"b', "back\\slash", "%s", "MARK", "{}", "größe", "a b"]
)
rows = st.builds(
    Numbers,
    name=names,
    state=st.sampled_from([*STATES, "UNHEARD-OF"]),
    since=spans,
    failures=counts,
    paused=st.integers(0, 1),
    ok=counts,
    failed=counts,
    unknown=counts,
    skipped=counts,
    outages=counts,
    recoveries=counts,
    helped=counts,
    useless=counts,
    warnings=counts,
    duration=spans,
    buckets=st.lists(counts, min_size=13, max_size=13),
    late=spans,
    latest=spans,
    checking=st.integers(0, 1),
    last=st.none() | spans,
    spent=st.integers(0, 1),
)


def samples(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@settings(max_examples=30)
@given(st.lists(rows, max_size=5, unique_by=lambda row: row.name), st.lists(rows, max_size=3))
def test_the_text_is_what_prometheus_client_makes_of_the_same_numbers(
    first: list[Numbers], later: list[Numbers]
) -> None:
    exposition = Exposition()
    last: dict[str, Numbers] = {}
    for row in [*first, *later]:
        exposition.put(row)
        last[row.name] = row
    ours = b"".join(exposition.texts()).decode()

    theirs = text_of(of_monitors(list(last.values()))).decode()
    # Where a monitor has a sample that it did not have before, its place is another one.
    assert sorted(ours.splitlines()) == sorted(theirs.splitlines())
    assert samples(ours) == samples(theirs)


def test_a_fresh_exposition_is_the_same_byte_for_byte() -> None:
    exposition = Exposition()
    known = [FRESH, FRESH._replace(name="db", last=12.5, buckets=range(13), state="ERROR")]
    for row in known:
        exposition.put(row)

    assert b"".join(exposition.texts()) == text_of(of_monitors(known))


def test_each_state_is_0_but_the_one_that_holds() -> None:
    for state in STATES:
        values = samples(text_of(of_monitors([FRESH._replace(state=state)])).decode())
        is_in = {
            each: values["heat_monitor_state", frozenset({("monitor", "web"), ("state", each)})]
            for each in STATES
        }

        assert is_in == {each: float(each == state) for each in STATES}


def test_buckets_of_a_histogram_count_those_before_them() -> None:
    row = FRESH._replace(buckets=(1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 5), duration=321.5)
    text = text_of(of_monitors([row])).decode()
    name = "heat_monitor_check_duration_seconds"

    assert len(BOUNDS) == 12
    for le, count in (("0.005", 1), ("0.01", 3), ("10.0", 3), ("30.0", 7), ("+Inf", 12)):
        assert f'{name}_bucket{{le="{le}",monitor="web"}} {count}.0\n' in text
    assert f'{name}_count{{monitor="web"}} 12.0\n' in text
    assert f'{name}_sum{{monitor="web"}} 321.5\n' in text


def test_columns_may_come_in_any_order_and_with_others_between() -> None:
    columns = ["hue", *reversed(NUMBERS)]
    values: list[Any] = [7, *range(len(NUMBERS), 0, -1)]

    row = reader(columns)(values)
    assert (row.name, row.state, row.failures, row.spent) == (1, 2, 4, len(NUMBERS))


def test_a_missing_column_is_an_error() -> None:
    with pytest.raises(KeyError, match="latest"):
        reader([column for column in NUMBERS if column != "latest"])


def test_each_family_has_values_for_its_places() -> None:
    for family in FAMILIES:
        assert len(family.values(FRESH._replace(last=1.0))) == len(family.places)


def test_a_heat_that_does_not_answer_is_not_up_and_has_no_numbers() -> None:
    assert samples(text_of(of_heat(None)).decode()) == {("heat_up", frozenset()): 0.0}


@pytest.mark.skipif(shutil.which("promtool") is None, reason="Prometheus is not installed")
def test_promtool_has_nothing_to_say_about_the_metrics(tmp_path: Path) -> None:
    with HeatDouble(tmp_path / "heat.sock") as heat:
        text = text_of([*of_heat(heat.about()), *of_monitors([FRESH._replace(last=1.0)])])
    command = ["promtool", "check", "metrics"]
    result = subprocess.run(command, input=text, capture_output=True, check=False, timeout=PATIENCE)

    assert (result.returncode, result.stdout, result.stderr) == (0, b"", b"")


@pytest.mark.skipif(shutil.which("promtool") is None, reason="Prometheus is not installed")
@pytest.mark.parametrize("words", [("config", "prometheus.yml"), ("rules", "heat.rules.yml")])
def test_promtool_takes_the_examples(words: tuple[str, str]) -> None:
    command = ["promtool", "check", words[0], str(HOME / "examples" / words[1])]
    result = subprocess.run(command, capture_output=True, check=False, timeout=PATIENCE)

    assert result.returncode == 0, result.stderr
    assert b"SUCCESS" in result.stdout


@pytest.mark.skipif(shutil.which("promtool") is None, reason="Prometheus is not installed")
def test_the_alerts_of_the_examples_fire_when_they_should(tmp_path: Path) -> None:
    rules = HOME / "examples/heat.rules.yml"
    path = tmp_path / "test.yml"
    path.write_text((HOME / "tests/heat.rules.test.yml").read_text().replace("RULES", str(rules)))
    command = ["promtool", "test", "rules", str(path)]
    result = subprocess.run(command, capture_output=True, check=False, timeout=PATIENCE)

    assert result.returncode == 0, result.stdout + result.stderr
