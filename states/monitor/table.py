"""The table: every rule of a monitor is a row here, tried from the top for its event and state.

Four regions stand side by side. The **stage** is the condition of the watched thing, and decides
what to do about it. The **check** slot, the **fail** script and the **pause** are small tables
of their own. An event goes to all regions that hear it; the stage makes its requests to the fail
script by announcements.

Why the odd rows are there:

- **Start period.** A failure before the first pass, within ``--start-period``, leaves
  NORMAL as it is; the count begins after it.
- **Recovery is due, then begun.** Entering RECOVERING raises RecoveryDue, which either
  begins the repair or waits for a running fail script: the two scripts never run at once,
  and the fault signal goes with the recovery script, not ahead of it.
- **The check at once.** Opening the window raises CheckDue. If a timed-out check is still
  dying, the new one is due until it is gone: a check never overlaps itself. The check at
  once never closes a window, so between two recoveries lies at least one interval.
- **A window that is overdue.** Its time is up while a check is in flight, or after a pass
  that was not yet enough: the check decides, so the window stays open until the next failure.
  If that check turns out unknown and the last one had failed, there is nothing left to wait
  for. The pause between two recoveries (BACKOFF) ends by the same rule.
- **A window without a time limit and with its own interval** closes with the first failure
  after the time that its failures would have taken at the ordinary interval.
- **A tick that finds the recovery owed.** The script could not be started for lack of
  resources; the fault signal was sent already and is not sent again.
- **A target that ends while the recovery script runs.** The script may be replacing it, so
  HEAT lets it end; ERROR follows.
- **A threshold, and nothing to do in recovery.** The monitor stays FAILING, and HEAT reacts to
  failures from the threshold on.
- **No recovery is left.** ERROR, or, with ``--when-spent watch``, SPENT: checks go on, and a
  pass ends the outage as it does in a window.
- **New limits.** A reload changes the limits that the rules look at and nothing else: state and
  counts stay. An open window gets its new length from that moment on, and ticks their new
  interval, even in a pause, because nothing else would take the old one back. A BACKOFF keeps
  its length; when it ends, the table looks whether a recovery is left.
- **A pause outranks every transition.** Events in it are noted and change nothing: a result does
  not count, and a reason for ERROR waits for the end of the pause. On resuming, an open window
  begins again, and a check that still runs is its check at once; a recovery that was entered but
  had not begun begins; one due after a BACKOFF comes if the check at once fails.
- **A restart is a pause without an operator.** After a kill, HEAT restores the monitor as if it
  had been paused, and resumes it. A script that may not have begun runs: better twice than never.
- **A check on request** never closes a window, like the check at once.
- **A reset forgets the outage**, but not while the recovery script runs.
- **ERROR is terminal.** Every event is received there and changes nothing.

In each region the table is total: for each event and state there is a row without a guard, and
no row behind it.
"""

from states.engine.table import Region, Row, Table
from states.monitor import actions as do
from states.monitor import events as on
from states.monitor import guards as if_
from states.monitor.model import IN_RECOVERY, Check, Fail, Pause, Stage, State

NORMAL, FAILING, ERROR = Stage.NORMAL, Stage.FAILING, Stage.ERROR
WAITING, REPAIRING, OWED, OPEN, BACKOFF, SPENT = IN_RECOVERY
RECOVERING = State.RECOVERING
WELL_OR_FAILING = (NORMAL, FAILING)
WATCHED = (NORMAL, FAILING, RECOVERING)
OUTSIDE_RECOVERY = (NORMAL, FAILING, ERROR)

