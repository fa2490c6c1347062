"""Durations are written the same way everywhere, and their words can be read again."""

import signal
from pathlib import Path

import pytest
from heat_process import Heat
from hypothesis import given
from hypothesis import strategies as st
from place import Place

from heat.config.durations import (
    DAY,
    HOUR,
    LONGEST,
    MINUTE,
    WEEK,
    duration,
    exact,
    length,
    positive_duration,
    short,
    written,
)
from heat.ctl.main import main
from heat.diagnostics import BadValueError

UNITS = {"w": WEEK, "d": DAY, "h": HOUR, "m": MINUTE, "s": 1.0, "ms": 0.001}
MILLISECONDS = st.integers(1, round(LONGEST * 1000))
NONE_OF_THEM = [
    "", " ", "x", "30 ", " 30", "1h 30m", "30m1h", "1h1h", "1w2", "1H", "5min", "5y", "1_000",
    "٣", "٣d", "nan", "inf", "-inf", "-1", "+1", "1e3", "0x10", "1,5", "1.", "1..5", "none",
    "h", "1h-30m", "1" * 16, "1" * 5000, "30s\n", "½h",
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30", 30.0),
        ("0.5", 0.5),
        (".5", 0.5),
        ("700ms", 0.7),
        ("30s", 30.0),
        ("5m", 300.0),
        ("2h", 7200.0),
        ("1d", 86_400.0),
        ("1w", 604_800.0),
        ("1.5d", 129_600.0),
        ("1h30m", 5400.0),
        ("1w2d3h4m5s6ms", 788_645.006),
        ("0m", 0.0),
        ("366d", LONGEST),
    ],
)
def test_what_is_a_duration(text: str, seconds: float) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize("text", NONE_OF_THEM, ids=lambda text: repr(text)[:20])
def test_what_is_none_is_refused_with_all_units_named(text: str) -> None:
    with pytest.raises(BadValueError, match="is not a duration") as refused:
        duration(text)

    for unit in ("500ms", "30s", "5m", "2h", "1d", "1w", "1h30m"):
        assert unit in refused.value.hint
        assert f'"{unit}"' in refused.value.hint_in_file


@pytest.mark.parametrize(
    "value", [float("nan"), -1, -0.001, float("-inf"), -(10**400)], ids=lambda value: str(value)[:9]
)
def test_a_number_of_a_file_that_is_none_is_refused(value: float) -> None:
    with pytest.raises(BadValueError, match="is not a duration"):
        duration(value)


@pytest.mark.parametrize(
    "value", ["100000w", "8785h", "999999999999999w", "52w2d1ms", float("inf"), 10**400]
)
def test_what_is_longer_than_a_year_is_too_long_and_nothing_overflows(value: str | float) -> None:
    with pytest.raises(BadValueError, match="is too long") as refused:
        duration(value)

    assert refused.value.hint == "the longest duration is 366d"


@pytest.mark.parametrize("value", ["0", "0.0", "0ms", "0h0m", 0, -0.0])
def test_no_time_is_not_a_positive_duration(value: str | float) -> None:
    with pytest.raises(BadValueError, match="is not a positive duration"):
        positive_duration(value)


@given(MILLISECONDS)
def test_what_is_written_is_read_as_the_same(milliseconds: int) -> None:
    text = written(milliseconds / 1000)

    assert round(duration(text) * 1000) == milliseconds
    assert written(duration(text)) == text


@given(st.dictionaries(st.sampled_from(list(UNITS)), st.integers(0, 400), min_size=1))
def test_parts_are_added_in_whatever_units_they_are(parts: dict[str, int]) -> None:
    ordered = [(unit, parts[unit]) for unit in UNITS if unit in parts]
    text = "".join(f"{number}{unit}" for unit, number in ordered)
    seconds = sum(number * UNITS[unit] for unit, number in ordered)

    assert duration(text, 1000 * WEEK) == pytest.approx(seconds)


@given(st.text(max_size=12))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        span = duration(text)
    except BadValueError:
        return

    assert 0 <= span <= LONGEST
    assert text.isascii()


@given(MILLISECONDS)
def test_an_exact_length_loses_nothing(milliseconds: int) -> None:
    words = exact(milliseconds / 1000).replace(" min", "m").replace(" ", "")

    assert round(duration(words) * 1000) == milliseconds


