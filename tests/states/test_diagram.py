"""The engine draws any table, with small ones of its own: nothing here knows of a monitor."""

import re
import shutil
import subprocess

import pytest

from states.engine import Coupling, Link, NamedTuple, Region, Row, Table, diagram
from states.engine.diagram import Look, of_coupling, of_table
from states.engine.dot import folded
from states.engine.drawing import ANY
from states.engine.picture import Arrow, Box, Label, Layout, Picture
from states.engine.table import Action, Actions, Guard

needs_graphviz = pytest.mark.skipif(shutil.which("dot") is None, reason="no Graphviz")


class Pushed(NamedTuple):
    """Somebody pushed."""


class Pulled(NamedTuple):
    """Somebody pulled."""


class Jammed(NamedTuple):
    """Nothing moves."""


class HeardPush(NamedTuple):
    """The other machine was pushed."""

    push: object


class Rung(NamedTuple):
    """A bell rang."""

    by: object


def to_push(_effect: object) -> Pushed:
    return Pushed()


def when_oiled(each: Row) -> bool:
    return oiled in each.guards


def oiled(_step: object) -> bool:
    return True


def warm(_step: object) -> bool:
    return True


def ring_bell(_step: object) -> None: ...


def count_push(_step: object) -> None: ...


def row(
    sources: str,
    event: type,
    to: str | None,
    *actions: Action,
    when: tuple[Guard, ...] = (),
) -> Row:
    return Row(tuple(sources.split()), event, when, to, actions)


def region(
    *rows: Row, states: str = "SHUT AJAR WIDE BROKEN", on_enter: dict[str, Actions] | None = None
) -> Region:
    open_ = {"OPEN": ("AJAR", "WIDE")} if "AJAR" in states else {}
    return Region("door", states.split(), rows, parents=open_, on_enter=on_enter or {})


def drawn(
    *rows: Row, look: Look | None = None, on_enter: dict[str, Actions] | None = None
) -> Picture:
    return of_table(Table("house", region(*rows, on_enter=on_enter)), look or Look())


def arrows(picture: Picture) -> dict[tuple[str, str], list[str]]:
    return {
        (arrow.source, arrow.to): [label.head + label.tail for label in arrow.labels]
        for arrow in picture.arrows
    }


def box(picture: Picture, name: str) -> Box:
    [box] = [each for each in picture.every() if each.name == name]
    return box


def texts(picture: Picture, name: str) -> list[str]:
    return [label.head + label.tail for label in box(picture, name).texts]


# What a picture is made of


def test_states_within_a_state_are_boxes_within_a_box() -> None:
    picture = drawn(row("SHUT", Pushed, "OPEN"))

    assert [each.name for each in picture.boxes] == ["SHUT", "OPEN", "BROKEN"]
    assert [each.name for each in box(picture, "OPEN").boxes] == ["AJAR", "WIDE"]
    assert (picture.initial, box(picture, "OPEN").initial) == ("SHUT", "AJAR")


def test_an_arrow_has_the_event_its_guards_and_its_effects() -> None:
    picture = drawn(row("SHUT", Pushed, "AJAR", ring_bell, count_push, when=(oiled, warm)))

    assert arrows(picture) == {
        ("SHUT", "AJAR"): ["pushed [oiled and warm] / ring bell, count push"]
    }


def test_what_only_keeps_the_books_is_told_where_there_is_nothing_else() -> None:
    look = Look(books=("count_",))
    picture = drawn(
        row("SHUT", Pushed, "AJAR", ring_bell, count_push),
        row("AJAR", Pushed, None, count_push, when=(oiled,)),
        row("WIDE", Pushed, None, count_push),
        look=look,
    )

    assert arrows(picture)["SHUT", "AJAR"] == ["pushed / ring bell"]
    assert texts(picture, "AJAR") == ["pushed [oiled] / count push"]
    assert texts(picture, "WIDE") == []


def test_what_happens_within_a_state_stands_in_its_box() -> None:
    picture = drawn(
        row("OPEN", Pulled, None, ring_bell),
        row("WIDE", Pushed, None, ring_bell),
        on_enter={"AJAR": (ring_bell,)},
    )

    assert texts(picture, "OPEN") == ["pulled / ring bell"]
    assert texts(picture, "WIDE") == ["pushed / ring bell"]
    assert texts(picture, "AJAR") == ["enter / ring bell"]


def test_the_row_that_is_left_says_otherwise() -> None:
    picture = drawn(
        row("SHUT", Pushed, "AJAR", when=(oiled,)),
        row("SHUT WIDE", Pushed, "BROKEN"),
    )

    assert arrows(picture)["SHUT", "BROKEN"] == ["pushed [otherwise]"]
    assert arrows(picture)["WIDE", "BROKEN"] == ["pushed"]


