#!/usr/bin/env python3
"""A small web server to watch: examples/server.py [PORT] [PID_FILE].

It listens on 127.0.0.1 only, answers GET /health_check with "ok", prints a line on SIGHUP
(a real server would read its configuration again), and ends on SIGTERM. The pid file is
written once it listens, and removed when it ends.
"""

import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Handler(BaseHTTPRequestHandler):
    """Answers /health_check, and nothing else."""

    def do_GET(self) -> None:
        """Say that all is well."""
        known = self.path == "/health_check"
        body = b"ok\n" if known else b"no such page\n"
        self.send_response(200 if known else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words: object) -> None:
        """Keep quiet: a check every few seconds is no news."""


def main() -> None:
    """Serve until SIGTERM."""
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8765
    pid_file = Path(sys.argv[2] if len(sys.argv) > 2 else "server.pid")  # noqa: PLR2004
    signal.signal(signal.SIGHUP, lambda *_: print("server: got HUP", flush=True))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        pid_file.write_text(f"{os.getpid()}\n")
        print(f"server: process {os.getpid()} listens on 127.0.0.1:{port}", flush=True)
        try:
            server.serve_forever()
        finally:
            pid_file.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