@given(st.floats(0, LONGEST))
def test_a_length_for_people_is_off_by_less_than_its_smaller_unit(span: float) -> None:
    for words in (length(span).replace(" min", "m").replace(" ", ""), short(span)):
        assert duration(words) == pytest.approx(span, rel=0.5 / 9, abs=0.051)


ON_A_LINE = [
    "rehearse -i {} --results 0 true",
    "rehearse -i 30 --until {} --results 0 true",
    "rehearse -i 30 --timeout {} --results 0 true",
    "rehearse -i 30 --start-period {} --results 0 true",
    "rehearse -i 30 --recovery ./r --recovery-takes {} --results 0 true",
    "rehearse -i 30 --recovery ./r --recovery-timeout {} --results 0 true",
    "rehearse -i 30 --fail ./f --fail-takes {} --results 0 true",
    "rehearse -i 30 --fail ./f --script-timeout {} --results 0 true",
    "rehearse -i 30 --results 0@{} true",
    "pause web --control none --for {}",
    "history web --control none --since {}",
]


@pytest.mark.parametrize("line", ON_A_LINE)
def test_each_option_takes_each_unit_and_refuses_the_rest_in_the_same_words(
    line: str, capfd: pytest.CaptureFixture[str]
) -> None:
    for good in ("500ms", "30s", "1m", "1h", "1d", "1w", "1h30m", "0.5"):
        main(line.format(good).split())

        assert "is not a duration" not in capfd.readouterr().err
    for bad in ("5y", "1_000", "30m1h"):
        assert main(line.format(bad).split()) == 2
        err = capfd.readouterr().err
        assert f"'{bad}' is not a duration" in err
        assert "30, 0.5, 500ms, 30s, 5m, 2h, 1d, 1w, 1h30m" in err


@pytest.mark.parametrize("key", ["interval", "timeout", "start-period", "history"])
def test_each_key_of_a_file_takes_each_unit(
    key: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "heat.toml"
    for value in ("2h", "1d", "1w", "1h30m", "90d", "5y"):
        line = f'{key} = "{value}"\n'
        heat = f"[heat]\n{line}" if key == "history" else ""
        own = line if key != "history" else ""
        interval = "" if key == "interval" else "interval = 30\n"
        path.write_text(f'{heat}[monitor.web]\n{interval}{own}command = ["true"]\n')

        code = main(["validate", str(path)])

        err = capfd.readouterr().err
        assert (code, "'5y' is not a duration" in err) == (
            (2, True) if value == "5y" else (0, False)
        )


@pytest.mark.parametrize("interval", ["720h", "366d", "1w", "24d20h31m23s"])
def test_an_interval_longer_than_the_kernel_counts_is_waited_for(
    place: Place, interval: str
) -> None:
    """epoll takes 24.8 days in milliseconds at most."""
    place.script("check", "exit 0")
    heat: Heat = place.heat("-i", interval, "-t", "none", "--start-period", "366d", "-s", "./check")
    heat.await_line("OK")
    heat.signal(signal.SIGUSR1)
    heat.await_news("1 check")
    heat.signal(signal.SIGTERM)

    assert heat.wait() == 0
    assert "Error" not in heat.err.read_text()


@pytest.mark.parametrize(
    ("span", "wordy", "word"),
    [
        (-3, "0 s", "0s"),
        (0, "0 s", "0.0s"),
        (0.0004, "1 ms", "0.0s"),
        (0.04, "40 ms", "0.0s"),
        (0.0996, "0.1 s", "0.1s"),
        (4.2, "4.2 s", "4.2s"),
        (9.94, "9.9 s", "9.9s"),
        (9.96, "10 s", "10s"),
        (95, "95 s", "95s"),
        (119.6, "2 min", "2m00s"),
        (750, "12 min 30 s", "12m30s"),
        (7199.7, "2 h", "2h00m"),
        (11_100, "3 h 5 min", "3h05m"),
        (187_200, "2 d 4 h", "2d04h"),
    ],
)
def test_a_length_for_people_and_as_one_word(span: float, wordy: str, word: str) -> None:
    assert (length(span), short(span)) == (wordy, word)
