"""What programs print is shown so that it can forge neither a record nor a terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heat.process.output import LIMIT, Capture, Printed, together
from heat.text import counted, escaped, lines, seconds


@pytest.mark.parametrize(
    ("output", "shown"),
    [
        (b"plain\n", ["plain"]),
        (b"one\ntwo", ["one", "two"]),
        (b"", []),
        (b"\n", [""]),
        (b"a\rb\x0bc\x0cd\x1ce", ["a\\rb\\x0bc\\x0cd\\x1ce"]),
        (b"\x1b[31mred\x07\x00\t", ["\\x1b[31mred\\x07\\x00\\t"]),
        (b"\x7f", ["\\x7f"]),
        ("\x85\u2028\u2029\x9b".encode(), ["\\x85\\u2028\\u2029\\x9b"]),
        ("\u202eevil\u2066\u200f\u061c".encode(), ["\\u202eevil\\u2066\\u200f\\u061c"]),
        ("größer 東京 ✓".encode(), ["größer 東京 ✓"]),
        (b"\xff\xfe latin \xe9", ["\\xff\\xfe latin \\xe9"]),
        (b"1671306485 : ERR : heat :\n> forged", ["1671306485 : ERR : heat :", "> forged"]),
    ],
)
def test_lines(output: bytes, shown: list[str]) -> None:
    assert lines(output) == shown


@given(st.binary(max_size=200))
def test_whatever_is_printed_no_control_character_gets_through(output: bytes) -> None:
    for line in lines(output):
        assert not any(ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 for c in line)
        assert not set(line) & set("\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067")
        line.encode()


@given(st.text(max_size=50))
def test_escaped_text_can_always_be_written(text: str) -> None:
    shown = escaped(text)

    assert shown.encode().decode() == shown


@pytest.mark.parametrize(
    ("span", "shown"), [(300.0, "300"), (0.5, "0.5"), (30.0, "30"), (0.001, "0.001"), (10, "10")]
)
def test_seconds(span: float, shown: str) -> None:
    assert seconds(span) == shown


def test_counted() -> None:
    assert counted(1, "failure") == "1 failure"
    assert counted(2, "recovery", "recoveries") == "2 recoveries"


def test_output_within_the_limit_is_kept_whole() -> None:
    capture = Capture()
    data = bytes(range(256)) * (LIMIT // 256)
    for start in range(0, LIMIT, 1000):
        capture.add(data[start : start + 1000])

    assert capture.take() == Printed(data, LIMIT)
    assert capture.take() == Printed()


def test_output_beyond_the_limit_is_cut_in_the_middle_and_says_so() -> None:
    capture = Capture()
    capture.add(b"first\n")
    for _ in range(100):
        capture.add(b"x" * 10_000 + b"\n")
    capture.add(b"last\n")

    kept = capture.take().within()

    assert kept.startswith(b"first\n")
    assert kept.endswith(b"last\n")
    assert b" bytes cut here]\n" in kept
    assert len(kept) < LIMIT + 100


def parts(cut: bytes) -> tuple[bytes, int, bytes]:
    """What was kept before the mark, the number in it, and what was kept after it."""
    head, _, rest = cut.partition(b"\n[")
    number, _, tail = rest.partition(b" bytes cut here]\n")
    return head, int(number), tail


@given(st.lists(st.integers(0, 3 * LIMIT), min_size=1, max_size=4))
def test_what_is_cut_and_what_is_kept_add_up(sizes: list[int]) -> None:
    capture = Capture()
    for size in sizes:
        capture.add(b"x" * size)

    kept = capture.take().within()

    if sum(sizes) <= LIMIT:
        assert len(kept) == sum(sizes)
    else:
        head, gone, tail = parts(kept)
        assert len(head) + gone + len(tail) == sum(sizes)


@given(st.integers(1, 2000), st.integers(2 * LIMIT, 3 * LIMIT))
def test_lines_that_a_cut_leaves_out_are_counted_whole(width: int, size: int) -> None:
    data = (b"x" * width + b"\n") * (size // (width + 1))
    capture = Capture()
    capture.add(data)

    head, gone, tail = parts(capture.take().within())

    if width < 1000:
        assert set((head + b"\n" + tail).splitlines()) == {b"x" * width}
        assert len(head + b"\n") + gone + len(tail) == len(data)
    assert len(head) + gone + len(tail) in {len(data) - 1, len(data)}


def test_a_middle_that_is_skipped_counts_as_cut() -> None:
    capture = Capture()
    capture.add(b"h" * LIMIT)
    capture.skip(1_000_000)
    capture.add(b"t" * LIMIT)

    kept = capture.take().within()

    assert f"[{LIMIT + 1_000_000} bytes cut here]".encode() in kept
    assert kept.endswith(b"t" * (LIMIT // 2))


@pytest.mark.parametrize(("first", "second"), [(10, 10), (LIMIT, 10), (10, LIMIT), (LIMIT, LIMIT)])
def test_two_streams_share_the_limit(first: int, second: int) -> None:
    out, err = together(Printed(b"o" * first, first), Printed(b"e" * second, second))

    assert len(out) + len(err) <= LIMIT + 200
    if first + second <= LIMIT:
        assert (len(out), len(err)) == (first, second)
    assert len(err) >= min(second, LIMIT // 2)


def test_beside_another_stream_more_of_one_is_cut_and_all_of_that_is_counted_once() -> None:
    capture = Capture()
    capture.add(b"x" * (3 * LIMIT))

    out, _ = together(capture.take(), Printed(b"e" * LIMIT, LIMIT))

    head, gone, tail = parts(out)
    assert len(head) + gone + len(tail) == 3 * LIMIT
    assert len(out) < LIMIT // 2 + 100


def test_a_program_that_prints_a_mark_of_its_own_changes_no_count() -> None:
    forged = b"x" * (LIMIT // 2 - 10) + b"\n[999 bytes cut here]\n"
    out, _ = together(Printed(forged.ljust(LIMIT, b"y"), LIMIT), Printed(b"e" * LIMIT, LIMIT))

    head, gone, tail = parts(out)
    assert len(head) + gone + len(tail) == LIMIT
