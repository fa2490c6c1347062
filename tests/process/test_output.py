"""The output of a program within bounds: what is cut is counted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heat.process.output import LIMIT, Capture, Printed, together


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

    cut = capture.take().within()

    assert cut.startswith(b"first\n")
    assert cut.endswith(b"last\n")
    assert b" bytes cut here]\n" in cut
    assert len(cut) < LIMIT + 100


def parts(cut: bytes) -> tuple[bytes, int, bytes]:
    """Return the head before the mark, the number in it, and the tail after it."""
    head, _, rest = cut.partition(b"\n[")
    number, _, tail = rest.partition(b" bytes cut here]\n")
    return head, int(number), tail


@given(st.lists(st.integers(0, 3 * LIMIT), min_size=1, max_size=4))
def test_the_parts_that_are_cut_and_kept_add_up(sizes: list[int]) -> None:
    capture = Capture()
    for size in sizes:
        capture.add(b"x" * size)

    cut = capture.take().within()

    if sum(sizes) <= LIMIT:
        assert len(cut) == sum(sizes)
    else:
        head, gone, tail = parts(cut)
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

    cut = capture.take().within()

    assert f"[{LIMIT + 1_000_000} bytes cut here]".encode() in cut
    assert cut.endswith(b"t" * (LIMIT // 2))


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
