"""Row 4: a grandchild keeps the pipe, or escapes."""

from heat_process import FAILED, FAST, open_files, orderly
from place import Place
from processes import alive, until


def test_a_grandchild_that_keeps_the_pipe_delays_no_verdict(place: Place) -> None:
    check = place.script("check", "sleep 600 & echo $! > pid\necho said >&2\nexit 1")
    heat = place.heat("-i", "1h", "--json", "-s", check)
    heat.await_line("failed")
    pid = int(place.words("pid")[0])
    until(lambda: not alive(pid), "the end of the grandchild")

    assert heat.stop() == 0
    (result,) = heat.objects()
    assert result["code"] == 1
    assert result["duration"] < 5
    assert "FAIL : ./check :\n> said\n> [Exit Code 1]\n" in heat.verbose()


def test_a_grandchild_that_escapes_costs_neither_a_verdict_nor_a_descriptor(
    place: Place,
) -> None:
    check = place.check(
        1,
        body="setsid sh -c 'echo $$ >> pids; : > escaped; exec sleep 600' &\n"
        "until [ -e escaped ]; do sleep 0.01; done\nrm escaped",
    )
    heat = place.heat("-i", FAST, "-s", check)
    heat.await_line("Failed", 12)  # Each of the last 0.2 s still has its own.
    files = open_files(heat)
    heat.await_line("Failed", 60)
    until(lambda: open_files(heat) <= files + 1, "no more descriptors than before")

    assert heat.stop() == 0
    assert set(heat.lines()) == {FAILED}
    for pid in place.await_words("pids"):
        place.adopt(int(pid))
    first = place.words("check.ran")[0]
    message = f"./check (process {first}) has ended, but a process that it started has left"
    assert message in heat.news()[0]
    assert f"ERR : heat :\n> {message}" in heat.verbose()
    assert heat.verbose().count("has left its process group") == 1


def test_a_grandchild_that_floods_the_pipe_delays_no_verdict(place: Place) -> None:
    check = place.script(
        "check",
        "setsid sh -c 'echo $$ > pid; exec yes' &\nuntil [ -s pid ]; do sleep 0.01; done\nexit 1",
    )
    heat = place.heat("-i", "1h", "-s", check)
    heat.await_line("Failed")

    assert heat.stop() == 0
    orderly(heat)
    until(lambda: not alive(int(place.await_words("pid")[0])), "the end of the grandchild")
