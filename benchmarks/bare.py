"""The barest loop in Python that runs a check at an interval: what Python itself costs.

usage: bare.py SECONDS PROGRAM
"""

import os
import sys
import time


def loop(interval: float, path: str) -> None:
    due = time.monotonic()
    while True:
        pid = os.posix_spawn(path, [path], os.environ)
        os.waitpid(pid, 0)
        due += interval
        time.sleep(max(0.0, due - time.monotonic()))


if __name__ == "__main__":
    loop(float(sys.argv[1]), sys.argv[2])
