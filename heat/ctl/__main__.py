"""``python -m heat.ctl``."""

import sys

from heat.ctl.cli import main

if __name__ == "__main__":
    sys.exit(main())
