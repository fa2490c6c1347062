"""Files in TOML: good ones as text, and bad ones with what HEAT says of them."""

from pathlib import Path
from typing import NamedTuple

import pytest

from heat.app.cli import understand
from heat.config.options import Options
from heat.config.toml_file import parse
from heat.diagnostics import Diagnostic

WEB = '[monitor.web]\nscript = "./ok"\ninterval = 30\n'
HUGE = "0x" + "f" * 20_000


class Bad(NamedTuple):
    """A file, the complaint after its name, and the hint in the line below."""

    text: str
    complaint: str
    hint: str = ""


def web(line: str, complaint: str, hint: str = "") -> Bad:
    """One more line in the table of a monitor."""
    key = line.partition("=")[0].strip()
    return Bad(f"{WEB}{line}\n", f"monitor.web.{key}: {complaint}", hint)


def interval(value: str, complaint: str, hint: str = "") -> Bad:
    text = f'[monitor.web]\nscript = "./ok"\ninterval = {value}\n'
    return Bad(text, f"monitor.web.interval: {complaint}", hint)


def command(value: str, complaint: str, hint: str = "") -> Bad:
    text = f"[monitor.web]\ninterval = 30\ncommand = {value}\n"
    return Bad(text, f"monitor.web.command: {complaint}", hint)


def mistakes_of(text: str | bytes) -> list[Diagnostic]:
    data = text if isinstance(text, bytes) else text.encode()
    return parse(data, "heat.toml", "/etc/heat.toml")[1]


def monitors(text: str) -> dict[str, Options]:
    config, diagnostics = parse(text.encode(), "heat.toml", "/etc/heat.toml")

    assert [str(each) for each in diagnostics] == []
    return config.monitors


def lay_out(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a file and its programs in `etc` below the folder, and start in that."""
    monkeypatch.chdir(folder)
    (folder / "etc").mkdir()
    ok = folder / "etc/ok"
    ok.write_text("#!/bin/sh\n")
    ok.chmod(0o755)
    (folder / "etc/heat.toml").write_text(WEB)
    return folder


def lines_of(*words: str) -> list[str]:
    """Return what HEAT says of a command line that it refuses."""
    return [str(each) for each in understand(words).diagnostics]


def assert_bad(bad: Bad) -> None:
    """Hold that HEAT has one complaint about this file, and a hint."""
    (diagnostic,) = mistakes_of(bad.text)
    message, hint = diagnostic.message, diagnostic.hint

    assert message.startswith(f"heat.toml: {bad.complaint}") or bad.complaint in message
    assert message.startswith("heat.toml: ")
    assert hint
    assert bad.hint in hint
    assert "\n" not in message + hint
