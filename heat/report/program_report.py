"""The report on the programs of a monitor, be it the check or a script."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from heat.config.options import Options
from heat.process import signals
from heat.process.program import SILENT, Output
from heat.report.reporter import Reporter, Writer
from heat.report.wording import ending, lines_of
from heat.text import seconds

if TYPE_CHECKING:
    from heat.checks.ports import Attempt


class ProgramReport(Writer):
    """Reports on the programs of one monitor."""

    __slots__ = ("_said", "options")

    def __init__(self, options: Options, reporter: Reporter) -> None:
        super().__init__(reporter)
        self.options = options
        self._said: tuple[str, ...] = ()
        """The topics that HEAT reports once, and has reported."""

    @property
    def _prefix(self) -> str:
        """Made when it is needed: ten thousand kept ones are a megabyte."""
        return f"{self.options.name}: " if self._reporter.named else ""

    def _first(self, topic: str) -> bool:
        """Tell if HEAT says this for the first time."""
        if topic in self._said:
            return False
        self._said = (*self._said, topic)
        return True

    def waits_for_terminal(self, what: str, run: Attempt, signum: int) -> None:
        """Report a program that a signal stopped, as it asked the terminal; a check, once."""
        if what == "check" and not self._first("terminal"):
            return
        goes_on = "it has no time limit, and HEAT waits for it"
        if run.limit is not None:
            goes_on = f"it is killed {seconds(round(run.limit, 3))} s after its start"
        self._fault(
            f"{what} {run.shown} (process {run.pid}) is stopped: it waits for the terminal "
            f"(SIG{signals.name(signum)}), which is not its own; {goes_on}. Have it ask nothing "
            "(sudo -n, ssh -o BatchMode=yes), or start HEAT without a terminal (setsid)"
        )

    def stuck(self, run: Attempt) -> None:
        """Report a program that outlives SIGKILL, or that HEAT may not kill; that once."""
        if run.denied and not self._first("denied"):
            return
        what = f"{run.shown} (process {run.pid})"
        if run.denied:
            self._fault(
                f"{what} runs as another user and may not be signalled by this one: HEAT cannot "
                "end it, and does not run it again until it has ended by itself; give it a time "
                "limit of its own, as with timeout(1) behind sudo, or run HEAT as root. "
                "HEAT says this once"
            )
        else:
            self._fault(f"{what} does not die of KILL; HEAT runs it again only when it has ended")

    @property
    def on_left(self) -> Callable[[Attempt, Sequence[str]], None] | None:
        """`left`; None after it has been called."""
        return None if "left" in self._said else self.left

    def left(self, run: Attempt, processes: Sequence[str]) -> None:
        """Report, once, processes of a program that are out of reach."""
        if not self._first("left"):
            return
        what = f"{run.shown} (process {run.pid}) has ended, but"
        if processes:
            self._fault(
                f"{what} {', '.join(processes)} of its group lives on and may not be signalled by "
                "this user, or does not die of KILL: HEAT leaves it running; have the program end "
                "what it starts. HEAT says this once"
            )
        else:
            self._fault(
                f"{what} a process that it started has left its process group (as with setsid) "
                "and still holds its output; HEAT cannot find it and leaves it running: have the "
                "check end what it starts. HEAT says this once"
            )

    def late_output(self, run: Attempt, output: Output) -> None:
        """Record what a check, or what it left behind, printed while HEAT ended it."""
        if output != SILENT:
            after = "its time was up" if run.timed_out else "it had ended, by what it left behind"
            text = [f"(printed after {after})", *lines_of(output)]
            self._record(run.started_unix, "INFO", self.options.shown, text)

    def killed(self, what: str, run: Attempt, consequence: str) -> str:
        """Tell that somebody else has killed a program, and what follows from that."""
        signal, policy = signals.name(run.status.signal or 0), self.spelled("on-killed", "fail")
        return (
            f"{what} {run.shown} (process {run.pid}) was killed by SIG{signal}, and not by "
            f"HEAT; {policy} {consequence}"
        )

    def ending_of_run(self, run: Attempt) -> str:
        """Tell how a program ended, in a word or two."""
        return ending(run)
