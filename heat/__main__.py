"""``python -m heat``."""

import sys

from heat import inherited

if __name__ == "__main__":
    inherited.put_right()  # Before all that takes its time to load.
    from heat.cli import main

    sys.exit(main())
