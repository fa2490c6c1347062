"""The pictures of a monitor: what is on them, what is not, and that nothing is in the way."""

from pathlib import Path

import pytest
from svg_lines import crossings

from states.engine.picture import Picture, words
from states.monitor.drawing import COLOURS, OVERVIEW, PAUSED, PICTURES, WATCHING, left_out, present
from states.monitor.model import IN_RECOVERY, STATES, Stage, State
from states.monitor.questions import REMEDIES
from states.monitor.table import TABLE

HOME = Path(__file__).parents[2]
STAGE = PICTURES["stage"]
_MANY = 8
_FEW_WORDS = 3


def changes(picture: Picture) -> dict[tuple[str, str], str]:
    """Arrows, with all of their labels in one text."""
    return {
        (arrow.source, arrow.to): "; ".join(label.head + label.tail for label in arrow.labels)
        for arrow in picture.arrows
    }


def of_four() -> set[tuple[State, State]]:
    """Changes from one of the four states to another that the table makes."""
    region = TABLE.regions["stage"]
    return {
        (STATES[Stage(leaf)], STATES[Stage(region.leaf(row.to))])
        for row in region.rows
        if row.to is not None and not left_out(row)
        for source in row.sources
        for leaf in region.leaves_of(source)
    }


def test_the_overview_has_a_change_for_each_of_the_table_and_those_of_the_program() -> None:
    [frame] = [box for box in OVERVIEW.boxes if box.name == WATCHING]
    watched = [box.name for box in frame.boxes]
    drawn = {
        (source, to)
        for arrow in OVERVIEW.arrows
        for source in (watched if arrow.source == WATCHING else [arrow.source])
        for to in [arrow.to]
    }

    made = {(one, other) for one, other in of_four() if one is not other}
    assert made == {(one, to) for one, to in drawn if to != PAUSED} - {(State.ERROR, State.NORMAL)}
    assert {one for one, to in drawn if to == PAUSED} == set(watched)


def test_the_overview_has_few_labels_and_short_ones() -> None:
    labels = [label for arrow in OVERVIEW.arrows for label in arrow.labels]

    assert len(labels) == len(OVERVIEW.arrows) <= _MANY
    assert all(len(label.head.split()) <= _FEW_WORDS and not label.tail for label in labels)
    assert any("pause" in label.head for label in labels)
    assert changes(OVERVIEW)[State.ERROR, State.NORMAL] == "reset"


def test_the_stage_has_an_arrow_for_each_change_of_state() -> None:
    region, drawn = TABLE.regions["stage"], changes(STAGE)
    starts = {leaf: {leaf, *region.path(leaf), "any other state"} for leaf in region.leaves}

    for row in region.rows:
        for source in row.sources if row.to and not left_out(row) else ():
            for leaf in region.leaves_of(source):
                ends = {row.to, region.leaf(row.to or "")}
                labels = [text for (a, b), text in drawn.items() if a in starts[leaf] and b in ends]
                event = words(row.event.__name__)
                assert any(event in text for text in labels), (leaf, row)


def test_recovering_is_a_box_of_what_it_consists_of() -> None:
    [box] = [each for each in STAGE.boxes if each.name == State.RECOVERING]

    assert [each.name for each in box.boxes] == list(IN_RECOVERY)
    assert box.initial == Stage.WAITING


def test_what_is_said_of_some_changes() -> None:
    drawn = changes(STAGE)

    assert drawn[Stage.WAITING, Stage.OPEN] == (
        "recovery due [no recovery script] / send fault signal, open window"
    )
    assert (
        "reset (not in REPAIRING) / drop queue, wake target"
        in (drawn[State.RECOVERING, Stage.NORMAL])
    )
    assert "check passed (in SPENT) [otherwise]" in drawn[State.RECOVERING, Stage.NORMAL]
    assert "target gone (not in REPAIRING)" in drawn["any other state", Stage.ERROR]


@pytest.mark.parametrize("name", PICTURES)
def test_no_row_of_the_pause_is_drawn(name: str) -> None:
    texts = [label.tail for box in PICTURES[name].every() for label in box.texts]
    texts += [label.tail for arrow in PICTURES[name].arrows for label in arrow.labels]

    assert not [text for text in texts if "paused" in text]


@pytest.mark.parametrize("name", PICTURES)
def test_nothing_crosses_and_every_label_can_be_read(name: str) -> None:
    svg = HOME / "diagrams" / f"{PICTURES[name].name}.svg"

    assert crossings(svg.read_text()) == []


def test_a_crossing_would_be_seen() -> None:
    line = '<g class="edge"><title>{}</title><path d="M{}C{} {} {}"/></g>'
    svg = "<svg xmlns='http://www.w3.org/2000/svg'>{}</svg>".format(
        line.format("down", "0,0", "4,4", "6,6", "10,10")
        + line.format("up", "0,10", "4,6", "7,3", "10,0")
        + '<text x="0" y="10" font-size="10">word</text>'
        + '<text x="30" y="10" text-anchor="middle" font-size="10">free</text>'
    )

    assert crossings(svg) == ["down x up", "down through 'word'", "up through 'word'"]


def test_each_state_has_a_colour_of_its_own() -> None:
    assert len(set(COLOURS.values())) == len(State)


# Where a monitor is


@pytest.mark.parametrize("stage", Stage)
def test_each_stage_is_found_by_the_words_that_others_have_for_it(stage: Stage) -> None:
    assert present("stage", STATES[stage], REMEDIES.get(stage, "none")) == [stage]


def test_a_word_that_is_not_known_lights_all_of_recovering() -> None:
    assert present("stage", State.RECOVERING, "praying") == [State.RECOVERING]


def test_a_state_that_has_no_recovery_is_where_it_is_whatever_is_said_of_one() -> None:
    assert present("stage", State.ERROR, "open") == [State.ERROR]


@pytest.mark.parametrize(
    ("part", "active", "paused"),
    [
        ("overview", ["FAILING"], ["FAILING", "PAUSED"]),
        ("stage", ["FAILING"], ["FAILING"]),
        ("pause", ["active"], ["paused"]),
        ("check", None, None),
        ("fail", None, None),
    ],
)
def test_a_pause_is_seen_where_it_is_drawn(
    part: str, active: list[str] | None, paused: list[str] | None
) -> None:
    assert present(part, "FAILING") == active
    assert present(part, "FAILING", paused=True) == paused
    assert {*(active or []), *(paused or [])} <= {box.name for box in PICTURES[part].every()}
