"""Fork HEAT, for what another process does better: reading a file, keeping pipes open."""

import os
import warnings


def fork() -> int:
    """Fork, and return what os.fork does. Raises OSError."""
    with warnings.catch_warnings():
        # Python 3.12 warns of threads, of which HEAT has none.
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()
