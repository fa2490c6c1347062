"""The look before the first check: programs, target, logs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from place import Place
from refusals import assert_option_refused, assert_refused, lay_out, refusal, words

from heat.errors import TargetError
from heat.process.target import open_process

OPTIONS = [
    # scripts
    ("--fail ./nope", "Failed: ./nope not executable"),
    ("--fail ./plain", "Failed: ./plain not executable"),
    ("--fail .", "Failed: . not executable"),
    ("--fail /", "Failed: / not executable"),
    ("--fail ./fifo", "Failed: ./fifo not executable"),
    ("--fail /dev/null", "Failed: /dev/null not executable"),
    ("--fail ./dangling", "Failed: ./dangling not executable"),
    ("--fail ./loop", "Failed: ./loop not executable"),
    ("--fail ./plain/x", "Failed: ./plain/x not executable"),
    ("--recovery ./nope", "Failed: ./nope not executable"),
    ("--recovery ./nointerp", "Failed: ./nointerp cannot run: its interpreter /no/such/sh"),
    ("--recovery ./crlf", "its '#!' line ends in a carriage return: /bin/sh\\r"),
    ("--recovery ./envless", "its interpreter no-such-program is not on PATH"),
    ("--recovery ./noshebang", "Failed: ./noshebang cannot run: it has no '#!' line"),
    ("--recovery ./marked", "cannot run: it begins with a byte order mark (BOM), and not with"),
    ("--recovery ./marked", "save it as UTF-8 without one: sed -i '1s/^\\xEF\\xBB\\xBF//' FILE"),
    ("--recovery ./utf16", "./utf16 cannot run: it begins with a byte order mark (BOM)"),
    ("--recovery ./late", "cannot run: its '#!' is not the very first thing in it"),
    ("--recovery ./empty", "Failed: ./empty cannot run: it is empty"),
    ("--recovery ./bare", "Failed: ./bare cannot run: its '#!' line names no interpreter"),
    ("--recovery ./dirinterp", "Failed: ./dirinterp cannot run"),
    # logs
    ("--log-dir ./nope", "--log-dir './nope': ./nope/heat.log cannot be opened for appending"),
    ("--log-dir ./plain", "--log-dir './plain': ./plain/heat.log cannot be opened"),
    ("--log-dir ./badlogs", "./badlogs/heat.log cannot be opened for appending"),
    ("--log-dir ./fifologs", "./fifologs/heat.log cannot be opened for appending"),
    ("--log-dir ./linklogs", "./linklogs/heat.log cannot be opened for appending: it is a sym"),
    ("--log-dir ./hardlogs", "./hardlogs/heat.log cannot be opened for appending: it has a sec"),
]  # fmt: skip

PROGRAMS = [
    ("-i 3 -s ./nope", "Failed: ./nope not executable"),
    ("-i 3 -s ./plain", "Failed: ./plain not executable"),
    ("-i 3 ''", "Failed:  not found"),
    ("-i 3 no-such-command", "Failed: no-such-command not found"),
    ("-i 3 ./nope", "Failed: ./nope not found"),
    ("-i 3 ./plain", "Failed: ./plain not executable"),
    ("-i 3 ./marked", "./marked cannot run: it begins with a byte order mark (BOM)"),
    ("-i 3 ./crlf", "its '#!' line ends in a carriage return"),
    ("-i 3 /tmp", "Failed: /tmp not executable"),
    ("-i 3 'curl -sf x | grep ok'", "sh -c 'curl -sf x | grep ok'"),
    ("-i 3 'true && false'", "sh -c 'true && false'"),
    ("-i 3 FOO=1 true", "sh -c 'FOO=1 true'"),
    ("-i 3 -- -true", "Failed: -true not found"),
]  # fmt: skip


@pytest.fixture
def folder(place: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    return lay_out(place, monkeypatch)


@pytest.mark.parametrize(("line", "message"), OPTIONS, ids=lambda part: str(part)[:60])
def test_scripts_and_logs_that_are_refused(folder: Place, line: str, message: str) -> None:
    assert_option_refused(folder, line, message)


@pytest.mark.parametrize(("line", "message"), PROGRAMS, ids=lambda part: str(part)[:60])
def test_checks_that_are_refused(folder: Place, line: str, message: str) -> None:
    assert_refused(folder, line, message)


def test_files_target_and_logs_are_told_at_once(folder: Place) -> None:
    del folder
    text = refusal(words("-i 3 --fail ./nope --recovery ./plain --pid 4194304 --log-dir ./no true"))

    for message in ("./nope not exec", "./plain not exec", "--pid '4194304'", "--log-dir './no'"):
        assert message in text


def test_files_are_looked_at_though_an_option_is_wrong(folder: Place) -> None:
    del folder
    text = refusal(words("-i 0 --threshold x --recovery ./gone --log-dir ./no curll"))

    lines = [line for line in text.splitlines() if line.startswith(("Error: ", "Failed: "))]
    assert lines[:4] == [
        "Error: --interval '0' is not a positive duration",
        "Error: --threshold 'x' is not a count",
        "Failed: curll not found",
        "Failed: ./gone not executable",
    ]
    logs = ("heat.log", "heat.verbose.log", "heat.curll.out")
    for line, log in zip(lines[4:], logs, strict=True):
        assert line.startswith(f"Error: --log-dir './no': ./no/{log} cannot be opened")


def test_no_command_is_looked_for_where_it_is_not_sure_which_word_it_is(folder: Place) -> None:
    del folder
    assert "30 not found" not in refusal(words("--intervall 30 curll"))


THREADED = """
import threading, time
thread = threading.Thread(target=time.sleep, args=(600,))
thread.start()
print(thread.native_id, flush=True)
"""


def test_zombies_threads_kernel_threads_and_strangers_are_no_targets(place: Place) -> None:
    threaded = place.spawn([sys.executable, "-c", THREADED], stdout=subprocess.PIPE)
    assert threaded.stdout is not None
    thread = int(threaded.stdout.readline())
    zombie = os.posix_spawn("/bin/true", ["true"], {})
    os.waitid(os.P_PID, zombie, os.WEXITED | os.WNOWAIT)
    gone = os.posix_spawn("/bin/true", ["true"], {})
    os.waitpid(gone, 0)

    def message(pid: int) -> str:
        return refusal(["-i", "3", "--pid", str(pid), "true"])

    try:
        assert f"process {thread} is a thread of another process" in message(thread)
        assert f"process {zombie} has ended and is a zombie" in message(zombie)
        assert f"process {gone} does not exist" in message(gone)
        assert f"--pid '{os.getpid()}' is HEAT itself" in message(os.getpid())
        if os.path.exists("/proc/2") and b"kthreadd" in Path("/proc/2/stat").read_bytes():
            assert "process 2 is a kernel thread" in message(2)
    finally:
        os.waitpid(zombie, 0)
        threaded.stdout.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_process_of_somebody_else_may_not_be_signalled() -> None:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.setresuid(65534, 65534, 65534)
        try:
            open_process(os.getppid())
        except TargetError as error:
            os.write(writer, str(error).encode())
        os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    with open(reader, "rb") as message:
        text = message.read().decode()

    assert text == f"process {os.getpid()} may not be signalled by this user"


@pytest.mark.skipif(os.geteuid() != 0, reason="it is root that is kept from such files")
def test_as_root_what_anybody_may_write_to_is_refused(folder: Place) -> None:
    (folder.folder / "ok").chmod(0o757)
    (folder.folder / "heat.log").touch(mode=0o666)
    (folder.folder / "heat.log").chmod(0o666)

    text = refusal(["-i", "3", "-s", "./ok"])

    why = "may be written to by anybody, and HEAT runs as root"
    assert f"Failed: ./ok {why}\n  chmod go-w {folder.folder}/ok" in text
    assert f"Failed: heat.log {why}\n  chmod go-w {folder.folder}/heat.log" in text
