"""``python -m heat.housekeeping FILE SECONDS``: what the state file needs now and then.

A process of its own, so that no tick waits for a disk: it removes history that is older than
this, a little at a time, and puts the log of SQLite into the file.
"""

import sqlite3
import sys
import time

from heat.state import old

_PATIENCE = 5.0
"""Seconds to wait for HEAT's own writing, which takes less than a millisecond."""


def main(path: str, span: str) -> int:
    """Do it; 1 if it could not be done, which the next time will make good."""
    try:
        db = sqlite3.connect(f"file:{path}?mode=rw", uri=True, timeout=_PATIENCE, isolation_level=None)
        with db:
            for sql, values in old(time.time() - float(span)):
                db.execute(sql, values)
        db.execute("PRAGMA wal_checkpoint(PASSIVE)")
        db.close()
    except sqlite3.Error:
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