def test_rows_that_differ_in_their_guards_alone_are_one_label() -> None:
    picture = drawn(
        row("SHUT", Pushed, "AJAR", when=(oiled,)), row("SHUT", Pushed, "AJAR", when=(warm,))
    )

    assert arrows(picture) == {("SHUT", "AJAR"): ["pushed [oiled or warm]"]}


def test_a_row_of_all_states_in_a_parent_leads_from_the_parent() -> None:
    assert list(arrows(drawn(row("AJAR WIDE", Pulled, "SHUT")))) == [("OPEN", "SHUT")]


def test_a_row_of_one_of_them_is_told_at_an_arrow_that_leads_there_from_the_parent() -> None:
    picture = drawn(row("OPEN", Pulled, "SHUT"), row("WIDE", Pushed, "SHUT"))

    assert arrows(picture) == {("OPEN", "SHUT"): ["pulled", "pushed (in WIDE)"]}


def test_within_a_parent_arrows_lead_from_state_to_state() -> None:
    picture = drawn(row("OPEN", Pushed, "WIDE"), row("WIDE", Pulled, "OPEN"))

    assert set(arrows(picture)) == {("AJAR", "WIDE"), ("WIDE", "WIDE"), ("WIDE", "AJAR")}


@pytest.mark.parametrize(
    ("sources", "says"), [("SHUT OPEN LOST", ""), ("SHUT WIDE LOST", " (not in AJAR)")]
)
def test_a_row_of_all_other_states_leads_from_one_box(sources: str, says: str) -> None:
    places = Region(
        "door",
        ("SHUT", "AJAR", "WIDE", "LOST", "BROKEN"),
        (row(sources, Jammed, "BROKEN"),),
        parents={"OPEN": ("AJAR", "WIDE")},
    )
    picture = of_table(Table("house", places))

    assert arrows(picture) == {(ANY, "BROKEN"): [f"jammed{says}"]}
    assert box(picture, ANY).frame


def test_of_a_parent_with_many_states_one_may_be_missing() -> None:
    places = Region(
        "door",
        ("SHUT", "A", "B", "C", "D", "BROKEN"),
        (row("A B D", Pulled, "SHUT"), row("A B", Jammed, "BROKEN")),
        parents={"OPEN": ("A", "B", "C", "D")},
    )

    assert arrows(of_table(Table("house", places))) == {
        ("OPEN", "SHUT"): ["pulled (not in C)"],
        ("A", "BROKEN"): ["jammed"],
        ("B", "BROKEN"): ["jammed"],
    }


def test_a_state_that_nothing_leads_out_of_is_the_end() -> None:
    picture = drawn(row("SHUT OPEN", Jammed, "BROKEN"), row("BROKEN", Jammed, None, ring_bell))

    assert box(picture, "BROKEN").final
    assert not box(picture, "OPEN").final
    assert "BROKEN --> [*]" in diagram.mermaid(picture)


def test_hidden_rows_are_not_drawn_and_leave_nothing_otherwise() -> None:
    look = Look(hidden=when_oiled)
    picture = drawn(
        row("SHUT", Pushed, "AJAR", when=(oiled,)), row("SHUT", Pushed, "BROKEN"), look=look
    )

    assert arrows(picture) == {("SHUT", "BROKEN"): ["pushed"]}


def test_colours_are_those_of_the_parent_unless_a_state_has_its_own() -> None:
    look = Look({"OPEN": ("#00ff00", "#008800"), "WIDE": ("#ff0000", "#880000")})
    picture = drawn(row("SHUT", Pushed, "OPEN"), look=look)

    assert box(picture, "AJAR").colour == ("#00ff00", "#008800")
    assert box(picture, "WIDE").colour == ("#ff0000", "#880000")


# Several regions


def lamp() -> Region:
    return Region("lamp", ("ON", "OFF"), (row("ON OFF", Pushed, "OFF"), row("OFF", Pulled, "ON")))


def house() -> Table:
    return Table("house", region(row("SHUT", Pushed, "OPEN")), lamp())


def test_regions_stand_side_by_side_each_in_a_frame() -> None:
    picture = of_table(house())

    assert [(each.title, each.frame) for each in picture.boxes] == [("door", True), ("lamp", True)]
    assert ("lamp.OFF", "lamp.ON") in arrows(picture)
    assert box(picture, "lamp").initial == "lamp.ON"


