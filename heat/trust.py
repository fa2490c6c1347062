"""The rule of who may give root orders, for every file that HEAT reads, runs or opens.

A HEAT of root does what its scripts, its configuration and its state say. A user who may change
one of them, or put another one in its place, is as good as root. So, for root:

- A file must belong to root, or to HEAT's own user, and neither its group nor others may write it.
  That holds for the group root as well: its members are not root.
- Others may not write to a folder on the path, unless it is sticky. Every folder counts that the
  kernel goes through, those of each symbolic link as well.
- A folder that belongs to another user, or that a group other than root's may write, is a warning:
  on some systems /var/log and /usr/local/bin are so, and people start ``sudo heat`` in their homes.
- On a file system that is mounted read-only nobody may write, whatever a mode says.
- A sticky folder keeps its entries for their owners, so a link in it must belong to root as well.

The rule does not bind the HEAT of another user, which can do no more than that user may; nor
programs that a check itself starts, nor modules that an interpreter loads.

A pid file has a milder rule, in `heat.process.pid_file`: a service may write its own, and its
owner decides what it can do.
"""

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache

from heat.text import escaped
from states.engine.named_tuple import NamedTuple

_MOST_LINKS = 40
"""The kernel's own limit."""
AS_ROOT = "and HEAT runs as root"


class Step(NamedTuple):
    """A folder or link on the way to a file, or the file; ``shared`` if in a sticky folder."""

    path: str
    about: os.stat_result
    shared: bool


class Doubt(NamedTuple):
    """A file or folder by which another user may give HEAT orders: why, and what ends that."""

    kind: str
    """``folder``, ``link``, or empty for the file itself."""
    path: str
    why: str
    hint: str

    def sentence(self, of_file: str) -> str:
        """Return it as a sentence, which begins with ``of_file`` if it is about the file itself."""
        subject = f"the {self.kind} {escaped(self.path)}" if self.kind else of_file
        return f"{subject} {self.why}".lstrip()


class Trust:
    """One look at many files, and one at each folder; files change, so make another later."""

    def __init__(self) -> None:
        self.is_asked = os.geteuid() == 0
        self.warnings: dict[str, None] = {}
        """Warnings about folders, each once, in the order in which they came."""
        self._look = cache(os.lstat)
        self._in_folder = cache(self._doubts_in)
        self._doubts_of = cache(self._all_doubts)

    def doubts(self, path: str, *, follow: bool = True) -> Sequence[Doubt]:
        """Return the doubts about a file that root trusts; none for the HEAT of another user.

        A missing file is not doubtful, but the folder that it would be in may be. ``follow`` a
        link at the end of the path only if HEAT does when it opens the file.
        """
        return self._doubts_of(path, follow) if self.is_asked else ()

    def _all_doubts(self, path: str, follow: bool) -> Sequence[Doubt]:  # noqa: FBT001 - cached
        folder, name = os.path.split(path)
        here, on_the_way = self._in_folder(folder)
        if here is None:
            return on_the_way
        steps, _ = _walk(name, self._look, here, follow=follow)
        return tuple(dict.fromkeys((*on_the_way, *self._judged(steps))))

    def _doubts_in(self, folder: str) -> tuple[str | None, Sequence[Doubt]]:
        """Return where a folder really is, if it is there, and the doubts on the way."""
        try:
            whole = os.path.join(os.getcwd(), folder)
            steps, here = _walk(whole, self._look)
        except (OSError, ValueError):
            return None, ()
        return here, tuple(dict.fromkeys(self._judged(steps)))

    def _judged(self, steps: Iterable[Step]) -> Iterator[Doubt]:
        for step in steps:
            yield from _doubts(step)
            if warning := _warning(step):
                self.warnings[warning] = None


def leading_to(path: str) -> tuple[Sequence[Step], str | None]:
    """Return the folders and links that lead to a file, and the file, as far as they exist.

    And its real path, without links; None where there is nothing.
    """
    try:
        return _walk(os.path.join(os.getcwd(), path), os.lstat)
    except OSError:
        return (), None


