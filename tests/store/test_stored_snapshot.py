"""A machine in the state file: it is read back as it was written, and nonsense is refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heat.records import Changed
from heat.store.snapshot import SavedMachine, decode, encode
from states.monitor.model import FailRun, Failure, Stage, State
from states.monitor.snapshot import Snapshot

FAILURE = Failure(7, 4711, 1_671_306_479)
LATEST = Failure(124, 4712, 1_671_306_500)
CHANGED = Changed(State.NORMAL, State.FAILING, 1_671_306_479.5, 1, "Exit Code 7")
IN_OUTAGE = Snapshot(Stage.FAILING, 2, 0, FAILURE, LATEST)


@given(
    stage=st.sampled_from(Stage),
    run=st.none() | st.just(FailRun(LATEST, 2, State.RECOVERING)),
    reason=st.none() | st.text(),
    passed=st.booleans(),
)
def test_a_machine_is_read_back_as_it_was_written(
    stage: Stage, run: FailRun | None, reason: str | None, *, passed: bool
) -> None:
    recovering = Snapshot(stage).state is State.RECOVERING
    snapshot = IN_OUTAGE._replace(
        stage=stage,
        attempts=int(recovering),
        fail_run=run,
        error_due=reason,
        passed_once=passed,
        backoff=4.0 if stage is Stage.BACKOFF else None,
    )
    machine = SavedMachine(snapshot, CHANGED, 1_671_306_479.5, 1_671_306_600.0)

    assert decode(encode(machine)) == machine


@pytest.mark.parametrize(
    ("state", "remedy", "stage"),
    [
        ("NORMAL", "none", Stage.NORMAL),
        ("FAILING", "none", Stage.FAILING),
        ("RECOVERING", "waiting", Stage.WAITING),
        ("RECOVERING", "running", Stage.REPAIRING),
        ("RECOVERING", "owed", Stage.OWED),
        ("RECOVERING", "open", Stage.OPEN),
        ("ERROR", "open", Stage.ERROR),
    ],
)
def test_a_machine_that_0_1_0_wrote_is_read(state: str, remedy: str, stage: Stage) -> None:
    attempts = int(state == "RECOVERING")
    first, last = list(FAILURE), list(LATEST)
    plain = [state, 2, attempts, remedy, first, last, None, None, None, False]

    machine = decode(json.dumps([plain, None, 1_671_306_479.5]))

    assert machine == SavedMachine(
        Snapshot(stage, 2, attempts, FAILURE, LATEST), None, 1_671_306_479.5, None
    )


@pytest.mark.parametrize(
    "snapshot",
    [
        Snapshot(Stage.FAILING),
        Snapshot(Stage.FAILING, 1, 1, FAILURE, LATEST),
        Snapshot(Stage.OPEN, 1, 0, FAILURE, LATEST),
        Snapshot(Stage.OPEN, 1, 1, FAILURE, LATEST, backoff=2.0),
        Snapshot(Stage.BACKOFF, 1, 1, FAILURE, LATEST),
        Snapshot(Stage.NORMAL, backoff=2.0),
    ],
)
def test_a_machine_that_cannot_exist_is_refused(snapshot: Snapshot) -> None:
    with pytest.raises(ValueError, match="no machine is ever like that"):
        decode(encode(SavedMachine(snapshot, None, None)))