# fmt: off
STAGE = (
    # The check passed
    Row(WATCHED, on.CheckPassed, (if_.paused,), None, ()),
    Row((NORMAL,), on.CheckPassed, (), None,
        (do.count_passed,)),
    Row((FAILING,), on.CheckPassed, (), NORMAL,
        (do.count_passed, do.say_recovered)),
    Row((RECOVERING,), on.CheckPassed, (if_.passes_too_few,), None,
        (do.count_passed,)),
    Row((WAITING, REPAIRING, OWED, OPEN, BACKOFF), on.CheckPassed, (), NORMAL,
        (do.count_passed, do.send_success_signal, do.say_recovered)),
    Row((SPENT,), on.CheckPassed, (), NORMAL,
        (do.count_passed, do.send_success_signal, do.say_well_again)),
    Row((ERROR,), on.CheckPassed, (), None, ()),

    # The check failed
    Row(WATCHED, on.CheckFailed, (if_.paused,), None,
        (do.mark_failed,)),
    Row((NORMAL,), on.CheckFailed, (if_.in_start_period,), None,
        (do.mark_failed, do.say_not_counted)),
    Row((NORMAL,), on.CheckFailed, (if_.told_later,), FAILING,
        (do.count_failed,)),
    Row((FAILING,), on.CheckFailed, (if_.told_later,), None,
        (do.count_failed,)),
    Row((NORMAL,), on.CheckFailed, (if_.recovery_not_due,), FAILING,
        (do.count_failed, do.send_signal, do.want_fail)),
    Row((FAILING,), on.CheckFailed, (if_.recovery_not_due,), None,
        (do.count_failed, do.send_signal, do.want_fail)),
    Row(WELL_OR_FAILING, on.CheckFailed, (), RECOVERING,
        (do.count_failed, do.send_signal, do.want_fail)),
    Row((OPEN,), on.CheckFailed,
        (if_.failure_closes_window, if_.recoveries_left, if_.backs_off), BACKOFF,
        (do.count_failed,)),
    Row((OPEN, BACKOFF), on.CheckFailed, (if_.failure_closes_window, if_.recoveries_left),
        RECOVERING,
        (do.count_failed,)),
    Row((OPEN, BACKOFF), on.CheckFailed, (if_.failure_closes_window, if_.watches_on), SPENT,
        (do.count_failed,)),
    Row((OPEN, BACKOFF), on.CheckFailed, (if_.failure_closes_window,), ERROR,
        (do.count_failed, do.mark_recoveries_spent)),
    Row((RECOVERING,), on.CheckFailed, (), None,
        (do.count_failed,)),
    Row((ERROR,), on.CheckFailed, (), None, ()),

    # The check had no result
    Row(WATCHED, on.CheckUnknown, (if_.paused,), None, ()),
    Row((OPEN, BACKOFF), on.CheckUnknown, (if_.last_check_passed,), None,
        (do.count_unknown,)),
    Row((OPEN,), on.CheckUnknown, (if_.only_failures_close,), None,
        (do.count_unknown,)),
    Row((OPEN,), on.CheckUnknown, (if_.overdue, if_.recoveries_left, if_.backs_off), BACKOFF,
        (do.count_unknown,)),
    Row((OPEN, BACKOFF), on.CheckUnknown, (if_.overdue, if_.recoveries_left), RECOVERING,
        (do.count_unknown,)),
    Row((OPEN, BACKOFF), on.CheckUnknown, (if_.overdue, if_.watches_on), SPENT,
        (do.count_unknown,)),
    Row((OPEN, BACKOFF), on.CheckUnknown, (if_.overdue,), ERROR,
        (do.count_unknown, do.mark_recoveries_spent)),
    Row(WATCHED, on.CheckUnknown, (), None,
        (do.count_unknown,)),
    Row((ERROR,), on.CheckUnknown, (), None, ()),

    # The check cannot go on
    Row(WATCHED, on.CheckKilled, (if_.paused,), None, ()),
    Row(WATCHED, on.CheckKilled, (), ERROR, ()),
    Row(WATCHED, on.CheckImpossible, (), ERROR, ()),
    Row((ERROR,), on.CheckKilled, (), None, ()),
    Row((ERROR,), on.CheckImpossible, (), None, ()),

    # Recovery: begin, or wait for the fail script
    Row((WAITING,), on.RecoveryDue, (if_.no_recovery_script,), OPEN,
        (do.send_fault_signal, do.open_window)),
    Row((WAITING,), on.RecoveryDue, (if_.fail_running,), None,
        (do.drop_queue, do.limit_fail)),
    Row((WAITING,), on.RecoveryDue, (), REPAIRING,
        (do.send_fault_signal,)),
    Row((WAITING,), on.FailEnded, (if_.paused,), None, ()),
    Row((WAITING,), on.FailEnded, (), REPAIRING,
        (do.send_fault_signal,)),
    Row((OWED,), on.Tick, (if_.paused,), None, ()),
    Row((OWED,), on.Tick, (), REPAIRING, ()),

    # The recovery script ended, or could not begin
    Row((REPAIRING,), on.RecoveryEnded, (if_.paused,), OPEN, ()),
    Row((REPAIRING,), on.RecoveryEnded, (if_.error_due,), ERROR, ()),
    Row((REPAIRING,), on.RecoveryEnded, (), OPEN,
        (do.open_window,)),
    Row((REPAIRING,), on.RecoveryDelayed, (if_.error_due,), ERROR, ()),
    Row((REPAIRING,), on.RecoveryDelayed, (), OWED, ()),
    Row((REPAIRING,), on.RecoveryKilled, (if_.paused,), OPEN,
        (do.mark_error_due,)),
    Row((REPAIRING,), on.RecoveryKilled, (), ERROR, ()),
    Row((REPAIRING,), on.RecoveryImpossible, (), ERROR, ()),

    # The window, and the pause before the next recovery
    Row((OPEN,), on.WindowClosed, (if_.paused,), None, ()),
    Row((OPEN,), on.WindowClosed, (if_.check_pending,), None,
        (do.mark_overdue,)),
    Row((OPEN,), on.WindowClosed, (if_.last_check_passed,), None,
        (do.mark_overdue,)),
    Row((OPEN,), on.WindowClosed, (if_.only_failures_close,), None,
        (do.mark_overdue,)),
    Row((OPEN,), on.WindowClosed, (if_.recoveries_left, if_.backs_off), BACKOFF, ()),
    Row((OPEN,), on.WindowClosed, (if_.recoveries_left,), RECOVERING, ()),
    Row((OPEN,), on.WindowClosed, (if_.watches_on,), SPENT, ()),
    Row((OPEN,), on.WindowClosed, (), ERROR,
        (do.mark_recoveries_spent,)),
    Row((BACKOFF,), on.BackoffEnded, (if_.paused,), None,
        (do.mark_overdue,)),
    Row((BACKOFF,), on.BackoffEnded, (if_.check_pending,), None,
        (do.mark_overdue,)),
    Row((BACKOFF,), on.BackoffEnded, (if_.last_check_passed,), None,
        (do.mark_overdue,)),
    Row((BACKOFF,), on.BackoffEnded, (if_.recoveries_left,), RECOVERING, ()),
    Row((BACKOFF,), on.BackoffEnded, (if_.watches_on,), SPENT, ()),
    Row((BACKOFF,), on.BackoffEnded, (), ERROR,
        (do.mark_recoveries_spent,)),

    # The target
    Row((REPAIRING,), on.TargetGone, (), None,
        (do.mark_error_due,)),
    Row((*WELL_OR_FAILING, WAITING, OWED, OPEN, BACKOFF, SPENT), on.TargetGone, (if_.paused,), None,
        (do.mark_error_due,)),
    Row((*WELL_OR_FAILING, WAITING, OWED, OPEN, BACKOFF, SPENT), on.TargetGone, (), ERROR, ()),
    Row((ERROR,), on.TargetGone, (), None, ()),
    Row(WATCHED, on.TargetMissing, (if_.nothing_starts_recovery,), ERROR, ()),
    Row(WATCHED, on.TargetMissing, (), None, ()),
    Row((ERROR,), on.TargetMissing, (), None, ()),

    # HEAT itself
    Row(WATCHED, on.WatchBroke, (), ERROR, ()),
    Row((ERROR,), on.WatchBroke, (), None, ()),
    Row((FAILING,), on.LimitsChanged, (), None,
        (do.change_retry_interval, do.take_limits)),
    Row((OPEN,), on.LimitsChanged, (if_.not_paused, if_.window_changes), None,
        (do.change_recovery_interval, do.change_window, do.take_limits)),
    Row((OPEN,), on.LimitsChanged, (), None,
        (do.change_recovery_interval, do.take_limits)),
    Row((NORMAL, WAITING, REPAIRING, OWED, BACKOFF, SPENT), on.LimitsChanged, (), None,
        (do.take_limits,)),
    Row((ERROR,), on.LimitsChanged, (), None, ()),

    # Pause and restart
    Row((OPEN,), on.Paused, (), None,
        (do.drop_queue, do.close_window)),
    Row((*WELL_OR_FAILING, WAITING, REPAIRING, OWED, BACKOFF, SPENT), on.Paused, (), None,
        (do.drop_queue,)),
    Row((ERROR,), on.Paused, (), None, ()),
    Row(WATCHED, on.Resumed, (if_.not_paused,), None, ()),
    Row((REPAIRING,), on.Resumed, (), None,
        (do.want_lost_fail,)),
    Row((*WELL_OR_FAILING, WAITING, OWED, OPEN, BACKOFF, SPENT), on.Resumed, (if_.error_due,),
        ERROR, ()),
    Row((NORMAL,), on.Resumed, (), None,
        (do.want_lost_fail, do.wake_target)),
    Row((FAILING,), on.Resumed, (), None,
        (do.want_lost_fail, do.set_retry_interval)),
    Row((WAITING,), on.Resumed, (), None,
        (do.want_lost_fail, do.order_recovery)),
    Row((OPEN,), on.Resumed, (), None,
        (do.clear_window, do.want_lost_fail, do.open_window)),
    Row((BACKOFF,), on.Resumed, (), None,
        (do.want_lost_fail, do.order_check)),
    Row((OWED, SPENT), on.Resumed, (), None,
        (do.want_lost_fail,)),
    Row((ERROR,), on.Resumed, (), None, ()),
    Row((REPAIRING,), on.RecoveryLost, (), WAITING, ()),

    # An operator's reset
    Row((FAILING, WAITING, OWED, OPEN, BACKOFF, SPENT), on.Reset, (), NORMAL,
        (do.drop_queue, do.wake_target)),
    Row((NORMAL, REPAIRING, ERROR), on.Reset, (), None, ()),

    # Late news: about a recovery that is over, or after the end
    Row((*OUTSIDE_RECOVERY, REPAIRING, OWED, OPEN, BACKOFF, SPENT), on.RecoveryDue, (), None, ()),
    Row((*OUTSIDE_RECOVERY, REPAIRING, OWED, OPEN, BACKOFF, SPENT), on.FailEnded, (), None, ()),
    Row((*OUTSIDE_RECOVERY, WAITING, REPAIRING, OPEN, BACKOFF, SPENT), on.Tick, (), None, ()),
    Row((*OUTSIDE_RECOVERY, WAITING, OWED, OPEN, BACKOFF, SPENT), on.RecoveryEnded, (), None, ()),
    Row((*OUTSIDE_RECOVERY, WAITING, OWED, OPEN, BACKOFF, SPENT), on.RecoveryDelayed, (), None, ()),
    Row((*OUTSIDE_RECOVERY, WAITING, OWED, OPEN, BACKOFF, SPENT), on.RecoveryKilled, (), None, ()),
    Row((*OUTSIDE_RECOVERY, WAITING, OWED, OPEN, BACKOFF, SPENT), on.RecoveryImpossible, (), None,
        ()),
    Row((*OUTSIDE_RECOVERY, WAITING, OWED, OPEN, BACKOFF, SPENT), on.RecoveryLost, (), None, ()),
    Row((*OUTSIDE_RECOVERY, WAITING, REPAIRING, OWED, BACKOFF, SPENT), on.WindowClosed, (), None,
        ()),
    Row((*OUTSIDE_RECOVERY, WAITING, REPAIRING, OWED, OPEN, SPENT), on.BackoffEnded, (), None, ()),
)
"""The stage: the condition of the watched thing."""

