"""The simulation: a bounded run of it, and that it finds what is wrong, and says it well."""

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import pytest
from simulate import __main__ as simulation
from simulate.choices import Choices, shrunk
from simulate.history import told
from simulate.oracle import Oracle
from simulate.world import Launcher

import heat.watch
from heat.ledger import Ledger
from heat.rehearsal.world import SimulatedTarget
from heat.restored import Restored
from heat.watch import Watch
from states.effects import Effect
from states.machine import step
from states.model import WindowClosed

TICKS = 4000


def test_what_has_to_hold_holds_in_random_histories() -> None:
    ticks, failed = simulation.simulate(0, TICKS)

    assert failed is None, simulation.report(failed)
    assert ticks >= TICKS


def test_a_simulation_leaves_the_machine_as_it_was() -> None:
    simulation.simulate(0, 100)

    assert vars(heat.watch)["step"] is step


def test_a_seed_is_one_history() -> None:
    first = Choices(7)
    simulation.run(first, simulation.LONGEST)
    again = told(first.taken, simulation.LONGEST)

    assert again == told(first.taken, simulation.LONGEST)
    assert len(again) > 10
    assert "VIOLATION" not in "".join(again)


def test_no_choices_are_a_history_in_which_nothing_is_odd() -> None:
    lines = told([], 3)

    assert sum("check is started, and goes like this: well" in line for line in lines) == 3
    assert "CheckPassed() -> NORMAL []" in lines[3]


def test_a_record_is_shrunk_to_what_matters() -> None:
    def fails(record: Sequence[int]) -> bool:
        return sum(value >= 3 for value in record) >= 2

    assert shrunk([0, 1, 9, 2, 0, 0, 4, 5, 1, 0], fails) == [3, 3]


def test_an_effect_too_few_is_found_shrunk_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    run_check = vars(Oracle)["_run_check"]

    def forgetful(self: Oracle, said: list[Effect]) -> None:
        del said
        run_check(self, [])

    monkeypatch.setattr(Oracle, "_run_check", forgetful)
    _, failed = simulation.simulate(0, TICKS)
    assert failed is not None
    report = simulation.report(failed)

    assert re.match(r"seed 0 fails: Violation: at Tick\(missed=0\)", report)
    assert "\n  the machine says [RunCheck()]\n  the oracle says []\n" in report
    assert re.search(r"shrunk from \d+ choices to 0:", report)
    assert "again: python -m tests.simulate --replay 0\n" in report


class Broken(NamedTuple):
    """A mistake, and the words by which it is found."""

    what: str
    where: tuple[type, str]
    instead: Callable[..., Any]
    words: str


_run_recovery, _feed, _hear = vars(Watch)["_run_recovery"], vars(Watch)["_feed"], Oracle.hear


def _twice(watch: Watch, wanted: Any) -> None:
    _run_recovery(watch, wanted)
    _run_recovery(watch, wanted)


def _deaf(watch: Watch, event: Any, tell: Any = None) -> None:
    """A window that stays open."""
    if not isinstance(event, WindowClosed):
        _feed(watch, event, tell)


def _miscounting(oracle: Oracle, event: Any) -> Any:
    said = _hear(oracle, event)
    oracle.skipped += 1
    return said


def _sleep_on(_target: SimulatedTarget) -> None:
    """Nobody is woken."""


def _written_late(_ledger: Ledger, *_what: Any) -> None:
    """Nothing is written."""


def _nobody(_launcher: Launcher, _environment: Any) -> None:
    """No script of an earlier life is found."""


def _asleep(_watch: Watch, _pause: Any) -> None:
    """A pause that nobody keeps."""


def _not_continued(_watch: Restored) -> None:
    """Nobody looks what has become of the scripts."""


def _not_resumed(_watch: Watch) -> None:
    """The pause has no end."""


def _gone(_launcher: Launcher, _held: Any) -> None:
    """It is taken for one that has ended."""


BROKEN = [
    Broken("a script beside another", (Watch, "_run_recovery"), _twice, "started beside recovery"),
    Broken("a wrong count", (Oracle, "hear"), _miscounting, "Violation"),
    Broken("a window left open", (Watch, "_feed"), _deaf, "a window is open beyond its time"),
    Broken("a target left stopped", (SimulatedTarget, "wake"), _sleep_on, "was left stopped"),
    Broken("a step not written down", (Ledger, "stepped"), _written_late, "a restart finds"),
    Broken("a script not written down", (Ledger, "hold"), _written_late, "not written down"),
    Broken("a pause not written down", (Ledger, "paused"), _written_late, "the pause was until"),
    Broken("a script not found", (Launcher, "find"), _nobody, "of an earlier life"),
    Broken("a script not waited for", (Launcher, "take_up"), _gone, "of an earlier life"),
    Broken("a pause not kept", (Watch, "_keep_still"), _asleep, "ends too early"),
    Broken("a pause without end", (Watch, "resume"), _not_resumed, "beyond its end"),
    Broken("a fail script forgotten", (Restored, "_take_up_scripts"), _not_continued, "untold"),
]


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.what)
def test_what_is_broken_is_found(broken: Broken, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(*broken.where, broken.instead)
    _, failed = simulation.simulate(0, 100_000)

    assert failed is not None
    assert broken.words in failed.why


def test_the_command_line_says_how_many_ticks_there_were(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = simulation.main(["--ticks", "200", "--processes", "1", "--seed", "3"])

    assert code == 0
    assert re.match(r"2\d\d ticks in [\d.]+ s, \d+ a second; 0 failed\n", capsys.readouterr().out)


def test_a_record_is_told_again(capsys: pytest.CaptureFixture[str]) -> None:
    assert simulation.main(["--replay", "0,1"]) == 0
    assert "Tick(missed=0) -> NORMAL ['RunCheck()']" in capsys.readouterr().out
