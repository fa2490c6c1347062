"""The table: every rule of HEAT is a row here, tried from the top for its event and state.

Why the odd rows are there:

- **Start period.** A failure before the first pass, within ``--start-period``, leaves
  NORMAL as it is; the count begins after it.
- **Recovery is due, then begun.** Entering RECOVERING raises RecoveryDue, which either
  begins the remedy or waits for a running fail script: the two scripts never run at once,
  and the fault signal goes with the recovery script, not ahead of it.
- **The check at once.** Opening the window raises CheckDue. If a timed-out check is still
  dying, the new one is owed until it is gone: a check never overlaps itself. The check at
  once never closes a window, so between two recoveries lies at least one interval.
- **A window that is overdue.** Its time is up while a check is in flight or after a pass
  that was not yet enough: what the check says decides, so the window stays open until the
  next failure. If that check turns out unknown and the last one had failed, there is
  nothing left to wait for.
- **A tick that finds the recovery owed.** The script could not be started for want of
  resources; the fault signal was sent already and is not sent again.
- **A target that ends while the recovery script runs.** The script may be replacing it,
  and is let end; ERROR follows.
- **Other limits.** A reload changes what the rules look at and nothing else: state and counts
  stay. An open window gets its new length from that moment on.
- **A pause outranks every transition.** What comes in it is noted and leads nowhere: a result
  does not count, what would lead to ERROR waits for the pause's end. On resuming, an open window
  begins anew, and a check that still runs is its check at once; a recovery that was entered and
  not begun, begins.
- **A restart is a pause that nobody asked for.** HEAT that was killed is given back what it
  knew as if it had been paused, and is resumed. A script that may not have begun is run: better
  told twice than never.
- **A check that is asked for** never closes a window, as the one at once does not.
- **A reset forgets the outage**, but not while the recovery script runs.
- **ERROR is terminal.** Every event is received there and changes nothing.

The table is total: for each event and state there is a row without a guard, or no other
row before it can fail to apply; a test holds it to that.
"""

from collections.abc import Callable

from states import rules
from states.model import (
    CheckAsked,
    CheckDue,
    CheckFailed,
    CheckGone,
    CheckImpossible,
    CheckKilled,
    CheckPassed,
    CheckUnknown,
    Event,
    FailEnded,
    FailLost,
    LimitsChanged,
    Paused,
    RecoveryDelayed,
    RecoveryDue,
    RecoveryEnded,
    RecoveryImpossible,
    RecoveryKilled,
    RecoveryLost,
    Reset,
    Resumed,
    State,
    TargetGone,
    TargetMissing,
    Tick,
    WatchBroke,
    WindowClosed,
)
from states.values import NamedTuple

Guard = Callable[[rules.Step], bool]
Action = Callable[[rules.Step], None]


class Row(NamedTuple):
    """One rule; ``to`` None stays in the state without leaving and entering it."""

    sources: tuple[State, ...]
    event: type[Event]
    guards: tuple[Guard, ...]
    to: State | None
    actions: tuple[Action, ...]


NORMAL, FAILING, RECOVERING, ERROR = State
WELL_OR_FAILING = (NORMAL, FAILING)
WATCHING = (NORMAL, FAILING, RECOVERING)
ANY = (NORMAL, FAILING, RECOVERING, ERROR)

