"""The HEAT_ variables of a fail and a recovery script (section 4 of the contract)."""

from heat.config.options import Options
from states.monitor.model import FailRun, Failure, State


def of_fail(options: Options, run: FailRun) -> dict[str, str]:
    """Return the variables of a fail script: the failure that it reports."""
    variables = _of_both(options, run.failure, run.failures, run.state)
    return {**variables, "HEAT_FAIL_TIME": str(run.failure.time)}


def of_recovery(options: Options, first: Failure, last: Failure, count: int) -> dict[str, str]:
    """Return the variables of a recovery script: the first and the latest failure."""
    return {
        **_of_both(options, last, count, State.RECOVERING),
        "HEAT_FAIL_TIME": str(first.time),
        "HEAT_FAIL_TIME_LAST": str(last.time),
    }


def _of_both(options: Options, last: Failure, count: int, state: State) -> dict[str, str]:
    return {
        "HEAT_FAIL_CODE": str(last.code),
        "HEAT_FAIL_INTERVAL": f"{options.interval:.12g}",
        "HEAT_FAIL_PID": "" if last.pid is None else str(last.pid),
        "HEAT_FAIL_CNT": str(count),
        "HEAT_FAIL_TEXT": last.text,
        "HEAT_NAME": options.name,
        "HEAT_STATE": state.value,
    }
