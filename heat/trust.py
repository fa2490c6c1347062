"""Who may tell root what to do: one rule for every file that HEAT reads, runs or opens.

A HEAT of root does what its scripts, its configuration and its state say. Whoever may change
one of them, or put another one in its place, is as good as root. So, for root:

- a file belongs to root, or to HEAT's own user, and neither its group nor others may write it.
  That holds for the group root as well: its members are not root.
- A folder on the path belongs to the same, and others may not write it unless it is sticky. All
  folders count that the kernel goes through, those of each symbolic link as well.
- A folder that another group than root's may write is a warning: on some systems /var/log and
  /usr/local/bin are so.
- A sticky folder keeps its entries for their owners, so a link in it belongs to root as well.

HEAT of another user is not asked: it can do no more than that user may. Nor are programs that a
check starts in its turn, nor modules that an interpreter loads.

A pid file is judged by a milder rule, in `heat.pidfile`: a service may write its own, and what
that can do is told by its owner.
"""

import os
import stat
from collections.abc import Iterator
from functools import cache

from heat.text import escaped
from states.values import NamedTuple

_MOST_LINKS = 40
"""As the kernel has it."""
AS_ROOT = "and HEAT runs as root"


class Step(NamedTuple):
    """One thing on the way to a file, or the file; ``shared`` if it stands in a sticky folder."""

    path: str
    about: os.stat_result
    shared: bool


class Doubt(NamedTuple):
    """Another user may decide what HEAT does: the file or folder, why, and what ends that."""

    kind: str
    """``folder``, ``link``, or empty for the file itself."""
    path: str
    why: str
    fix: str

    def told(self, of_file: str) -> str:
        """Say it in a sentence, that begins with ``of_file`` where the file itself is meant."""
        subject = f"the {self.kind} {escaped(self.path)}" if self.kind else of_file
        return f"{subject} {self.why}".lstrip()


class Trust:
    """One look at many files, each folder looked at once; files change, so begin another later."""

    def __init__(self) -> None:
        self.is_asked = os.geteuid() == 0
        self._look = cache(os.lstat)
        self.warnings: dict[str, None] = {}
        """Folders that a group may write to, each told once, in the order in which they came."""

    def doubts(self, path: str, *, follow: bool = True) -> list[Doubt]:
        """What is doubtful about a file that root trusts; nothing for HEAT of another user.

        What is missing is not doubtful, but the folder that it would be in may be. A file that is
        opened without following a link at its end is not to ``follow`` one here either.
        """
        found: list[Doubt] = []
        if self.is_asked:
            for step in self.steps(path, follow=follow):
                found += _doubts(step)
                if warning := _warning(step):
                    self.warnings[warning] = None
        return found

    def steps(self, path: str, *, follow: bool = True) -> Iterator[Step]:
        """Folders and links as the kernel goes through them, then the file, as far as all exist."""
        try:
            left = os.path.join(os.getcwd(), path).split("/")[::-1]
            here, links = "/", 0
            above = self._look(here)
            yield Step(here, above, shared=False)
            while left:
                word = left.pop()
                if word in ("", "."):
                    continue
                if word == "..":
                    here = os.path.dirname(here)
                    above = self._look(here)
                    continue
                there = os.path.join(here, word)
                about = self._look(there)
                yield Step(there, about, shared=bool(above.st_mode & stat.S_ISVTX))
                if not stat.S_ISLNK(about.st_mode):
                    here, above = there, about
                elif links == _MOST_LINKS or not (left or follow):
                    return
                else:
                    links += 1
                    target = os.readlink(there)
                    if target.startswith("/"):
                        here = "/"
                        above = self._look(here)
                    left += target.split("/")[::-1]
        except (OSError, ValueError):
            return  # Whoever opens it tells why that cannot be.


def own(uid: int) -> bool:
    """Belongs to one who may tell this HEAT what to do."""
    return uid in (0, os.geteuid()) or uid == _unknown_owner()


def is_foreign(about: os.stat_result) -> str:
    """Why what is in an open file may be another user's; empty if it may not."""
    step = Step("", about, shared=False)
    return next((doubt.why for doubt in _doubts(step)), "") if os.geteuid() == 0 else ""


def user(uid: int) -> str:
    """A user in messages, by the name that this machine has for the id."""
    return _named("user", "/etc/passwd", uid)


def group(gid: int) -> str:
    """A group in messages."""
    return _named("group", "/etc/group", gid)


def _doubts(step: Step) -> Iterator[Doubt]:
    mode, uid = step.about.st_mode, step.about.st_uid
    if stat.S_ISLNK(mode):
        kind, counts, many = "link", step.shared, 0
    elif stat.S_ISDIR(mode):
        kind, counts, many = "folder", True, 0 if mode & stat.S_ISVTX else stat.S_IWOTH
    elif stat.S_ISREG(mode):
        kind, counts, many = "", True, stat.S_IWOTH | stat.S_IWGRP
    else:
        return  # No file of HEAT's, which is said elsewhere.
    shown = escaped(step.path)
    if counts and not own(uid):
        of_link = "-h " if kind == "link" else ""
        elsewhere = ", or keep HEAT's files elsewhere" if kind == "folder" else ""
        why = f"belongs to {user(uid)}, {AS_ROOT}"
        yield Doubt(kind, step.path, why, f"chown {of_link}root {shown}{elsewhere}")
    if mode & many:
        who = "anybody" if mode & stat.S_IWOTH else group(step.about.st_gid)
        why = f"may be written to by {who}, {AS_ROOT}"
        yield Doubt(kind, step.path, why, f"chmod go-w {shown}")


def _warning(step: Step) -> str:
    about = step.about
    writable = about.st_mode & (stat.S_IWGRP | stat.S_IWOTH | stat.S_ISVTX) == stat.S_IWGRP
    if not writable or not about.st_gid or not stat.S_ISDIR(about.st_mode):
        return ""
    shown = escaped(step.path)
    return (
        f"the folder {shown} may be written to by {group(about.st_gid)}, which may put its own "
        f"files in place of what HEAT uses there, {AS_ROOT}: chmod g-w {shown}"
    )


def _named(kind: str, file: str, number: int) -> str:
    """From the local file, as pwd and grp may ask a server and wait for it."""
    try:
        with open(file, "rb") as known:
            for line in known:
                name, *rest = line.split(b":", 3)
                if rest[1:2] == [b"%d" % number]:
                    return f"{kind} {escaped(os.fsdecode(name))} ({number})"
    except OSError:
        pass  # The number tells it as well.
    return f"{kind} {number}"


@cache
def _unknown_owner() -> int | None:
    """Stands for all users that this user namespace does not know, such as the real root.

    In a container whose root is nobody outside, /bin/sh belongs to that one. None where all users
    are known.
    """
    try:
        with open("/proc/self/uid_map", "rb") as file:
            spans = [tuple(map(int, line.split())) for line in file]
        with open("/proc/sys/kernel/overflowuid", "rb") as file:
            unknown = int(file.read())
    except (OSError, ValueError):
        return None
    known = any(first <= unknown < first + count for first, _, count in spans)
    return None if known else unknown
