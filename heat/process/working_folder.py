"""The folder that programs run in, by its name: whoever has that name now is meant.

A deployment moves a ``current`` link, or puts a new folder in the place of the old one. HEAT's
own current folder would go on being the old one, deleted or not.
"""

import contextlib
import os
from collections.abc import Callable

from heat.errors import reason_of
from heat.text import escaped


class Folder:
    """Where HEAT is; looked at before each start of a program, which takes 2 us.

    ``said`` is told when it moves, and once while nothing has its name.
    """

    def __init__(self, name: str, said: Callable[[str], None]) -> None:
        self._name = name
        self._shown = escaped(name)
        self._said = said
        about = os.stat(".")
        self.identity = about.st_dev, about.st_ino
        """No other folder gets this as long as HEAT is in it."""
        self._missing = False

    def follow(self) -> bool:
        """Go to the folder that has the name now; False where there is none, and HEAT stays."""
        try:
            about = os.stat(self._name)
        except (FileNotFoundError, NotADirectoryError) as error:
            self._miss("is gone", error)
            return False
        except OSError:
            return True  # Who is in it may not see its name: nothing is known, so HEAT stays.
        identity = about.st_dev, about.st_ino
        if identity != self.identity:
            return self._move(identity)
        if self._missing:
            self._missing = False
            self._said(f"the folder {self._shown} is back")
        return True

    def _move(self, identity: tuple[int, int]) -> bool:
        try:
            os.chdir(self._name)
        except OSError as error:
            self._miss("is another one now, which cannot be entered", error)
            return False
        self.identity = identity
        self._missing = False
        self._said(f"the folder {self._shown} is another one now: programs run there")
        return True

    def _miss(self, what: str, error: OSError) -> None:
        if not self._missing:
            self._missing = True
            self._said(
                f"the folder {self._shown} {what} ({reason_of(error)}): programs run in what it "
                "was, and those that are gone with it are tried again, until there is one"
            )

    def holds(self, path: str) -> bool:
        """A path leads through this folder."""
        return not path.startswith("/") or path.startswith(f"{self._name}/")


def here() -> str:
    """The current folder, by the name that the shell has for it; ``.`` where it has none.

    That name may lead through a link, such as ``current``, which is followed where it moves.
    """
    name = os.environ.get("PWD", "")
    with contextlib.suppress(OSError):
        if name.startswith("/") and os.path.samefile(name, "."):
            return name
        return os.getcwd()
    return "."