# fmt: off
PAUSE: tuple[Row, ...] = (
    Row(WATCHING, Tick, (rules.paused,), None, ()),
    Row(WATCHING, CheckAsked, (rules.paused,), None, ()),
    Row(WATCHING, CheckPassed, (rules.paused,), None, (rules.note_check_ended,)),
    Row(WATCHING, CheckFailed, (rules.paused,), None, (rules.note_uncounted_failure,)),
    Row(WATCHING, CheckUnknown, (rules.paused,), None, (rules.note_check_ended,)),
    Row(WATCHING, CheckKilled, (rules.paused,), None, (rules.note_check_ended,)),
    Row(WATCHING, CheckGone, (rules.paused,), None, (rules.note_check_gone,)),
    Row(WATCHING, FailEnded, (rules.paused,), None, (rules.note_fail_ended,)),
    Row((RECOVERING,), RecoveryEnded, (rules.paused,), None, (rules.note_recovery_ended,)),
    Row((RECOVERING,), RecoveryKilled, (rules.paused,), None,
        (rules.note_recovery_ended, rules.note_error_due)),
    Row((RECOVERING,), WindowClosed, (rules.paused,), None, ()),
    Row(WATCHING, TargetGone, (rules.paused,), None, (rules.note_error_due,)),
    Row(WATCHING, LimitsChanged, (rules.paused,), None, (rules.note_limits,)),
)
"""The rows of a paused monitor: it keeps the books."""

