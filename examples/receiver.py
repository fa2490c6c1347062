#!/usr/bin/env python3
"""A process to send signals to: prints each one it gets; examples/receiver.py [PID_FILE].

KILL and STOP cannot be caught, so they are never printed. TERM and INT are printed, and
end it.
"""

import os
import signal
import sys
import time
from pathlib import Path


def name(signum: int) -> str:
    """``USR1`` for 10, ``RTMIN+1`` for 35."""
    if signum >= signal.SIGRTMIN:
        return f"RTMIN+{signum - signal.SIGRTMIN}"
    return signal.Signals(signum).name.removeprefix("SIG")


def tell(signum: int, _frame: object) -> None:
    """Print it; end on TERM and INT."""
    print(f"{int(time.time())}: {name(signum)}", flush=True)
    if signum in (signal.SIGTERM, signal.SIGINT):
        sys.exit(0)


def main() -> None:
    """Wait for signals until one of them ends it."""
    for signum in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(signum, tell)
    pid_file = Path(sys.argv[1] if len(sys.argv) > 1 else "receiver.pid")
    pid_file.write_text(f"{os.getpid()}\n")
    print(f"receiver: process {os.getpid()} waits for signals", flush=True)
    try:
        while True:
            signal.pause()
    finally:
        pid_file.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
