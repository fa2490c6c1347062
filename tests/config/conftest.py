"""The folders in which HEAT refuses a command line, and reads a file."""

from pathlib import Path

import pytest
from place import Place
from refusals import lay_out
from toml_files import WEB


@pytest.fixture
def folder(place: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A folder with files of all kinds."""
    monkeypatch.chdir(place.folder)
    lay_out(place)
    return place


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to start in, with another that has a file and its programs."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "etc").mkdir()
    ok = tmp_path / "etc/ok"
    ok.write_text("#!/bin/sh\n")
    ok.chmod(0o755)
    (tmp_path / "etc/heat.toml").write_text(WEB)
    return tmp_path
