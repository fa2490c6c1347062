"""The ticks of a monitor, on a virtual clock."""

from hypothesis import given
from hypothesis import strategies as st
from virtual import Ends, VirtualWorld

OK = Ends()


def test_the_first_check_starts_at_once_and_the_next_ones_on_the_grid() -> None:
    world = VirtualWorld(checks=[Ends(after=3.3), Ends(after=0.1)]).run_until(35)

    assert world.times("check") == [0, 10, 20, 30]


def test_a_slow_check_shifts_nothing_and_its_ticks_are_skipped() -> None:
    world = VirtualWorld("--timeout=none", checks=[Ends(after=25), OK]).run_until(45)

    assert world.times("check") == [0, 30, 40]
    assert world.monitor.model.skipped == 2


def test_ticks_missed_in_a_stall_are_skipped_and_counted() -> None:
    world = VirtualWorld().run_until(5)
    world.time.stall(3600)
    world.run_until(3625)

    assert world.times("check") == [0, 3605, 3610, 3620]
    assert world.monitor.model.skipped == 359


@given(
    interval=st.floats(0.01, 60),
    durations=st.lists(st.floats(0, 5), min_size=1, max_size=20),
)
def test_no_check_is_early_or_beside_another_and_the_grid_holds(
    interval: float, durations: list[float]
) -> None:
    words = (f"--interval={interval:.6f}", "--timeout=none")
    step = float(f"{interval:.6f}")
    world = VirtualWorld(*words, checks=[*(Ends(after=d * step) for d in durations), OK])
    world.run_until(40.5 * step)

    for start in world.times("check"):
        assert abs(start - round(start / step) * step) < 1e-5
    assert world.monitor.model.checks + world.monitor.model.skipped == 41
