"""``subprocess.run`` in IN_FLIGHT threads, as fast as it goes.

usage: plain.py PROGRAM CHECKS IN_FLIGHT; prints checks a second.
"""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor


def rate(path: str, checks: int, in_flight: int) -> float:
    def check(_number: int) -> int:
        done = subprocess.run([path], capture_output=True, timeout=30, check=False)
        return done.returncode

    with ThreadPoolExecutor(in_flight) as threads:
        began = time.perf_counter()
        list(threads.map(check, range(checks)))
        return checks / (time.perf_counter() - began)


if __name__ == "__main__":
    print(rate(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