WATCH: tuple[Row, ...] = (
    # Ticks: which of them start a check
    Row(WELL_OR_FAILING, Tick,
        (rules.check_idle, rules.checks_left, rules.fail_script_allows), None,
        (rules.note_missed, rules.run_check)),
    Row((RECOVERING,), Tick,
        (rules.window_open, rules.check_idle, rules.checks_left, rules.fail_script_allows), None,
        (rules.note_missed, rules.run_check)),
    Row((RECOVERING,), Tick, (rules.recovery_owed,), None,
        (rules.note_skipped, rules.run_recovery)),
    Row(WATCHING, Tick, (rules.checks_left,), None,
        (rules.note_skipped,)),
    Row(ANY, Tick, (), None, ()),

    # The check passed
    Row((NORMAL,), CheckPassed, (), None,
        (rules.note_passed,)),
    Row((FAILING,), CheckPassed, (), NORMAL,
        (rules.note_passed, rules.say_recovered)),
    Row((RECOVERING,), CheckPassed, (rules.passes_too_few,), None,
        (rules.note_passed,)),
    Row((RECOVERING,), CheckPassed, (), NORMAL,
        (rules.note_passed, rules.send_success_signal, rules.say_recovered)),

    # The check failed
    Row((NORMAL,), CheckFailed, (rules.in_start_period,), None,
        (rules.note_uncounted_failure, rules.say_not_counted)),
    Row((NORMAL,), CheckFailed, (rules.below_threshold,), FAILING,
        (rules.note_failed, rules.send_signal, rules.run_fail)),
    Row((FAILING,), CheckFailed, (rules.below_threshold,), None,
        (rules.note_failed, rules.send_signal, rules.run_fail)),
    Row(WELL_OR_FAILING, CheckFailed, (), RECOVERING,
        (rules.note_failed, rules.send_signal, rules.run_fail)),
    Row((RECOVERING,), CheckFailed,
        (rules.failure_closes_window, rules.recoveries_left), RECOVERING,
        (rules.note_failed,)),
    Row((RECOVERING,), CheckFailed, (rules.failure_closes_window,), ERROR,
        (rules.note_failed, rules.note_recoveries_spent)),
    Row((RECOVERING,), CheckFailed, (), None,
        (rules.note_failed,)),

    # The check said nothing about the service
    Row((RECOVERING,), CheckUnknown, (rules.last_check_passed,), None,
        (rules.note_check_ended,)),
    Row((RECOVERING,), CheckUnknown, (rules.window_overdue, rules.recoveries_left), RECOVERING,
        (rules.note_check_ended,)),
    Row((RECOVERING,), CheckUnknown, (rules.window_overdue,), ERROR,
        (rules.note_check_ended, rules.note_recoveries_spent)),
    Row(WATCHING, CheckUnknown, (), None,
        (rules.note_check_ended,)),

    # The check cannot go on
    Row(WATCHING, CheckKilled, (), ERROR,
        (rules.note_check_ended,)),
    Row(WATCHING, CheckImpossible, (), ERROR,
        (rules.note_check_ended,)),

    # A timed-out check is dead
    Row((RECOVERING,), CheckGone, (rules.check_owed, rules.checks_left), None,
        (rules.note_check_gone, rules.run_check_at_once)),
    Row(WATCHING, CheckGone, (), None,
        (rules.note_check_gone,)),

    # The fail script ended
    Row((RECOVERING,), FailEnded, (rules.recovery_waiting,), None,
        (rules.note_fail_ended, rules.send_fault_signal, rules.run_recovery)),
    Row(WATCHING, FailEnded, (rules.fail_queued,), None,
        (rules.run_queued_fail,)),
    Row(WATCHING, FailEnded, (), None,
        (rules.note_fail_ended,)),

    # Recovery: begin, or wait for the fail script
    Row((RECOVERING,), RecoveryDue, (rules.no_recovery_script,), None,
        (rules.send_fault_signal, rules.open_window)),
    Row((RECOVERING,), RecoveryDue, (rules.fail_running,), None,
        (rules.note_waiting, rules.drop_queued_fail, rules.limit_fail)),
    Row((RECOVERING,), RecoveryDue, (), None,
        (rules.send_fault_signal, rules.run_recovery)),

    # The recovery script ended, or could not begin
    Row((RECOVERING,), RecoveryEnded, (rules.error_due,), ERROR,
        (rules.note_reason_kept,)),
    Row((RECOVERING,), RecoveryEnded, (), None,
        (rules.open_window,)),
    Row((RECOVERING,), RecoveryDelayed, (rules.error_due,), ERROR,
        (rules.note_reason_kept,)),
    Row((RECOVERING,), RecoveryDelayed, (), None,
        (rules.note_owed,)),
    Row((RECOVERING,), RecoveryKilled, (), ERROR, ()),
    Row((RECOVERING,), RecoveryImpossible, (), ERROR, ()),

    # The window
    Row((RECOVERING,), CheckDue, (rules.check_running,), None,
        (rules.note_at_once,)),
    Row((RECOVERING,), CheckDue, (rules.checks_left, rules.check_idle), None,
        (rules.run_check_at_once,)),
    Row((RECOVERING,), CheckDue, (rules.checks_left,), None,
        (rules.note_check_owed,)),
    Row((RECOVERING,), WindowClosed, (rules.window_not_open,), None, ()),
    Row((RECOVERING,), WindowClosed, (rules.check_pending,), None,
        (rules.note_overdue,)),
    Row((RECOVERING,), WindowClosed, (rules.last_check_passed,), None,
        (rules.note_overdue,)),
    Row((RECOVERING,), WindowClosed, (rules.recoveries_left,), RECOVERING, ()),
    Row((RECOVERING,), WindowClosed, (), ERROR,
        (rules.note_recoveries_spent,)),

    # The target
    Row((RECOVERING,), TargetGone, (rules.recovery_running,), None,
        (rules.note_error_due,)),
    Row(WATCHING, TargetGone, (), ERROR, ()),
    Row(WATCHING, TargetMissing, (rules.nothing_starts_recovery,), ERROR, ()),
    Row(WATCHING, TargetMissing, (), None, ()),

    # HEAT itself
    Row(WATCHING, WatchBroke, (), ERROR, ()),
    Row((RECOVERING,), LimitsChanged, (rules.window_open, rules.window_length_changes), None,
        (rules.note_limits, rules.begin_window_anew)),
    Row(WATCHING, LimitsChanged, (), None,
        (rules.note_limits,)),

    # Late news: about a recovery that is over, or after the end
    Row((NORMAL, FAILING, ERROR), CheckDue, (), None, ()),
    Row((RECOVERING,), CheckDue, (), None, ()),
    Row((NORMAL, FAILING, ERROR), RecoveryDue, (), None, ()),
    Row((NORMAL, FAILING, ERROR), RecoveryEnded, (), None, ()),
    Row((NORMAL, FAILING, ERROR), RecoveryDelayed, (), None, ()),
    Row((NORMAL, FAILING, ERROR), RecoveryKilled, (), None, ()),
    Row((NORMAL, FAILING, ERROR), RecoveryImpossible, (), None, ()),
    Row((NORMAL, FAILING, ERROR), WindowClosed, (), None, ()),
    Row((ERROR,), CheckPassed, (), None, ()),
    Row((ERROR,), CheckFailed, (), None, ()),
    Row((ERROR,), CheckUnknown, (), None, ()),
    Row((ERROR,), CheckKilled, (), None, ()),
    Row((ERROR,), CheckImpossible, (), None, ()),
    Row((ERROR,), CheckGone, (), None, ()),
    Row((ERROR,), FailEnded, (), None, ()),
    Row((ERROR,), TargetGone, (), None, ()),
    Row((ERROR,), TargetMissing, (), None, ()),
    Row((ERROR,), WatchBroke, (), None, ()),
    Row((ERROR,), LimitsChanged, (), None, ()),
)
"""The rows of what a monitor does by itself."""