def test_one_region_alone_is_a_picture_of_its_own() -> None:
    picture = of_table(house(), region="lamp")

    assert (picture.name, picture.initial) == ("house-lamp", "ON")
    assert set(arrows(picture)) == {("ON", "OFF"), ("OFF", "OFF"), ("OFF", "ON")}


# Light


def test_a_state_is_lit_and_all_others_are_white() -> None:
    look = Look({"SHUT": ("#aaffaa", "#008800"), "OPEN": ("#aaaaff", "#000088")})
    picture = drawn(row("SHUT", Pushed, "OPEN"), look=look)
    lit = picture.light(["WIDE"], ("web, since noon",))

    for draw in (diagram.dot, diagram.mermaid):
        assert "#aaffaa" in draw(picture)
        assert "#aaffaa" not in draw(lit)
        assert draw(lit).count("#aaaaff") == 1
        assert draw(lit).count("web, since noon") == 1
    assert box(lit, "WIDE").notes == ("web, since noon",)


def test_of_several_that_are_lit_the_first_has_the_notes() -> None:
    lit = of_table(house()).light(["door.SHUT", "lamp.ON"], ("here",))

    assert (box(lit, "door.SHUT").notes, box(lit, "lamp.ON").notes) == (("here",), ())
    assert (box(lit, "lamp.ON").lit, box(lit, "lamp.OFF").lit) == (True, False)


HOSTILE = 'x: <b>"1"</b> & #2; `3` *4* _5_ %6% {7} \\8 -->9\ufffe end note'


@needs_graphviz
@pytest.mark.parametrize("name", ["SHUT", "OPEN"])
def test_graphviz_takes_notes_as_they_are(name: str) -> None:
    lit = drawn(row("SHUT", Pushed, "OPEN")).light([name], (HOSTILE, "w" * 200))
    done = subprocess.run(
        ["dot", "-Tsvg"], input=diagram.dot(lit).encode(), capture_output=True, check=True
    )

    assert done.stderr == b""
    assert "&lt;b&gt;" in done.stdout.decode()


@pytest.mark.parametrize("name", ["SHUT", "OPEN"])
def test_mermaid_takes_nothing_in_a_note_for_its_own(name: str) -> None:
    lit = drawn(row("SHUT", Pushed, "OPEN")).light([name], (HOSTILE,))
    text = diagram.mermaid(lit)
    [line] = [each for each in text.splitlines() if "#60;b#62;" in each]

    shown = re.sub(r"#(\d+);", "", line.partition(" : ")[2] or line)
    assert re.fullmatch(r"[\w\s/,.'+=!?()\[\]-]*", shown)
    assert text.count("end note") == (1 if name == "OPEN" else text.count("#62;9"))


def test_a_long_word_is_broken() -> None:
    assert folded("a " + "b" * 25 + " c", 10) == ["a", "b" * 10, "b" * 10, "bbbbb c"]
    assert folded("one two three", 8) == ["one two", "three"]


# The two languages


def test_things_begin_in_the_outermost_state_that_is_entered() -> None:
    within = Region(
        "door",
        ("AJAR", "WIDE", "SHUT"),
        (row("OPEN", Pulled, "SHUT"),),
        parents={"OPEN": ("AJAR", "WIDE")},
    )
    picture = of_table(Table("house", within))

    assert (picture.initial, box(picture, "OPEN").initial) == ("OPEN", "AJAR")
    assert "    start -> AJAR [dir=forward, lhead=cluster_OPEN];" in diagram.dot(picture)
    assert "    [*] --> OPEN\n" in diagram.mermaid(picture)


def test_what_stands_above_is_what_the_table_names_first() -> None:
    text = diagram.dot(drawn(row("SHUT", Pushed, "OPEN"), row("OPEN", Pulled, "SHUT")))

    assert re.search(r"SHUT -> SHUT__OPEN .*dir=none\]", text)
    assert re.search(r"SHUT__OPEN -> AJAR .*dir=forward, lhead=cluster_OPEN\]", text)
    assert re.search(r"SHUT -> OPEN__SHUT .*dir=back\]", text)
    assert re.search(r"OPEN__SHUT -> AJAR .*dir=none, lhead=cluster_OPEN\]", text)


def test_an_arrow_without_words_and_one_that_leads_both_ways() -> None:
    boxes = (Box("a", "a"), Box("b", "b"))
    plain = Picture("p", boxes, (Arrow("a", "b"), Arrow("b", "a", both=True)))

    assert "    a -> b [color" in diagram.dot(plain)
    assert "dir=both" in diagram.dot(plain)
    assert diagram.mermaid(plain).count("b --> a\n") == 1
    assert diagram.mermaid(plain).count("a --> b\n") == 2