IDLE, SCHEDULED, AT_ONCE, DYING, DUE = Check
RUNNING = "running"
ANY_CHECK = tuple(Check)
CHECK = (
    # Ticks and requests: which of them start a check
    Row(ANY_CHECK, on.Tick, (if_.paused,), None, ()),
    Row((IDLE,), on.Tick, (if_.checked, if_.checks_left, if_.fail_script_allows), SCHEDULED,
        (do.count_missed, do.run_check)),
    Row(ANY_CHECK, on.Tick, (if_.watched, if_.checks_left), None,
        (do.count_skipped,)),
    Row(ANY_CHECK, on.Tick, (), None, ()),
    Row((IDLE,), on.CheckAsked, (if_.paused,), None, ()),
    Row((IDLE,), on.CheckAsked, (if_.window_open, if_.checks_left, if_.fail_script_allows), AT_ONCE,
        (do.run_check,)),
    Row((IDLE,), on.CheckAsked, (if_.checked, if_.checks_left, if_.fail_script_allows), SCHEDULED,
        (do.run_check,)),
    Row(ANY_CHECK, on.CheckAsked, (), None, ()),

    # The check at once
    Row((IDLE,), on.CheckDue, (if_.recovering, if_.checks_left), AT_ONCE,
        (do.restart_ticks, do.run_check)),
    Row((SCHEDULED,), on.CheckDue, (if_.recovering,), AT_ONCE, ()),
    Row((DYING,), on.CheckDue, (if_.recovering, if_.checks_left), DUE, ()),
    Row(ANY_CHECK, on.CheckDue, (), None, ()),

    # Its end
    Row((RUNNING,), on.CheckFailed, (if_.timed_out,), DYING, ()),
    Row((RUNNING,), on.CheckFailed, (), IDLE, ()),
    Row((RUNNING,), on.CheckPassed, (), IDLE, ()),
    Row((RUNNING,), on.CheckUnknown, (), IDLE, ()),
    Row((RUNNING,), on.CheckKilled, (), IDLE, ()),
    Row((RUNNING,), on.CheckImpossible, (), IDLE, ()),
    Row((DUE,), on.CheckGone, (if_.paused,), IDLE, ()),
    Row((DUE,), on.CheckGone, (if_.recovering, if_.checks_left), AT_ONCE,
        (do.restart_ticks, do.run_check)),
    Row((DYING, DUE), on.CheckGone, (), IDLE, ()),

    # Late news
    Row((IDLE, DYING, DUE), on.CheckFailed, (), None, ()),
    Row((IDLE, DYING, DUE), on.CheckPassed, (), None, ()),
    Row((IDLE, DYING, DUE), on.CheckUnknown, (), None, ()),
    Row((IDLE, DYING, DUE), on.CheckKilled, (), None, ()),
    Row((IDLE, DYING, DUE), on.CheckImpossible, (), None, ()),
    Row((IDLE, RUNNING), on.CheckGone, (), None, ()),
)
"""The check slot: one check at a time."""

