#!/bin/sh
# The recovery script: end what is left of the server, start it again, and return when it
# listens (it writes server.pid then), so that HEAT's next check finds it.
set -eu

here=$(dirname "$0")

if [ -s server.pid ]; then
    pid=$(cat server.pid)
    # A stopped process gets TERM only when it continues, so CONT goes with it.
    kill -TERM "$pid" 2>/dev/null || true
    kill -CONT "$pid" 2>/dev/null || true
    tries=20
    while kill -0 "$pid" 2>/dev/null && [ "$tries" -gt 0 ]; do
        sleep 0.1
        tries=$((tries - 1))
    done
    kill -KILL "$pid" 2>/dev/null || true
    rm -f server.pid
fi

# A session of its own: if HEAT has to kill this script, the server is not in its group.
setsid "$here/server.py" &

tries=50
until [ -s server.pid ]; do
    if [ "$tries" -eq 0 ]; then
        echo "the server did not start" >&2
        exit 1
    fi
    sleep 0.1
    tries=$((tries - 1))
done
echo "the server runs again, process $(cat server.pid)"