def test_a_name_that_is_no_word_or_is_taken_gets_another() -> None:
    boxes = tuple(Box(name, name) for name in ("at once", "at_once", "2nd", "end", "ä"))
    text = diagram.dot(Picture("p q", boxes, ()))

    assert re.findall(r"^    (\w+) \[label", text, re.MULTILINE) == [
        *("at_once", "at_once_", "_2nd", "_end", "_")
    ]
    assert text.startswith("digraph p_q {")


def test_help_for_graphviz_stands_in_the_box_that_it_is_for() -> None:
    layout = Layout({"": ("// all",), "OPEN": ("// within",)}, {("SHUT", "AJAR"): ("s", "n")})
    look = Look(layouts={"door": layout})
    text = diagram.dot(drawn(row("SHUT", Pushed, "AJAR"), look=look))

    assert re.search(r"subgraph cluster_OPEN \{.*        // within\n    \}\n", text, re.DOTALL)
    assert text.endswith("    // all\n}\n")
    assert "SHUT:s -> SHUT__AJAR" in text
    assert "SHUT__AJAR -> AJAR:n" in text


def test_an_arrow_of_a_box_with_others_in_it_points_to_the_one_that_is_named() -> None:
    layout = Layout(ports={("OPEN", "SHUT"): ("WIDE", "")})
    text = diagram.dot(drawn(row("OPEN", Pulled, "SHUT"), look=Look(layouts={"door": layout})))

    assert "OPEN__SHUT -> WIDE" in text


def test_in_mermaid_a_frame_with_arrows_stands_beside_what_is_within_it() -> None:
    frame = Box("all", "all of them", boxes=(Box("a", "a"),), initial="a", frame=True)
    picture = Picture("p", (frame, Box("b", "b")), (Arrow("all", "b", (Label("go"),)),))

    text = diagram.mermaid(picture)
    assert "    all : all of them\n    a : a\n    [*] --> a\n" in text
    assert "    all --> b : go\n" in text


def test_in_mermaid_a_state_that_is_entered_as_a_whole_names_its_first_one_first() -> None:
    whole = diagram.mermaid(drawn(row("SHUT", Pushed, "OPEN")))
    part = diagram.mermaid(drawn(row("SHUT", Pushed, "WIDE")))

    assert re.search(r'state "OPEN" as OPEN \{\n +\[\*\] --> AJAR', whole)
    assert re.search(r"WIDE : WIDE\n +\[\*\] --> AJAR\n +\}", part)


@pytest.mark.parametrize("draw", [diagram.dot, diagram.mermaid])
def test_a_table_a_coupling_and_a_picture_are_drawn_alike(draw: object) -> None:
    assert callable(draw)
    table, coupling = house(), Coupling((house(),), ())

    assert draw(table) == draw(of_table(table))
    assert draw(coupling) == draw(of_coupling(coupling))


def test_another_picture_has_another_mark() -> None:
    one, other = drawn(row("SHUT", Pushed, "OPEN")), drawn(row("SHUT", Pushed, "WIDE"))

    assert diagram.digest(one) == diagram.digest(drawn(row("SHUT", Pushed, "OPEN")))
    assert diagram.digest(one) != diagram.digest(other)


@needs_graphviz
def test_graphviz_draws_all_of_it_without_a_word() -> None:
    picture = drawn(
        row("SHUT OPEN", Jammed, "BROKEN"),
        row("SHUT", Pushed, "OPEN", ring_bell),
        row("AJAR", Pushed, "WIDE"),
        row("OPEN", Pulled, "SHUT"),
    )
    for each in (picture, of_table(house())):
        done = subprocess.run(
            ["dot", "-Tsvg"], input=diagram.dot(each).encode(), capture_output=True, check=True
        )

        assert done.stderr == b""


# Couplings


def test_machines_are_boxes_and_links_arrows_with_the_name_of_the_effect() -> None:
    door = Table("door", region(row("SHUT", Pushed, "OPEN")))
    coupling = Coupling(
        (door, Table("bell", lamp())),
        (
            Link("door", Pushed, "bell", HeardPush),
            Link("door", Rung, "bell", Rung),
            Link("bell", Jammed, "door", to_push),
        ),
    )

    picture = of_coupling(coupling, look=Look({"bell": ("#ffffff", "#123456")}))
    assert [each.name for each in picture.boxes] == ["door", "bell"]
    assert arrows(picture) == {
        ("door", "bell"): ["pushed / heard push", "rung"],
        ("bell", "door"): ["jammed"],
    }
    assert 'door -> door__bell [color="#123456"' in diagram.dot(
        coupling, Look({"bell": ("", "#123456")})
    )