def _walk(
    path: str,
    look: Callable[[str], os.stat_result],
    here: str = "/",
    *,
    follow: bool = True,
) -> tuple[Sequence[Step], str | None]:
    """Go from ``here`` as the kernel does; return the steps, and where they end, or None.

    They break off where there is no way on: the error of opening the file says why.
    """
    steps: list[Step] = []
    left, links = path.split("/")[::-1], 0
    if path.startswith("/"):
        steps.append(Step("/", look("/"), shared=False))
        here = "/"
    try:
        while left:
            word = left.pop()
            if word in ("", "."):
                continue
            if word == "..":
                here = os.path.dirname(here)
                continue
            there = f"{here}/{word}" if here != "/" else f"/{word}"
            about = look(there)
            shared = bool(look(here).st_mode & stat.S_ISVTX)
            steps.append(Step(there, about, shared))
            if not stat.S_ISLNK(about.st_mode):
                here = there
                continue
            links += 1
            if links > _MOST_LINKS or not (left or follow):
                return steps, None
            target = os.readlink(there)
            here = "/" if target.startswith("/") else here
            left += target.split("/")[::-1]
    except (OSError, ValueError):
        return steps, None
    return steps, here


def own(uid: int) -> bool:
    """Return whether this user may give HEAT orders."""
    return uid in (0, os.geteuid()) or uid == _unknown_owner()


def is_foreign(about: os.stat_result) -> str:
    """Return why another user may have written an open file; empty if none may."""
    step = Step("", about, shared=False)
    return next((doubt.why for doubt in _doubts(step)), "") if os.geteuid() == 0 else ""


def user(uid: int) -> str:
    """Return a user as messages name one, by the name that this machine has for the id."""
    return _named("user", "/etc/passwd", uid)


def group(gid: int) -> str:
    """Return a group as messages name one."""
    return _named("group", "/etc/group", gid)


def _doubts(step: Step) -> Iterator[Doubt]:
    mode, uid = step.about.st_mode, step.about.st_uid
    if stat.S_ISLNK(mode):
        kind, counts, many = "link", step.shared, 0
    elif stat.S_ISDIR(mode):
        kind, counts, many = "folder", False, 0 if mode & stat.S_ISVTX else stat.S_IWOTH
    elif stat.S_ISREG(mode):
        kind, counts, many = "", True, stat.S_IWOTH | stat.S_IWGRP
    else:
        return  # Not a file of HEAT's; other code refuses it.
    if counts and not own(uid):
        of_link = "-h " if kind == "link" else ""
        why = f"belongs to {user(uid)}, {AS_ROOT}"
        yield Doubt(kind, step.path, why, f"chown {of_link}root {escaped(step.path)}")
    if mode & many and not _is_read_only(step.path):
        who = "anybody" if mode & stat.S_IWOTH else group(step.about.st_gid)
        why = f"may be written to by {who}, {AS_ROOT}"
        yield Doubt(kind, step.path, why, f"chmod go-w {escaped(step.path)}")


def _warning(step: Step) -> str:
    about = step.about
    if not stat.S_ISDIR(about.st_mode):
        return ""
    foreign = not own(about.st_uid)
    shared = about.st_mode & (stat.S_IWGRP | stat.S_IWOTH | stat.S_ISVTX) == stat.S_IWGRP
    if not (foreign or (shared and about.st_gid)) or _is_read_only(step.path):
        return ""
    shown, may = escaped(step.path), "may put other files in place of what HEAT uses there"
    if foreign:
        hint = f"keep HEAT's files elsewhere, or chown root {shown}"
        return f"the folder {shown} belongs to {user(about.st_uid)}, who {may}, {AS_ROOT}: {hint}"
    who = group(about.st_gid)
    return (
        f"the folder {shown} may be written to by {who}, which {may}, {AS_ROOT}: chmod g-w {shown}"
    )


def _is_read_only(path: str) -> bool:
    """Return whether it is mounted read-only, as Kubernetes mounts configurations."""
    try:
        return bool(os.statvfs(path).f_flag & os.ST_RDONLY)
    except OSError:
        return False


def _named(kind: str, file: str, number: int) -> str:
    """Look a name up in the local file; pwd and grp may ask a server and wait for it."""
    try:
        with open(file, "rb") as known:
            for line in known:
                name, *rest = line.split(b":", 3)
                if rest[1:2] == [b"%d" % number]:
                    return f"{kind} {escaped(os.fsdecode(name))} ({number})"
    except OSError:
        pass  # The number will do.
    return f"{kind} {number}"


@cache
def _unknown_owner() -> int | None:
    """Return the id of all users that this user namespace does not know, such as the real root.

    In a container whose root is nobody outside, /bin/sh belongs to that id. None where the
    namespace knows all users.
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
