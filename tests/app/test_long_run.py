"""A HEAT that runs for long keeps nothing of what it has done."""

import stat
from pathlib import Path

from heat_process import memory, open_files, orderly
from place import Place
from processes import until


def test_many_checks_leave_no_descriptor_no_zombie_and_no_memory(place: Place) -> None:
    fail = place.script("fail", "true")
    heat = place.heat(
        "-i", "5ms", "--fail", fail, "-t", "0.5", "-s", place.script("check", "echo x; exit 1")
    )
    heat.await_line("Failed", 40)
    files, before = open_files(heat), memory(heat, "VmRSS")
    heat.await_line("Failed", 240)
    until(lambda: open_files(heat) <= files + 1, "no more descriptors than before")
    after = memory(heat, "VmRSS")
    children = Path(f"/proc/{heat.pid}/task/{heat.pid}/children")
    running = len(children.read_text().split()) if children.exists() else 0

    assert heat.stop() == 0
    orderly(heat)
    assert running <= 3  # A check, a script, the keeper.
    assert after - before < 1024
    assert stat.S_ISREG((place.folder / "heat.log").stat().st_mode)
