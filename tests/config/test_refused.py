"""Bad input: exit 2 before anything starts; the first line names option and value, the next
the fix. A table of command lines, each with what has to be said of it."""

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Place
from hypothesis import given
from hypothesis import strategies as st

from heat.app.cli import USAGE, main, understand
from heat.app.parser import parse
from heat.config.command_line import Grammar
from heat.config.mistyped import explain
from heat.errors import TargetError
from heat.process.target import open_process

NUMBER = "is not a duration"
COUNT = "is not a count"
PID = "is not a process id"
SIGNAL = "is not a signal of this system"
TARGET = "needs a target"

VALUES = [
    # option, value, what is said
    *((f"-i {value}", f"--interval '{shown}' {NUMBER}") for value, shown in [
        ("nan", "nan"),
        ("inf", "inf"),
        ("-inf", "-inf"),
        ("infinity", "infinity"),
        ("1e400", "1e400"),
        ("1e3", "1e3"),
        ("1_000", "1_000"),
        ("٣", "٣"),
        ("３０", "３０"),
        ("' 30 '", " 30 "),
        ("''", ""),
        ("-5", "-5"),
        ("+5", "+5"),
        ("0x10", "0x10"),
        ("5x", "5x"),
        ("5y", "5y"),
        ("5.", "5."),
        ("1,5", "1,5"),
        ("30sec", "30sec"),
        ("5M", "5M"),
        ("'5 m'", "5 m"),
        ("none", "none"),
        ("999999999999999999999", "999999999999999999999"),
    ]),
    ("-i 0", "--interval '0' is not a positive duration"),
    ("-i 0.0", "--interval '0.0' is not a positive duration"),
    ("-i 0ms", "--interval '0ms' is not a positive duration"),
    ("-i 0.0000001", "--interval '0.0000001' is too short"),
    ("-i 999999h", "--interval '999999h' is too long"),
    ("-i 31622401", "--interval '31622401' is too long"),
    ("--timeout nan", f"--timeout 'nan' {NUMBER}"),
    ("--timeout 0", "--timeout '0' is not a positive duration"),
    ("--timeout never", f"--timeout 'never' {NUMBER}"),
    ("-t ''", f"--timeout '' {NUMBER}"),
    ("--start-period -1", f"--start-period '-1' {NUMBER}"),
    ("--start-period none", f"--start-period 'none' {NUMBER}"),
    ("--recovery ./ok --recovery-timeout 0", "--recovery-timeout '0' is not a positive duration"),
    ("--recovery ./ok --recovery-timeout inf", f"--recovery-timeout 'inf' {NUMBER}"),
    ("--fail ./ok --script-timeout 0", "--script-timeout '0' is not a positive duration"),
    *((f"--recovery ./ok --threshold {value}", f"--threshold {value} {COUNT}") for value in [
        "'0'",
        "'-1'",
        "'+1'",
        "'1.0'",
        "'1e3'",
        "'1_0'",
        "'٣'",
        "' 3'",
        "''",
        "'three'",
        "'1000000001'",
        "'" + "9" * 5000 + "'",
    ]),
    ("--recovery ./ok --max-recoveries 0", f"--max-recoveries '0' {COUNT}"),
    ("--recovery ./ok --success-threshold 0", f"--success-threshold '0' {COUNT}"),
    ("--count 0", f"--count '0' {COUNT}"),
    ("--count -3", f"--count '-3' {COUNT}"),
    *((f"--pid {value}", f"--pid {value} {PID}") for value in [
        "'0'",
        "'-1'",
        "'1.5'",
        "'x'",
        "''",
        "'٣'",
        "'4194305'",
        "'99999999999999999999999'",
    ]),
    *((f"--signal {value}", f"--signal '{value}' {SIGNAL}") for value in [
        "0",
        "65",
        "32",
        "33",
        "-1",
        "RTMIN+31",
        "RTMIN-1",
        "RTMAX+1",
        "USR3",
        "SIGSIGUSR1",
        "HUPP",
        "SIG",
        "1.0",
        "٣",
        "ＨＵＰ",
        "SIG_DFL",
        "0x1",
    ]),
    ("--signal ''", f"--signal '' {SIGNAL}"),
    ("--fault-signal nope", f"--fault-signal 'nope' {SIGNAL}"),
    ("--success-signal 99", f"--success-signal '99' {SIGNAL}"),
    *((f"--fault-signal {name}", f"--fault-signal '{name}' {TARGET}") for name in [
        "STOP",
        "SIGTSTP",
        "ttin",
        "22",
        "KILL",
        "9",
    ]),
    ("--signal STOP", f"--signal 'STOP' {TARGET}"),
    ("--fail-overlap both --fail ./ok", "--fail-overlap 'both' is not known"),
    ("--fail-overlap QUEUE --fail ./ok", "--fail-overlap 'QUEUE' is not known"),
    ("--on-killed ignore", "--on-killed 'ignore' is not known"),
    ("--when-spent stop --max-recoveries 1 --recovery ./ok", "--when-spent 'stop' is not known"),
    ("--retry-interval 0", "--retry-interval '0' is not a positive duration"),
    ("--recovery-interval 0 --recovery ./ok", "'0' is not a positive duration"),
    ("--recovery-backoff -1 --recovery ./ok", f"--recovery-backoff '-1' {NUMBER}"),
    ("--recovery-backoff 1 --recovery-backoff-max none --recovery ./ok", f"-max 'none' {NUMBER}"),
    ("--name ''", "--name '' is not a valid name"),
    ("--name a/b", "--name 'a/b' is not a valid name"),
    ("--name ../../etc/passwd", "--name '../../etc/passwd' is not a valid name"),
    ("--name $'a\\nb'", "--name 'a\\nb' is not a valid name"),
    ("--name $'\\x1b[31m'", "--name '\\x1b[31m' is not a valid name"),
    (f"--name {'x' * 101}", "is not a valid name"),
    ("--name ' a'", "--name ' a' is not a valid name"),
    ("--log-dir ''", "--log-dir '' is not a valid path"),
    ("--pid-file ''", "--pid-file '' is not a valid path"),
    ("--fail ''", "--fail '' is not a valid path"),
    # options
    ("--nope", "--nope is not an option of 'heat'"),
    ("--intervall 3", "--intervall is not an option of 'heat'"),
    ("--re 3", "--re is short for more than one option"),
    ("--f ./ok", "--f is short for more than one option"),
    ("-x", "-x is not an option of 'heat'"),
    ("-qx", "-x is not an option of 'heat'"),
    ("--quiet=yes", "--quiet takes no value: 'yes'"),
    ("--json=1", "--json takes no value: '1'"),
    ("--count 3 --count 4", "--count is given twice"),
    ("-q --quiet", "--quiet is given twice"),
    ("-qq", "--quiet is given twice"),
    # options without effect
    ("--threshold 3", "--threshold '3' has no effect without anything to do in recovery"),
    ("--success-threshold 3", "--success-threshold '3' has no effect"),
    ("--recovery-timeout 3", "--recovery-timeout '3' has no effect"),
    ("--max-recoveries 3", "--max-recoveries '3' has no effect"),
    ("--threshold 3 --fault-signal none", "--threshold '3' has no effect"),
    ("--threshold 3 --signal none --pid 1", "--threshold '3' has no effect"),
    ("--threshold 3", "add --recovery, --fault-signal or --success-signal, or --fail or --signal"),
    *((f"--fail ./ok {option} {value}", f"{option} '{value}' has no effect without anything to do")
      for option, value in [
        ("--recovery-interval", "3"),
        ("--recovery-backoff", "3"),
        ("--recovery-backoff-max", "3"),
        ("--when-spent", "watch"),
    ]),
    ("--when-spent error --recovery ./ok", "--when-spent 'error' needs --max-recoveries"),
    ("--retry-interval 3 --recovery ./ok", "--retry-interval '3' does not go with --threshold 1"),
    ("--retry-interval 3 --threshold 1 --fail ./ok", "--retry-interval '3' does not go with"),
    ("--recovery-backoff-max 3 --fault-signal TERM", "has no effect without --recovery-backoff"),
    ("--recovery-backoff-max 3 --recovery-backoff 0 --fault-signal TERM", "has no effect without"),
    ("--recovery-backoff-max 3 --recovery-backoff 1h --fault-signal TERM",
     "--recovery-backoff-max '3' is shorter than --recovery-backoff, 1h"),
    # exit codes
    ("--unknown-codes 0", "--unknown-codes '0' holds 0, which always passes"),
    ("--warn-codes 1,0", "--warn-codes '1,0' holds 0, which always passes"),
    ("--warn-codes 1,256", "--warn-codes '1,256' holds 256, and the largest exit code is 255"),
    *((f"--warn-codes {value}", f"--warn-codes '{value}' holds '{value}', which is not an exit")
      for value in ["x", "-1", "1-3", "0x1", "1.0", "٣"]),
    ("--warn-codes '1,,2'", "--warn-codes '1,,2' holds an empty part"),
    ("--warn-codes ''", "--warn-codes '' holds an empty part"),
    ("--warn-codes 1,3,4 --unknown-codes 4,3", "'1,3,4' holds 3 and 4, which --unknown-codes h"),
    ("--fail-overlap skip", "--fail-overlap 'skip' has no effect without --fail"),
    ("--script-timeout 3", "--script-timeout '3' has no effect without a script to run"),
    ("--pid 1 --pid-file x", "--pid '1' has no effect with --pid-file"),
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

WHOLE = [
    # whole command lines
    ("", "Error: --interval is missing"),
    ("", "Error: use either script or command"),
    ("-i 3", "Error: use either script or command"),
    ("-i 3 -s ./ok true", "Error: use either script or command"),
    ("true", "Error: --interval is missing"),
    ("-i", "Error: --interval is without its value"),
    ("-i 3 -s", "Error: --script is without its value"),
    ("-i 3 --threshold", "Error: --threshold is without its value"),
    ("-i -- true", "Error: --interval is without its value"),
    ("-i 3 -i 4 true", "Error: --interval is given twice"),
    ("-i 3 --interval=3 true", "Error: --interval is given twice"),
    ("-i 3 -s ./nope", "Failed: ./nope not executable"),
    ("-i 3 -s ./plain", "Failed: ./plain not executable"),
    ("-i 3 -s ''", "--script '' is not a valid path"),
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
    ("-i 3 ok", "write ./ok"),
    ("-i 3 -- -true", "Failed: -true not found"),
    # a file
    ("--config", "Error: --config is without its value"),
    ("--config ''", "Error: --config '' is not a valid path"),
    ("--config a --config b", "Error: --config is given twice"),
    ("--config=nope.toml", "nope.toml: no such file"),
    ("--config nope/nope.toml", "nope/nope.toml: no such file"),
    ("--config plain/heat.toml", "plain/heat.toml: cannot be read: not a directory"),
    ("--config loop", "loop: cannot be read: too many levels of symbolic links"),
    ("--config badlogs", "badlogs: is a directory"),
    ("--config fifo", "fifo: is not a regular file"),
    ("--config /dev/zero", "/dev/zero: is not a regular file"),
    ("--config empty", "empty: no monitor is in it"),
    ("--config plain", "plain: at its end: '=' is missing behind the key"),
    ("--config good.toml -i 3", "Error: --interval '3' cannot be combined with --config"),
    ("-i 3 --config good.toml", "under [defaults] or [monitor.NAME]: interval = 3"),
    ("--config good.toml -t 5m", 'under [defaults] or [monitor.NAME]: timeout = "5m"'),
    ("--config good.toml --name web", "is the monitor's: [monitor.web]"),
    ("--config good.toml --name a.b", 's: [monitor."a.b"]'),
    ("--config good.toml true x", "Error: command 'true x' cannot be combined with --config"),
    ("--config good.toml true x", 'write it into the file: command = ["true", "x"]'),
    ("--config good.toml --log-dir ''", "Error: --log-dir '' is not a valid path"),
    ("--config good.toml --log-dir nope", "Error: --log-dir 'nope': nope/heat.log cannot be"),
    ("--config good.toml --treshold 3", "did you mean --threshold?"),
    ("--config bad.toml -q -i 3", "--interval '3' cannot be"),
    ("--config bad.toml -q -i 3", "bad.toml: monitor.web.interval: is missing"),
    ("--config bad.toml", "bad.toml: monitor.db.fail: ./nope not executable"),
]

BAD_FILE = """\
[monitor.web]
script = "./ok"
[monitor.db]
script = "./ok"
interval = 30
fail = "./nope"
"""


@pytest.fixture
def folder(place: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A folder with all kinds of files that are no good, and one that is."""
    monkeypatch.chdir(place.folder)
    place.script("ok", "exit 0")
    place.script("nointerp", "", "/no/such/sh")
    place.script("crlf", "exit 0", "/bin/sh\r")
    for name, encoding in (("marked", "utf-8-sig"), ("utf16", "utf-16"), ("late", "utf-8")):
        (place.folder / name).write_text("\n"[name != "late" :] + "#!/bin/sh\n", encoding=encoding)
        (place.folder / name).chmod(0o755)
    place.script("envless", "", "/usr/bin/env no-such-program")
    place.script("dirinterp", "", "/")
    for name, text in (("noshebang", "exit 0\n"), ("empty", ""), ("bare", "#!\n"), ("plain", "x")):
        Path(name).write_text(text)
        Path(name).chmod(0o644 if name == "plain" else 0o755)
    Path("good.toml").write_text('[monitor.web]\nscript = "./ok"\ninterval = 30\n')
    Path("bad.toml").write_text(BAD_FILE)
    os.mkfifo("fifo", 0o755)
    Path("dangling").symlink_to("nowhere")
    Path("loop").symlink_to("loop")
    Path("badlogs/heat.log").mkdir(parents=True)
    for name in ("fifologs", "linklogs", "hardlogs"):
        Path(name).mkdir()
    os.mkfifo("fifologs/heat.log")
    Path("linklogs/heat.log").symlink_to("/dev/null")
    Path("hardlogs/heat.log").touch()
    Path("hardlogs/other").hardlink_to("hardlogs/heat.log")
    return place


def words(line: str) -> list[str]:
    """The words of a line as bash has them, ``$'...'`` included."""
    return [
        word.encode().decode("unicode_escape") if raw.startswith("$'") else word
        for raw, word in ((w, shlex.split(w.removeprefix("$"))[0]) for w in _raw(line))
    ]


def _raw(line: str) -> list[str]:
    parser = shlex.shlex(line, posix=False, punctuation_chars=False)
    parser.whitespace_split = True
    return list(parser)


def refusal(given: list[str]) -> str:
    asked = understand(given)

    assert asked.action == "watch"
    assert asked.options is None
    assert all(diagnostic.hint for diagnostic in asked.diagnostics)
    return "\n".join(str(diagnostic) for diagnostic in asked.diagnostics)


@pytest.mark.parametrize(("line", "said"), VALUES, ids=lambda part: str(part)[:60])
def test_options_that_are_refused(folder: Place, line: str, said: str) -> None:
    interval = [] if line.startswith("-i") else ["-i", "3"]

    text = refusal([*interval, *words(line), "true"])

    assert said in text, text
    assert all(each.startswith(("Error: ", "Failed: ", "  ")) for each in text.splitlines())
    assert not (folder.folder / "heat.log").exists()


@pytest.mark.parametrize(("line", "said"), WHOLE, ids=lambda part: str(part)[:60])
def test_command_lines_that_are_refused(folder: Place, line: str, said: str) -> None:
    text = refusal(words(line))

    assert said in text, text
    assert not (folder.folder / "heat.log").exists()


def test_the_catalogue_has_more_than_a_hundred_lines() -> None:
    assert len(VALUES) + len(WHOLE) > 130


def test_all_mistakes_are_told_at_once(folder: Place) -> None:
    del folder
    text = refusal(words("-i nan --threshold 0 --signal X --nope --count 1 --count 2 -s a b"))

    for said in (
        "--interval 'nan'",
        "--threshold '0'",
        "--signal 'X'",
        "--nope is not",
        "--count is given twice",
        "use either script or command",
    ):
        assert said in text


def test_files_target_and_logs_are_told_at_once(folder: Place) -> None:
    del folder
    text = refusal(words("-i 3 --fail ./nope --recovery ./plain --pid 4194304 --log-dir ./no true"))

    for said in ("./nope not exec", "./plain not exec", "--pid '4194304'", "--log-dir './no'"):
        assert said in text


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


def test_the_nearest_option_is_named(folder: Place) -> None:
    del folder

    assert "did you mean --threshold?" in refusal(words("-i 3 --treshold 3 true"))
    assert "did you mean --recovery?" in refusal(words("-i 3 --recovry ./ok true"))


def test_an_abbreviation_of_exactly_one_option_is_accepted(folder: Place) -> None:
    del folder
    asked = understand(words("--inter 3 --thresh 2 --recovery ./ok --fail ./ok true"))

    assert asked.options is not None
    assert asked.options.limits.threshold == 2
    assert (asked.options.fail, asked.options.recovery) == ("./ok", "./ok")


def test_words_of_the_command_are_the_commands(folder: Place) -> None:
    del folder
    asked = understand(["-i", "30", "true", "-i", "nan", "--help", "--", "-x"])

    assert asked.options is not None
    assert asked.options.check == ("true", "-i", "nan", "--help", "--", "-x")


def test_exit_2_and_the_sentence_on_stderr(
    folder: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    del folder
    before = signal.getsignal(signal.SIGINT)
    try:
        code = main(["-i", "0", "-s", "./ok"])
    finally:
        signal.signal(signal.SIGINT, before)

    out, err = capfd.readouterr()
    assert (code, out) == (2, "")
    assert err.splitlines()[0] == "Error: --interval '0' is not a positive duration"
    assert err.splitlines()[1].strip() == "write more than 0, such as 0.5, 500ms, 30s or 5m"


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

    def said(pid: int) -> str:
        return refusal(["-i", "3", "--pid", str(pid), "true"])

    try:
        assert f"process {thread} is a thread of another process" in said(thread)
        assert f"process {zombie} has ended and is a zombie" in said(zombie)
        assert f"process {gone} does not exist" in said(gone)
        assert f"--pid '{os.getpid()}' is HEAT itself" in said(os.getpid())
        if os.path.exists("/proc/2") and b"kthreadd" in Path("/proc/2/stat").read_bytes():
            assert "process 2 is a kernel thread" in said(2)
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
    with open(reader, "rb") as said:
        text = said.read().decode()

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


@given(st.lists(st.sampled_from(
    ["-i", "3", "-q", "--json", "-s", "./x", "--", "--count", "--count=2", "-i3", "-qi3", "true",
     "-", "--recovery", "--rec", "-x", "--json=1", "--help", "-h", "-", "", "--pid=1"]
), max_size=6))  # fmt: skip
def test_explaining_agrees_with_docopt(given_words: list[str]) -> None:
    asked = parse(USAGE, given_words)
    explained = explain(Grammar("heat", USAGE, options_first=True), given_words)

    if asked.options is not None:
        assert explained.diagnostics == []
        assert list(explained.operands or [explained.values.get("--script")]) == list(
            asked.options.check
        )
    elif asked.action == "watch":
        assert asked.diagnostics
