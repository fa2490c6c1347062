"""The engine: the queries of a table, and the order in which a machine applies rows."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

import states.engine
from states.engine import Coupling, Link, Machine, NamedTuple, Region, Row, Step, Table
from states.engine.table import Action, Hole, Shadowed


class Pushed(NamedTuple):
    """An event."""


class Pulled(NamedTuple):
    """Another."""


class Rung(NamedTuple):
    """An event from one region to the others."""

    times: int = 1


class Raised(NamedTuple):
    """An event that a row raises."""


class Say(NamedTuple):
    """An effect."""

    text: str


class Model:
    """Something with two regions, and flags that guards read."""

    def __init__(self, door: str = "", bell: str = "") -> None:
        self.door = door
        self.bell = bell
        self.flag = False


def say(text: str) -> Action:
    """An action that says this."""

    def act(step: Step[Model]) -> None:
        step.effects.append(Say(text))

    return act


def flag(step: Step[Model]) -> bool:
    return step.model.flag


def no_flag(step: Step[Model]) -> bool:
    return not step.model.flag


def both(_step: Step[Model]) -> bool:
    return True


def texts(effects: list[Any]) -> list[str]:
    return [effect.text for effect in effects]


def region(*rows: Row, **more: Any) -> Region:
    return Region("door", ("SHUT", "AJAR", "WIDE"), rows, **more)


NESTED = {"OPEN": ("AJAR", "WIDE")}
ANY = ("SHUT", "AJAR", "WIDE")
IN_HOUSE = {"HOUSE": ("SHUT", "OPEN"), **NESTED}


# A region


def test_a_region_begins_in_its_first_state_and_hears_what_its_rows_name() -> None:
    row, other = Row(("SHUT",), Pulled, (), "AJAR", ()), Row(("AJAR",), Pushed, (), None, ())
    table = region(other, row, other)

    assert (table.initial, table.events) == ("SHUT", [Pushed, Pulled])


@pytest.mark.parametrize(
    ("rows", "more", "named"),
    [
        ((Row(("NO",), Pushed, (), None, ()),), {}, "NO"),
        ((Row(("SHUT",), Pushed, (), "NO", ()),), {}, "NO"),
        ((), {"on_enter": {"NO": ()}}, "NO"),
        ((), {"on_exit": {"NO": ()}}, "NO"),
        ((), {"parents": {"OPEN": ("NO",)}}, "NO"),
        ((Row(("B", "A", "B"), Pushed, (), "SHUT", ()),), {}, "A, B"),
    ],
)
def test_a_state_that_is_not_there_is_named(
    rows: tuple[Row, ...], more: dict[str, Any], named: str
) -> None:
    with pytest.raises(ValueError, match=f"^region door has no state {named}$"):
        region(*rows, **more)


def test_a_parent_stands_for_its_leaves() -> None:
    house = region(parents=IN_HOUSE)

    assert [house.leaf(each) for each in ("HOUSE", "OPEN", "WIDE")] == ["SHUT", "AJAR", "WIDE"]
    assert house.leaves_of("HOUSE") == ANY
    assert (house.leaves_of("OPEN"), house.leaves_of("WIDE")) == (("AJAR", "WIDE"), ("WIDE",))
    assert house.path("WIDE") == ["HOUSE", "OPEN", "WIDE"]
    assert house.path("SHUT") == ["HOUSE", "SHUT"]


def test_rows_are_tried_in_the_order_of_the_table_and_never_the_child_first() -> None:
    of_parent = Row(("OPEN",), Pushed, (flag,), "SHUT", ())
    of_child = Row(("WIDE",), Pushed, (), "AJAR", ())
    other = Row(("WIDE",), Pulled, (), None, ())
    door = region(of_parent, other, of_child, parents=NESTED)

    assert door.rows_of(Pushed, "WIDE") == [of_parent, of_child]
    assert door.rows_of(Pushed, "AJAR") == [of_parent]
    assert door.rows_of(Pushed, "SHUT") == []
    assert door.rows_of(Pulled, "WIDE") == [other]


def test_a_state_that_is_named_beside_its_parent_has_the_row_once() -> None:
    row = Row(("WIDE", "OPEN"), Pushed, (), None, ())
    door = region(row, parents=NESTED)

    assert door.rows_of(Pushed, "WIDE") == [row]
    assert list(door.shadowed()) == []


@pytest.mark.parametrize(
    ("leaf", "to", "left", "entered"),
    [
        ("SHUT", "AJAR", ["SHUT"], ["OPEN", "AJAR"]),
        ("SHUT", "OPEN", ["SHUT"], ["OPEN", "AJAR"]),
        ("WIDE", "SHUT", ["WIDE", "OPEN"], ["SHUT"]),
        ("WIDE", "AJAR", ["WIDE"], ["AJAR"]),
        ("WIDE", "WIDE", ["WIDE"], ["WIDE"]),
        ("WIDE", "OPEN", ["WIDE", "OPEN"], ["OPEN", "AJAR"]),
        ("AJAR", "OPEN", ["AJAR", "OPEN"], ["OPEN", "AJAR"]),
        ("AJAR", "HOUSE", ["AJAR", "OPEN", "HOUSE"], ["HOUSE", "SHUT"]),
    ],
)
def test_what_both_are_in_is_neither_left_nor_entered_unless_it_is_where_the_row_leads(
    leaf: str, to: str, left: list[str], entered: list[str]
) -> None:
    parents = IN_HOUSE

    assert region(parents=parents).way(leaf, to) == (left, entered)


def test_a_parent_beside_is_entered_whatever_its_name() -> None:
    letters = Region("r", ("A", "B", "C"), (), parents={"P": ("B", "C")})

    assert letters.way("A", "C") == (["A"], ["P", "C"])


def test_states_are_told_apart_by_what_they_are_called() -> None:
    to = f"OP{'EN'.upper()}"  # Not the same string, but an equal one.

    assert region(parents=NESTED).way("WIDE", to) == (["WIDE", "OPEN"], ["OPEN", "AJAR"])


def test_a_state_in_which_no_row_is_sure_to_apply_is_a_hole() -> None:
    door = region(
        Row(("SHUT",), Pushed, (flag,), "AJAR", ()),
        Row(("SHUT",), Pushed, (no_flag,), None, ()),
        Row(("OPEN",), Pushed, (), None, ()),
        Row(("OPEN", "SHUT"), Pulled, (), None, ()),
        parents=NESTED,
    )

    assert list(door.holes()) == [Hole("door", "SHUT", Pushed)]
    assert Table("t", door).holes() == [Hole("door", "SHUT", Pushed)]


def test_a_state_without_any_row_for_an_event_is_a_hole_too() -> None:
    assert list(region(Row(("SHUT", "AJAR"), Pushed, (), None, ())).holes()) == [
        Hole("door", "WIDE", Pushed)
    ]


def test_a_row_behind_one_that_asks_for_no_more_is_shadowed() -> None:
    first = Row(("OPEN",), Pushed, (flag,), "SHUT", ())
    narrower = Row(("WIDE",), Pushed, (flag, both), None, ())
    other = Row(("WIDE",), Pushed, (both,), None, ())
    last = Row(ANY, Pushed, (), None, ())
    behind = Row(("SHUT",), Pushed, (flag,), None, ())
    door = region(first, narrower, other, last, behind, parents=NESTED)

    assert list(door.shadowed()) == [
        Shadowed("door", "SHUT", behind),
        Shadowed("door", "WIDE", narrower),
    ]
    assert Table("t", door).shadowed() == list(door.shadowed())


def test_a_row_behind_one_that_asks_for_the_same_is_shadowed() -> None:
    first, again = (Row(("SHUT",), Pushed, (flag,), to, ()) for to in (None, "WIDE"))

    assert list(region(first, again).shadowed()) == [Shadowed("door", "SHUT", again)]


def test_a_row_for_another_event_shadows_nothing() -> None:
    rows = Row(ANY, Pushed, (), None, ()), Row(ANY, Pulled, (), None, ())

    assert list(region(*rows).shadowed()) == []


def test_states_that_no_row_leads_to_are_told() -> None:
    inner = region(Row(("SHUT",), Pushed, (), "OPEN", ()), parents=NESTED)
    circle = region(
        Row(("SHUT",), Pushed, (), "AJAR", ()),
        Row(("AJAR",), Pulled, (flag,), "WIDE", ()),
        Row(("WIDE",), Pulled, (), "SHUT", ()),
    )

    assert inner.reachable() == {"SHUT", "AJAR"}
    assert Table("t", inner).unreachable() == [("door", "WIDE")]
    assert Table("t", circle).unreachable() == []


# A table


def test_a_table_is_asked_across_its_regions() -> None:
    push, pull = Row(ANY, Pushed, (), None, ()), Row(("DUMB",), Pulled, (), None, ())
    also = Row(("DUMB",), Pushed, (), None, ())
    door, bell = region(push), Region("bell", ("DUMB",), (pull, also))
    table = Table("porch", door, bell)
    model = Model()
    table.start(model)

    assert (table.events, table.rows) == ([Pushed, Pulled], [push, pull, also])
    assert (table.hearing(Pushed), table.hearing(Pulled)) == ([door, bell], [bell])
    assert list(table.rows_of(Pushed)) == [("door", push), ("bell", also)]
    assert (model.door, model.bell) == ("SHUT", "DUMB")


# A machine


def machine(*rows: Row, **more: Any) -> Machine[Model]:
    return Machine(Table("door", region(*rows, **more)))


EITHER_WAY = pytest.mark.parametrize("way", ["step", "trigger"])


def fed(of: Machine[Model], model: Model, event: object, way: str) -> list[Any]:
    """Feed it in the quick way, or in the library's own."""
    feed: Callable[[Model, object], list[Any]] = getattr(of, way)
    return feed(model, event)


