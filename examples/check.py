#!/usr/bin/env python3
"""The server's check: examples/check.py [PORT].

Exit code 0 if GET /health_check is answered with 200; 1 if there is no answer, 2 if it is
another one. The reason goes to stderr, from where HEAT takes it into heat.log.
"""

import http.client
import sys


def main() -> int:
    """Ask once."""
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8765
    connection = http.client.HTTPConnection("127.0.0.1", port)  # HEAT has the timeout
    try:
        connection.request("GET", "/health_check")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        print(f"no answer from 127.0.0.1:{port}: {error}", file=sys.stderr)
        return 1
    if status != http.HTTPStatus.OK:
        print(f"127.0.0.1:{port} answered {status}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
