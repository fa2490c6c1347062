"""A copy of the project with its own environment, for mutants that real processes run."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

HOME = Path(__file__).parent.parent.parent
_PROGRAMS = ("heat", "heatctl")


class Copy:
    """The tracked files of the project, as they are now, in a temporary folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.python = folder / ".venv/bin/python"

    @classmethod
    def make(cls, folder: Path) -> Self:
        """Copy the files into an empty folder, and link what is installed here."""
        listed = _run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], HOME)
        for name in filter(None, listed.split("\0")):
            if (HOME / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(HOME / name, folder / name)
        _run([sys.executable, "-m", "venv", "--without-pip", ".venv"], folder)
        made = cls(folder)
        installed = sysconfig.get_path("purelib")
        [library] = (folder / ".venv/lib").glob("python*/site-packages")
        (library / "copy.pth").write_text(f"{folder}\n{installed}\n")
        for name in _PROGRAMS:
            program = folder / ".venv/bin" / name
            text = (folder / "bin" / name).read_text()
            program.write_text(text.replace("#!python", f"#!{made.python}", 1))
            program.chmod(0o755)
        return made

    def write(self, module: str, text: str) -> None:
        """Replace the text of a module, and with it what Python has compiled of it."""
        path = self.folder / module
        path.write_text(text)
        for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
            compiled.unlink()

    def restore(self, module: str) -> None:
        """Put the text of a module back."""
        self.write(module, (HOME / module).read_text())

    def pytest(
        self, words: Sequence[str], limit: float, env: Mapping[str, str] | None = None
    ) -> int | None:
        """Run pytest; its exit status, or None if it took more than ``limit`` seconds."""
        command = [str(self.python), "-m", "pytest", *words]
        log = self.folder / "pytest.log"
        with log.open("wb") as out:
            ran = subprocess.Popen(
                command,
                cwd=self.folder,
                env={**os.environ, **(env or {}), "PYTHONDONTWRITEBYTECODE": ""},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        try:
            return ran.wait(limit)
        except subprocess.TimeoutExpired:
            return None
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(ran.pid, signal.SIGKILL)
            ran.wait()


def _run(command: Sequence[str], folder: Path) -> str:
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout
