"""The first opening of the state file: HEAT goes on without it, or refuses to start."""

import errno
import sqlite3
from collections.abc import Callable

from heat.errors import StartRefused, reason_of
from heat.files import NotOwnFileError
from heat.runtime.lock import HeldError

_PASSING = {errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.EIO}
"""Errors that may pass: HEAT starts without the file, and tries again."""
_HINT = "name a file that can be written, in a folder that can be: --state FILE"


def open_or_refuse(open_file: Callable[[], None], shown: str) -> str:
    """Open the file; return why it cannot be used now, or an empty text. Raises StartRefused."""
    try:
        open_file()
    except HeldError as error:
        who = "another HEAT" if error.pid is None else f"another HEAT, process {error.pid},"
        raise StartRefused(
            f"Error: --state {shown} belongs to {who} that runs now\n"
            "  stop that one, or give this one a file of its own: --state FILE"
        ) from None
    except NotOwnFileError as error:
        hint = "make it HEAT's own, or give HEAT another file: --state FILE"
        raise _refused(shown, str(error), hint) from None
    except OSError as error:
        if error.errno not in _PASSING:
            raise _refused(shown, reason_of(error)) from None
        return reason_of(error)
    except sqlite3.OperationalError as error:
        return str(error)
    except sqlite3.Error as error:
        raise _refused(shown, str(error)) from None
    return ""


def _refused(shown: str, why: str, hint: str = _HINT) -> StartRefused:
    return StartRefused(f"Error: --state {shown} cannot be opened: {why}\n  {hint}")
