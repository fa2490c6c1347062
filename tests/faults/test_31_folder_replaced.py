"""Row 31: the folder of the configuration is replaced; what has its name now is used."""

import os
import shutil
from pathlib import Path

import pytest
from heat_process import Heat, orderly
from place import Place
from processes import until

CONFIG = '[monitor.web]\ninterval = 0.05\nscript = "./check"\n'


def release(place: Place, name: str, config: str = CONFIG) -> Path:
    """A folder with a configuration and a check, which tells where it is."""
    folder = place.folder / name
    folder.mkdir()
    (folder / "heat.toml").write_text(config)
    (folder / "check").write_text(f"#!/bin/sh\necho {name} >> {place.folder}/ran\n")
    (folder / "check").chmod(0o755)
    return folder


def link(place: Place, to: str) -> None:
    """Replace a link as ln -sfn does, but at once."""
    (place.folder / "new").symlink_to(to)
    (place.folder / "new").rename(place.folder / "current")


def await_run(place: Place, name: str) -> None:
    until(lambda: name in place.words("ran"), f"a check in {name}")


def watch(place: Place, config: Path) -> Heat:
    return place.heat("--config", str(config))


def test_a_link_that_moves_is_followed_and_reload_reads_what_is_there_now(place: Place) -> None:
    release(place, "one")
    two = release(place, "two", CONFIG + '[monitor.db]\ninterval = 60\ncommand = ["true"]\n')
    link(place, "one")
    heat = watch(place, place.folder / "current/heat.toml")
    await_run(place, "one")

    link(place, "two")
    await_run(place, "two")
    heat.reload("1 monitor added, 0 changed")

    assert heat.err.read_text().count("was replaced: programs run in the new one") == 1
    assert os.readlink(f"/proc/{heat.pid}/cwd") == str(two)
    assert heat.stop() == 0
    orderly(heat)


def test_a_new_folder_in_the_place_of_the_old_one_is_used(place: Place) -> None:
    app = release(place, "app")
    release(place, "next")
    heat = watch(place, app / "heat.toml")
    await_run(place, "app")

    app.rename(place.folder / "old")
    (place.folder / "next").rename(app)
    await_run(place, "next")
    shutil.rmtree(place.folder / "old")
    heat.reload("0 monitors added, 0 changed, 0 removed")

    assert heat.stop() == 0
    assert "Unknown" not in heat.out.read_text()
    orderly(heat)


def test_while_there_is_none_results_are_unknown_and_that_is_said_once(place: Place) -> None:
    app = release(place, "app")
    release(place, "next")
    heat = watch(place, app / "heat.toml")
    await_run(place, "app")

    shutil.rmtree(app)
    heat.await_line("Unknown: ./check cannot be started: no such file", 3)
    count = heat.err.read_text().count(f"the folder {app} is gone (no such file or directory)")
    (place.folder / "next").rename(app)
    await_run(place, "next")

    assert count == 1
    assert heat.stop() == 0
    assert "error" not in heat.err.read_text()


def test_what_is_not_in_it_is_run_while_it_is_gone(place: Place) -> None:
    app = release(place, "app", CONFIG.replace('script = "./check"', 'command = ["true"]'))
    heat = watch(place, app / "heat.toml")
    heat.await_line("OK")

    shutil.rmtree(app)
    heat.await_news("is gone")
    heat.await_line("OK", len(heat.lines()) + 3)

    assert heat.stop() == 0
    assert "Unknown" not in heat.out.read_text()


def test_a_folder_that_is_back_is_said_to_be(place: Place) -> None:
    app = release(place, "app")
    heat = watch(place, app / "heat.toml")
    await_run(place, "app")

    app.rename(place.folder / "aside")
    heat.await_news("is gone")
    (place.folder / "aside").rename(app)
    heat.await_news(f"the folder {app} is back")

    assert heat.stop() == 0
    assert "Unknown" not in heat.out.read_text()


def test_a_reload_looks_at_the_files_of_the_new_folder(place: Place) -> None:
    config = '[monitor.web]\ninterval = 3600\nscript = "./check"\n'
    release(place, "one", config)
    two = release(place, "two", config)
    (two / "check").unlink()
    link(place, "one")
    heat = watch(place, place.folder / "current/heat.toml")
    heat.await_file("heat.verbose.log", "watching 1 monitor")

    link(place, "two")

    heat.reload("is not taken")
    heat.await_news("monitor.web.script: ./check not executable")
    shutil.copy(place.folder / "one/check", two / "check")
    heat.reload("0 monitors added, 0 changed, 0 removed")
    assert heat.stop() == 0


@pytest.mark.parametrize("words", [("--config", "heat.toml"), ("-i", "0.05", "-s", "./check")])
def test_the_name_is_that_of_the_shell(place: Place, words: tuple[str, ...]) -> None:
    """Also of a single monitor, which runs where HEAT was started."""
    release(place, "one")
    two = release(place, "two")
    link(place, "one")
    name = f"{place.folder}/current"
    heat = place.heat(*words, prefix=("sh", "-c", f'cd {name} && exec "$@"', "sh"))
    await_run(place, "one")

    link(place, "two")
    await_run(place, "two")
    until((two / "heat.verbose.log").exists, "the log, by its name")

    assert heat.stop() == 0
    orderly(heat)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_who_may_not_see_the_name_of_the_folder_stays_in_it(place: Place) -> None:
    """Run as with sudo -u nobody, in a folder below one that only root may enter."""
    place.folder.chmod(0o777)
    place.folder.parent.chmod(0o700)
    nobody = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")
    heat = place.heat("-i", "0.05", "--count", "3", "pwd", prefix=nobody)

    if heat.wait() == 1 and "ermission denied" in heat.err.read_text():
        pytest.skip("nobody may not run this Python")
    assert heat.lines() == ["OK"] * 3
    assert "folder" not in heat.err.read_text()
