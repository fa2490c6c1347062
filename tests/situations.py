"""A monitor in a virtual world, in a situation: after some seconds, with these results."""

from collections.abc import Iterable

from virtual import VirtualWorld, why_of

from heat.ctl import explain
from heat.ctl.commands.why import laid_out
from heat.rehearsal.programs import Ends

OK, FAILS = Ends(after=1), Ends(code=7, after=1)
HANGS = Ends(after=None)

FAILING = {"checks": [FAILS]}
TARGET = ("--pid=42", "--fault-signal=STOP", "--success-signal=CONT")
RECOVERS = ("--threshold=1", "--recovery=./r")
TIMED = (*RECOVERS, "--recovery-timeout=25", "--max-recoveries=2")
WATCHES = (*RECOVERS, "--max-recoveries=1", "--when-spent=watch")
LASTS = {"recoveries": [Ends(after=4)]}


def situation(
    *words: str,
    at: float,
    checks: Iterable[Ends] = (OK,),
    fails: Iterable[Ends] = (Ends(),),
    recoveries: Iterable[Ends] = (Ends(),),
) -> VirtualWorld:
    """Return a world with a monitor of these options, ``at`` seconds after its start."""
    world = VirtualWorld(*words, checks=checks, fails=fails, recoveries=recoveries)
    return world.run_until(at)


def screen(world: VirtualWorld) -> str:
    """Return the screen of heatctl why, with one blank between words."""
    lines = laid_out(explain.parts(why_of(world)), None)
    return "\n".join(" ".join(line.split()) for line in lines)
