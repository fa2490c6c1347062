"""Row 38: HEAT and its check are stopped and continued, as a paused container is."""

import os
import signal

from place import Place
from processes import alive, process_state, until


def test_a_check_that_was_stopped_together_with_heat_has_not_timed_out(place: Place) -> None:
    # It takes a second of its own time; the limit of two and a half falls into the pause.
    check = place.script(
        "check", "echo $$ > pid\nfor n in 1 2 3 4 5 6 7 8 9 10; do sleep 0.1; done"
    )
    heat = place.heat("-i", "1h", "-t", "2.5", "-s", check)
    pid = int(place.await_words("pid")[0])
    for each in (pid, heat.pid):
        os.kill(each, signal.SIGSTOP)
    until(lambda: process_state(heat.pid) == "T", "HEAT stopped")
    watch = place.spawn(["sleep", "3"])
    watch.wait()
    for each in (heat.pid, pid):
        os.kill(each, signal.SIGCONT)

    heat.await_line("OK")
    assert heat.stop() == 0
    assert "Timed out" not in heat.out.read_text()


def test_a_check_that_hangs_times_out_after_the_pause_all_the_same(place: Place) -> None:
    check = place.script("check", "echo $$ > pid\nexec sleep 600")
    heat = place.heat("-i", "1h", "-t", "0.6", "-s", check)
    pid = int(place.await_words("pid")[0])
    os.kill(heat.pid, signal.SIGSTOP)
    until(lambda: process_state(heat.pid) == "T", "HEAT stopped")
    place.spawn(["sleep", "1.5"]).wait()
    os.kill(heat.pid, signal.SIGCONT)

    heat.await_line("Timed out after 0.6 s")
    until(lambda: not alive(pid), "its end")
    assert heat.stop() == 0