BY_HAND: tuple[Row, ...] = (
    # Pause and restart
    Row(WELL_OR_FAILING, Paused, (), None,
        (rules.note_paused, rules.drop_queued_fail)),
    Row((RECOVERING,), Paused, (), None,
        (rules.note_paused, rules.drop_queued_fail, rules.close_window)),
    Row(WATCHING, Resumed, (rules.not_paused,), None, ()),
    Row((RECOVERING,), Resumed, (rules.recovery_running,), None,
        (rules.note_resumed, rules.run_lost_fail)),
    Row(WATCHING, Resumed, (rules.error_due,), ERROR,
        (rules.note_resumed, rules.note_reason_kept)),
    Row((RECOVERING,), Resumed, (rules.window_open,), None,
        (rules.note_resumed, rules.note_window_anew, rules.run_lost_fail, rules.open_window)),
    Row((RECOVERING,), Resumed, (rules.recovery_waiting,), None,
        (rules.note_resumed, rules.run_lost_fail, rules.begin_remedy)),
    Row((FAILING, RECOVERING), Resumed, (), None,
        (rules.note_resumed, rules.run_lost_fail)),
    Row((NORMAL,), Resumed, (), None,
        (rules.note_resumed, rules.run_lost_fail, rules.wake_target)),
    Row(WATCHING, FailLost, (), None,
        (rules.note_fail_lost,)),
    Row((RECOVERING,), RecoveryLost, (), None,
        (rules.note_waiting,)),

    # Told by hand
    Row(WELL_OR_FAILING, CheckAsked,
        (rules.check_idle, rules.checks_left, rules.fail_script_allows), None,
        (rules.run_check,)),
    Row((RECOVERING,), CheckAsked,
        (rules.window_open, rules.check_idle, rules.checks_left, rules.fail_script_allows), None,
        (rules.run_check_asked,)),
    Row(ANY, CheckAsked, (), None, ()),
    Row((FAILING,), Reset, (), NORMAL,
        (rules.drop_queued_fail, rules.wake_target)),
    Row((RECOVERING,), Reset, (rules.recovery_running,), None, ()),
    Row((RECOVERING,), Reset, (), NORMAL,
        (rules.drop_queued_fail, rules.wake_target)),
    Row((NORMAL, ERROR), Reset, (), None, ()),

    # Late news
    Row((ERROR,), Paused, (), None, ()),
    Row((ERROR,), Resumed, (), None, ()),
    Row((ERROR,), FailLost, (), None, ()),
    Row((NORMAL, FAILING, ERROR), RecoveryLost, (), None, ()),
)
"""The rows of what somebody has told it to do, or of a restart."""

ROWS = PAUSE + WATCH + BY_HAND
# fmt: on

ON_ENTER: dict[State, tuple[Action, ...]] = {
    NORMAL: (rules.note_well,),
    FAILING: (),
    RECOVERING: (rules.note_entry, rules.begin_recovery),
    ERROR: (rules.drop_queued_fail, rules.give_up),
}
ON_EXIT: dict[State, tuple[Action, ...]] = {
    NORMAL: (),
    FAILING: (),
    RECOVERING: (rules.close_window,),
    ERROR: (),
}
