"""``python -m heat``."""

import sys

from heat.cli import main

if __name__ == "__main__":
    sys.exit(main())