ANY_FAIL = tuple(Fail)
FAIL = (
    Row((Fail.IDLE,), on.FailWanted, (), Fail.RUNNING,
        (do.run_fail,)),
    Row((Fail.RUNNING,), on.FailWanted, (), Fail.QUEUED,
        (do.queue_fail,)),
    Row((Fail.QUEUED,), on.FailWanted, (), None,
        (do.queue_fail,)),
    Row((Fail.LOST,), on.FailWanted, (), Fail.QUEUED,
        (do.run_fail,)),
    Row((Fail.QUEUED,), on.FailEnded, (if_.paused,), Fail.LOST,
        (do.clear_fail,)),
    Row((Fail.QUEUED,), on.FailEnded, (), Fail.RUNNING,
        (do.run_queued_fail,)),
    Row((Fail.RUNNING,), on.FailEnded, (), Fail.IDLE,
        (do.clear_fail,)),
    Row((Fail.IDLE, Fail.LOST), on.FailEnded, (), None, ()),
    Row((Fail.QUEUED,), on.QueueDropped, (), Fail.RUNNING,
        (do.drop_queued_fail,)),
    Row((Fail.LOST,), on.QueueDropped, (), Fail.IDLE,
        (do.drop_queued_fail,)),
    Row((Fail.IDLE, Fail.RUNNING), on.QueueDropped, (), None, ()),

    # Restart
    Row((Fail.RUNNING, Fail.QUEUED), on.FailLost, (), Fail.LOST,
        (do.queue_lost_fail,)),
    Row((Fail.IDLE, Fail.LOST), on.FailLost, (), None, ()),
    Row((Fail.LOST,), on.LostFailWanted, (), Fail.RUNNING,
        (do.run_queued_fail,)),
    Row((Fail.IDLE, Fail.RUNNING, Fail.QUEUED), on.LostFailWanted, (), None, ()),
)
"""The fail script: one at a time, and at most one more behind it."""

