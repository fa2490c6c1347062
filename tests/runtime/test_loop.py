"""The loop: due calls in order, descriptors, crashes, and one thing at a time."""

import os
from collections.abc import Callable

import pytest
from processes import Nobody

import heat.runtime.loop
from heat.runtime.loop import Loop, RealClock
from heat.runtime.ports import Owner
from heat.runtime.scheduler import DueCall


def test_due_calls_come_in_order_and_cancelled_ones_do_not() -> None:
    clock = RealClock()
    loop = Loop(clock)
    came: list[str] = []
    nobody = Nobody()
    now = clock.now()

    def call(name: str) -> Callable[[], None]:
        return lambda: came.append(name)

    loop.at(now + 0.02, call("second"), nobody)
    loop.at(now + 0.01, call("first"), nobody)
    loop.at(now + 0.015, call("never"), nobody).cancel()
    loop.at(now + 0.02, call("third"), nobody)
    loop.at(now + 0.03, loop.stop, nobody)
    loop.run()
    loop.close()

    assert came == ["first", "second", "third"]


def test_cancelled_calls_do_not_pile_up() -> None:
    clock = RealClock()
    loop = Loop(clock)
    for _ in range(100_000):
        loop.at(clock.now() + 3600, lambda: None, Nobody()).cancel()

    assert loop.pending() < 5000
    loop.close()


def test_an_event_of_a_descriptor_that_was_just_forgotten_is_dropped() -> None:
    loop = Loop(RealClock())
    pipes = [os.pipe() for _ in range(2)]
    called: list[int] = []

    def ready(which: int) -> None:
        called.append(which)
        for reader, _ in pipes:
            loop.forget(reader)
        loop.stop()

    for which, (reader, writer) in enumerate(pipes):
        os.write(writer, b"x")
        loop.watch(reader, lambda which=which: ready(which), Nobody())  # type: ignore[misc]
    loop.run()
    loop.close()

    assert len(called) == 1
    for pair in pipes:
        for fd in pair:
            os.close(fd)


def test_a_loop_that_was_stopped_before_it_runs_does_not_wait() -> None:
    loop = Loop(RealClock())
    called: list[str] = []
    due = RealClock().now() + 3600
    loop.at(due, lambda: called.append("later"), Nobody())
    loop.stop()
    loop.run()
    loop.close()

    assert called == []
    assert RealClock().now() < due


def test_a_crash_goes_to_the_owner_and_the_loop_goes_on() -> None:
    loop = Loop(RealClock())
    events: list[str] = []

    class Owner:
        def crashed(self, error: Exception) -> None:
            events.append(repr(error))

    def crash() -> None:
        raise ZeroDivisionError

    loop.at(0, crash, Owner())
    loop.at(0, lambda: events.append("went on"), Owner())
    loop.at(0, loop.stop, Owner())
    loop.run()
    loop.close()

    assert events == ["ZeroDivisionError()", "went on"]


def test_what_is_ready_comes_between_calls_that_are_due() -> None:
    loop = Loop(RealClock())
    reader, writer = os.pipe()
    came: list[str] = []

    def due() -> None:
        came.append("due")
        os.write(writer, b"x")

    def ready() -> None:
        came.append(os.read(reader, 1).decode())

    loop.watch(reader, ready, Nobody())
    for _ in range(3):
        loop.at(0, due, Nobody())
    loop.at(0, loop.stop, Nobody())
    loop.run()
    loop.close()

    assert came == ["due", "x"] * 3
    os.close(reader)
    os.close(writer)


def test_what_is_put_off_comes_once_at_the_end_of_the_turn() -> None:
    loop = Loop(RealClock())
    came: list[str] = []

    def due() -> None:
        loop.soon(lambda: came.append("end"))
        loop.soon(lambda: loop.soon(lambda: came.append("what the end puts off")))
        came.append("due")

    loop.at(0, due, Nobody())
    loop.at(0, loop.stop, Nobody())
    loop.run()
    loop.close()

    assert came == ["due", "end", "what the end puts off"]


def test_a_patient_watch_begins_as_soon_as_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heat.runtime.loop, "_AGAIN", 0.01)
    loop = Loop(RealClock())
    reader, writer = os.pipe()
    os.write(writer, b"x")
    # epoll takes no regular file; the pipe takes its place at the second try.
    fd = os.open(__file__, os.O_RDONLY)
    tries: list[int] = []
    real = loop.at

    def at(when: float, call: Callable[[], object], owner: Owner) -> DueCall:
        tries.append(fd)
        if len(tries) == 2:
            os.dup2(reader, fd)
        return real(when, call, owner)

    loop.at = at
    with pytest.raises(PermissionError):
        loop.watch(fd, loop.stop, Nobody())
    loop.watch(fd, loop.stop, Nobody(), patient=True)
    loop.run()
    loop.forget(fd)
    loop.close()

    assert len(tries) == 2
    for each in (reader, writer, fd):
        os.close(each)


def test_a_patient_watch_that_was_forgotten_is_not_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(heat.runtime.loop, "_AGAIN", 0.0)
    clock = RealClock()
    loop = Loop(clock)
    fd = os.open(__file__, os.O_RDONLY)
    loop.watch(fd, loop.stop, Nobody(), patient=True)
    loop.forget(fd)
    loop.at(clock.now(), loop.stop, Nobody())
    loop.run()

    assert loop.pending() == 0
    loop.close()
    os.close(fd)
