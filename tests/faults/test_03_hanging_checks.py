"""Row 3: a check hangs, ignores TERM, or is stopped."""

import time

from heat_process import FAST, Heat
from place import Place
from processes import PATIENCE, alive, until

HANGING = {
    "hangs": ("exec sleep 600", 0),
    "ignores TERM": ("trap '' TERM\nwhile :; do sleep 0.05; done", 2),
    "stopped": ("kill -STOP $$", 0),
    "stopped, ignores TERM": ("trap '' TERM\nkill -STOP $$\nwhile :; do sleep 0.05; done", 2),
    "its child ignores TERM": (
        "(trap '' TERM; while :; do sleep 0.05; done) & echo $! > pid\nwait",
        2,
    ),
}
"""Ways to hang, and the seconds from the timeout until the check can be gone."""


def test_a_check_that_hangs_has_failed_at_its_timeout_and_is_gone_2_s_later(
    place: Place,
) -> None:
    heats: dict[str, tuple[Place, Heat]] = {}
    began: dict[str, float] = {}
    for name, (body, _) in HANGING.items():
        there = place.inner(name)
        check = there.check(0, body=f"[ $n -gt 0 ] || {{ echo $$ > pid\n{body}\n}}")
        words = ("-i", FAST, "-t", "1", "--on-killed", "error", "--json", "-s", check)
        began[name] = time.monotonic()
        heats[name] = there, there.heat(*words)
    gone: dict[str, float] = {}

    def all_gone() -> bool:
        for name, (there, heat) in heats.items():
            failed = "failed" in heat.out.read_text()
            if failed and name not in gone and not alive(int(there.words("pid")[0])):
                gone[name] = time.monotonic()
        return len(gone) == len(HANGING)

    until(all_gone, "the end of the checks")
    for name, (there, heat) in heats.items():
        # The timeout is for the first check; the machine may be too slow for a later one.
        there.await_words("check.ran", 2)

        assert heat.stop() == 0
        first = heat.objects()[0]
        assert (first["result"], first["code"]) == ("failed", 124)
        assert 1 <= first["duration"] < 1 + PATIENCE
        assert gone[name] - began[name] >= 1 + HANGING[name][1]
        assert heat.verbose().count("[Timed out after 1 s]") >= 1


def test_no_second_check_starts_while_the_first_one_dies(place: Place) -> None:
    check = place.script(
        "check",
        "[ -e lock ] && echo overlap >> bad\n: > lock\necho $$ >> pids\ntrap '' TERM\n"
        "while [ -e lock ]; do sleep 0.02; done",
    )
    heat = place.heat("-i", FAST, "-t", "0.1", "-s", check)
    heat.await_line("Timed out")
    status = heat.status()
    (place.folder / "lock").unlink()
    place.await_words("pids", 2)
    (place.folder / "lock").unlink()

    assert heat.stop() == 0
    assert "1 check" in status
    assert not (place.folder / "bad").exists()