PAUSE = (
    Row((Pause.ACTIVE,), on.Paused, (if_.watched,), Pause.PAUSED, ()),
    Row(tuple(Pause), on.Paused, (), None, ()),
    Row((Pause.PAUSED,), on.Resumed, (), Pause.ACTIVE, ()),
    Row((Pause.ACTIVE,), on.Resumed, (), None, ()),
)
"""The pause: from an operator, or from a restart."""
# fmt: on

TABLE = Table(
    "monitor",
    Region(
        "stage",
        tuple(Stage),
        STAGE,
        parents={RECOVERING: IN_RECOVERY},
        on_enter={
            NORMAL: (do.clear_outage,),
            FAILING: (do.set_retry_interval,),
            RECOVERING: (do.count_recovery, do.say_recovery, do.order_recovery),
            REPAIRING: (do.run_recovery,),
            BACKOFF: (do.start_backoff,),
            SPENT: (do.say_spent,),
            ERROR: (do.drop_queue, do.give_up),
        },
        on_exit={
            FAILING: (do.end_retry_interval,),
            OPEN: (do.close_window, do.end_recovery_interval),
            BACKOFF: (do.end_backoff,),
        },
    ),
    Region("check", ANY_CHECK, CHECK, parents={RUNNING: (SCHEDULED, AT_ONCE)}),
    Region("fail", ANY_FAIL, FAIL),
    Region("pause", tuple(Pause), PAUSE),
    announced=on.ANNOUNCED,
)
