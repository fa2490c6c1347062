"""The working folder of programs, by its name: it is the folder that has that name now.

A deployment moves a ``current`` link, or puts a new folder in the place of the old one. HEAT's
own current folder would still be the old one, deleted or not.
"""

import contextlib
import os
from collections.abc import Callable

from heat.errors import reason_of
from heat.text import escaped


class Folder:
    """HEAT's folder; HEAT looks at it before each start of a program, which takes 2 us.

    ``report`` hears when it moves, and once while nothing has its name.
    """

    def __init__(self, name: str, report: Callable[[str], None]) -> None:
        self._name = name
        self._shown = escaped(name)
        self._report = report
        about = os.stat(".")
        self.identity = about.st_dev, about.st_ino
        """No other folder gets this identity as long as HEAT is in it."""
        self._missing = False

    def follow(self) -> bool:
        """Go to the folder that has the name now; return False if none has, and then stay."""
        try:
            about = os.stat(self._name)
        except (FileNotFoundError, NotADirectoryError) as error:
            self._miss("is gone", error)
            return False
        except OSError:
            return True  # HEAT is in it, and yet may not look it up: so it stays.
        identity = about.st_dev, about.st_ino
        if identity != self.identity:
            return self._move(identity)
        if self._missing:
            self._missing = False
            self._report(f"the folder {self._shown} is back")
        return True

    def _move(self, identity: tuple[int, int]) -> bool:
        try:
            os.chdir(self._name)
        except OSError as error:
            self._miss("was replaced by one that HEAT cannot enter", error)
            return False
        self.identity = identity
        self._missing = False
        self._report(f"the folder {self._shown} was replaced: programs run in the new one")
        return True

    def _miss(self, what: str, error: OSError) -> None:
        if not self._missing:
            self._missing = True
            self._report(
                f"the folder {self._shown} {what} ({reason_of(error)}): programs run in the old "
                "one until there is a new one; HEAT tries again those that are gone with it"
            )

    def holds(self, path: str) -> bool:
        """Return whether a path leads through this folder."""
        return not path.startswith("/") or path.startswith(f"{self._name}/")


def here() -> str:
    """Return the current folder by the name that the shell has for it; ``.`` if it has none.

    That name may lead through a link, such as ``current``; HEAT follows it when it moves.
    """
    name = os.environ.get("PWD", "")
    with contextlib.suppress(OSError):
        if name.startswith("/") and os.path.samefile(name, "."):
            return name
        return os.getcwd()
    return "."