@EITHER_WAY
def test_the_first_row_whose_guards_hold_is_taken_alone(way: str) -> None:
    of = machine(
        Row(("SHUT",), Pushed, (flag, both), "WIDE", (say("wide"),)),
        Row(("SHUT",), Pushed, (no_flag,), "AJAR", (say("ajar"),)),
        Row(("SHUT",), Pushed, (), None, (say("never"),)),
    )
    model, flagged = Model("SHUT"), Model("SHUT")
    flagged.flag = True

    assert texts(fed(of, model, Pushed(), way)) == ["ajar"]
    assert texts(fed(of, flagged, Pushed(), way)) == ["wide"]
    assert (model.door, flagged.door) == ("AJAR", "WIDE")


@EITHER_WAY
def test_actions_come_before_what_is_left_and_that_before_what_is_entered(way: str) -> None:
    exits = {each: (say(f"-{each}"),) for each in (*ANY, "OPEN", "HOUSE")}
    entered = {each: (say(f"+{each}"), say("!")) for each in (*ANY, "OPEN", "HOUSE")}
    of = machine(
        Row(("SHUT",), Pushed, (), "OPEN", (say("a"), say("b"))),
        Row(("AJAR",), Pushed, (), "WIDE", ()),
        Row(("WIDE",), Pushed, (), "OPEN", ()),
        Row(("OPEN",), Pulled, (), None, (say("stays"),)),
        parents=IN_HOUSE,
        on_enter=entered,
        on_exit=exits,
    )
    model = Model("SHUT")

    events = (Pushed(), Pulled(), Pushed(), Pushed())
    output = [texts(fed(of, model, event, way)) for event in events]

    assert output == [
        ["a", "b", "-SHUT", "+OPEN", "!", "+AJAR", "!"],
        ["stays"],
        ["-AJAR", "+WIDE", "!"],
        ["-WIDE", "-OPEN", "+OPEN", "!", "+AJAR", "!"],
    ]
    assert model.door == "AJAR"


