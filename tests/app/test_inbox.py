"""News of HEAT as a whole, from whatever part of it."""

import signal

import pytest
from processes import Nobody

from heat.app.inbox import AllEnded, Crashed, Inbox, ReloadRequested, SignalToSelf
from heat.control.protocol import Answer
from heat.process import signals
from heat.runtime.loop import Loop, RealClock


@pytest.fixture
def loop() -> Loop:
    return Loop(RealClock())


def test_news_end_the_turn_of_the_loop_and_come_in_their_order(loop: Loop) -> None:
    inbox, calls, error = Inbox(loop), [1, 2, 3], ValueError("a bug")
    replies: list[Answer] = []
    loop.at(0.0, lambda: inbox.crashed(error), Nobody())
    loop.at(0.0, calls.pop, Nobody())
    loop.run()
    inbox.reload(replies.append)
    inbox.all_ended()

    assert calls == [1, 2, 3]  # What was due as well is not called in that turn.
    assert inbox.take() == [Crashed(error), ReloadRequested(replies.append), AllEnded()]
    assert inbox.take() == []
    loop.close()


@pytest.mark.parametrize("signum", sorted({*signals.HANDLED, signal.SIGUSR2}))
def test_a_signal_that_heat_acts_on_or_dies_of_is_news(loop: Loop, signum: int) -> None:
    inbox = Inbox(loop)

    assert inbox.signal_self(signum)
    assert inbox.take() == [SignalToSelf(signum)]
    loop.close()


@pytest.mark.parametrize("signum", [signal.SIGWINCH, signal.SIGCONT, signal.SIGPIPE])
def test_a_signal_that_does_nothing_is_left_to_the_kernel(loop: Loop, signum: int) -> None:
    inbox = Inbox(loop)

    assert signum in signals.HARMLESS or signal.getsignal(signum) == signal.SIG_IGN
    assert not inbox.signal_self(signum)
    assert inbox.take() == []
    loop.close()


def test_a_signal_that_heat_acts_on_is_news_though_it_was_ignored(loop: Loop) -> None:
    inbox = Inbox(loop)
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert inbox.signal_self(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)

    loop.close()
