"""heatctl validate: HEAT's own reader and checks of files, without a running HEAT."""

import json
import os
from pathlib import Path

import pytest
from place import Place

from heat.ctl.main import main

WELL = '[monitor.web]\ninterval = 1\ntimeout = 1\nscript = "./check"\n'
ILL = (
    '[monitor.web]\nintervall = 1\nscript = "./gone"\n[monitor.db]\ninterval = "x"\ncommand = []\n'
)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))


def written(place: Place, text: str) -> str:
    place.check(0)
    (place.folder / "heat.toml").write_text(text)
    return os.fspath(place.folder / "heat.toml")


def test_a_sound_file(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(place, WELL)

    assert main(["validate", path]) == 0
    assert capsys.readouterr() == (f"{path}: 1 monitor, no mistakes\n", "")
    assert Path.cwd().name.startswith("elsewhere")


def test_all_mistakes_at_once(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(place, ILL)

    assert main(["validate", path]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert (
        f"{path}: monitor.web.intervall: is not a key of a monitor\n  did you mean interval?" in err
    )
    assert f"{path}: monitor.db.interval: 'x' is not a duration" in err
    assert f"{path}: monitor.db.command: is empty" in err


def test_it_looks_at_files_even_if_a_key_is_wrong(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(place, WELL.replace("./check", "./gone") + "intervall = 3\n")

    assert main(["validate", path]) == 2
    err = capsys.readouterr().err
    assert "monitor.web.intervall: is not a key" in err
    assert "monitor.web.script: ./gone not executable" in err


def test_it_looks_for_files_in_the_folder_of_the_configuration(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(place, WELL.replace("./check", "./gone"))

    assert main(["validate", path]) == 2
    assert "monitor.web.script: ./gone not executable" in capsys.readouterr().err


def test_it_warns_of_what_may_be_a_mistake(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    target = place.spawn(["sleep", "600"])
    (place.folder / "web.pid").write_text(f"{target.pid}\n")
    path = written(place, f'{WELL}pid-file = "web.pid"\nsignal = "USR1"\n')

    assert main(["validate", path]) == 0
    out, err = capsys.readouterr()
    assert out == f"{path}: 1 monitor, no mistakes\n"
    assert err.startswith(f"Warning: {path}: monitor.web: process {target.pid} does not catch USR1")


def test_a_pid_file_that_does_not_exist_yet_is_fine(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["validate", written(place, f'{WELL}pid-file = "web.pid"\n')]) == 0
    assert capsys.readouterr().err == ""


def test_it_gives_the_same_advice_only_once(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    slow = WELL.replace("timeout = 1", 'timeout = "none"')
    path = written(place, slow + slow.replace("web", "db"))

    assert main(["validate", path]) == 0
    out, err = capsys.readouterr()
    assert out == f"{path}: 2 monitors, no mistakes\n"
    assert err.startswith(f"Advice: {path}: monitor.web.timeout: 'none' lets a check hang for ever")
    assert err.splitlines()[0].endswith("(so in 1 other monitor)")
    assert err.count("Advice") == 1
    assert main(["validate", "--json", path]) == 0
    assert "timeout" in json.loads(capsys.readouterr().out)["advice"][0]["line"]


def test_validation_as_json(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(place, ILL)

    assert main(["validate", "--json", path]) == 2
    report = json.loads(capsys.readouterr().out)
    assert report["file"] == path
    assert report["mistakes"][0]["fix"] == "did you mean interval?"
    assert main(["validate", "--json", written(place, WELL)]) == 0
    assert json.loads(capsys.readouterr().out)["monitors"] == 1


@pytest.mark.parametrize(
    ("file", "wrong"),
    [
        ("gone.toml", "gone.toml: no such file"),
        ("gone/heat.toml", "gone/heat.toml: no such file"),
        (".", ".: is a directory"),
        ("", ": is a directory"),
        ("a\0b", "a\\x00b: cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read(
    file: str, wrong: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["validate", file]) == 2
    assert wrong in capsys.readouterr().err


def test_a_word_too_many(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", "a", "b"]) == 2
    assert "unexpected 'b': 'heatctl validate' takes only one FILE" in capsys.readouterr().err
    assert main(["validate"]) == 2
    assert "FILE is missing" in capsys.readouterr().err


def test_it_neither_reads_nor_makes_a_log(place: Place) -> None:
    path = written(place, WELL)
    before = sorted(os.listdir(place.folder))
    main(["validate", path])

    assert sorted(os.listdir(place.folder)) == before
    assert os.listdir() == []