@EITHER_WAY
def test_an_action_knows_where_the_row_leads_and_the_state_changes_after_it(way: str) -> None:
    states: list[tuple[str, str]] = []

    def look(step: Step[Model]) -> None:
        states.append((step.model.door, step.to))

    of = machine(
        Row(("SHUT",), Pushed, (), "OPEN", (look,)),
        Row(("OPEN",), Pushed, (), None, (look,)),
        parents=NESTED,
        on_enter={"AJAR": (look,)},
        on_exit={"SHUT": (look,)},
    )
    model = Model("SHUT")
    for _ in range(2):
        fed(of, model, Pushed(), way)

    assert states == [("SHUT", "AJAR"), ("SHUT", "AJAR"), ("AJAR", "AJAR"), ("AJAR", "AJAR")]


@EITHER_WAY
def test_a_guard_of_one_region_alone_sees_what_was_as_well(way: str) -> None:
    def was_shut(step: Step[Model]) -> bool:
        return step.was.door == "SHUT"

    of = machine(Row(("SHUT",), Pushed, (was_shut,), "WIDE", ()))
    model = Model("SHUT")
    fed(of, model, Pushed(), way)

    assert model.door == "WIDE"


@EITHER_WAY
def test_where_no_row_applies_nothing_happens(way: str) -> None:
    of = porch(
        Row(("SHUT",), Pushed, (flag,), "WIDE", (say("never"),)),
        Row(("AJAR",), Pushed, (), "SHUT", (say("never"),)),
        bell=(Row(("DUMB",), Pushed, (), "LOUD", (say("heard"),)),),
    )
    guarded, rowless = Model("SHUT", "DUMB"), Model("WIDE", "DUMB")

    assert texts(fed(of, guarded, Pushed(), way)) == ["heard"]
    assert texts(fed(of, rowless, Pushed(), way)) == ["heard"]
    assert (guarded.door, rowless.door) == ("SHUT", "WIDE")


@EITHER_WAY
def test_an_event_that_no_region_hears_is_refused(way: str) -> None:
    with pytest.raises(KeyError):
        fed(machine(), Model("SHUT"), Pushed(), way)


def announce(step: Step[Model]) -> None:
    step.announce(Rung(2))


def raise_event(step: Step[Model]) -> None:
    step.raised.append(Raised())


def porch(*door: Row, bell: tuple[Row, ...], **more: Any) -> Machine[Model]:
    other = Region("bell", ("DUMB", "LOUD"), bell)
    return Machine(Table("porch", region(*door, **more), other, announced=(Rung,)))


@EITHER_WAY
def test_an_event_goes_to_all_regions_in_their_order_and_guards_see_them_as_they_were(
    way: str,
) -> None:
    def was_shut(step: Step[Model]) -> bool:
        return step.was.door == "SHUT" and step.was.bell == "DUMB"

    def is_open(step: Step[Model]) -> bool:
        return step.model.door == "AJAR"

    of = porch(
        Row(("SHUT",), Pushed, (), "AJAR", (say("door"),)),
        bell=(
            Row(("DUMB",), Pushed, (was_shut, is_open), "LOUD", (say("bell"),)),
            Row(("DUMB", "LOUD"), Pushed, (), None, ()),
        ),
    )
    model = Model("SHUT", "DUMB")

    assert texts(fed(of, model, Pushed(), way)) == ["door", "bell"]
    assert (model.door, model.bell) == ("AJAR", "LOUD")


@EITHER_WAY
def test_what_is_announced_is_taken_when_all_have_heard_the_event_and_stands_in_its_place(
    way: str,
) -> None:
    def rings(step: Step[Model]) -> None:
        step.effects.append(Say(f"rings {step.event.times} {step.was.door} {step.model.bell}"))

    of = porch(
        Row(("SHUT",), Pushed, (), "AJAR", (say("first"), raise_event, announce, say("last"))),
        Row(ANY, Raised, (), None, (say("raised"),)),
        bell=(
            Row(("DUMB",), Pushed, (), "LOUD", (say("heard"),)),
            Row(("DUMB", "LOUD"), Rung, (), None, (rings, raise_event)),
        ),
    )

    output = texts(fed(of, Model("SHUT", "DUMB"), Pushed(), way))

    assert output == ["first", "rings 2 AJAR LOUD", "raised", "last", "heard", "raised"]


@EITHER_WAY
def test_an_event_that_one_region_hears_leaves_the_others_alone(way: str) -> None:
    of = porch(Row(("SHUT",), Pulled, (), "WIDE", ()), bell=(Row(("DUMB",), Rung, (), "LOUD", ()),))
    model = Model("SHUT", "DUMB")

    assert fed(of, model, Pulled(), way) == []
    assert (model.door, model.bell) == ("WIDE", "DUMB")


def test_one_machine_runs_any_number_of_models() -> None:
    of = machine(
        Row(("SHUT",), Pushed, (), "WIDE", ()), Row(("AJAR", "WIDE"), Pushed, (), None, ())
    )
    models = [Model("SHUT") for _ in range(3)]

    of.step(models[1], Pushed())

    assert [model.door for model in models] == ["SHUT", "WIDE", "SHUT"]


# Coupling, and the package


def pushed(_said: Say) -> Pushed:
    return Pushed()


def pulled(_said: Say) -> Pulled:
    return Pulled()


def rung_once_more(rung: Rung) -> Rung:
    return Rung(rung.times + 1)


def test_an_effect_of_one_machine_is_an_event_of_another() -> None:
    door, house = Table("door", region()), Table("house", region())
    coupling = Coupling(
        (door, house),
        (
            Link("door", Say, "house", pushed),
            Link("door", Rung, "house", rung_once_more),
            Link("house", Say, "door", pulled),
            Link("door", Say, "door", pulled),
        ),
    )

    assert coupling.tables == {"door": door, "house": house}
    events = [(name, type(event)) for name, event in coupling.heard("door", Say("x"))]
    assert events == [("house", Pushed), ("door", Pulled)]
    assert list(coupling.heard("door", Rung(1))) == [("house", Rung(2))]
    assert list(coupling.heard("house", Rung(1))) == []
    assert list(coupling.heard("door", Pushed())) == []


@pytest.mark.parametrize(("source", "target"), [("door", "roof"), ("roof", "door")])
def test_a_link_that_leads_nowhere_is_refused(source: str, target: str) -> None:
    with pytest.raises(ValueError, match=r"^no machine is named roof$"):
        Coupling((Table("door", region()),), (Link(source, Say, target, Say),))


def test_the_package_loads_the_library_when_a_machine_is_asked_for() -> None:
    code = (
        "import sys, states.engine as engine; before = 'transitions' in sys.modules;"
        "engine.Machine; print(before, 'transitions' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "False True\n"


def test_the_package_has_nothing_else() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Engine'"):
        _ = states.engine.Engine
