"""Values of options that their readers refuse."""

import pytest
from place import Place
from refusals import assert_option_refused, lay_out

NUMBER = "is not a duration"
COUNT = "is not a count"
PID = "is not a process id"
SIGNAL = "is not a signal of this system"

VALUES = [
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
    # exit codes
    ("--unknown-codes 0", "--unknown-codes '0' contains 0, which always passes"),
    ("--warn-codes 1,0", "--warn-codes '1,0' contains 0, which always passes"),
    ("--warn-codes 1,256", "--warn-codes '1,256' contains 256, and the largest exit code is 255"),
    *((f"--warn-codes {value}", f"--warn-codes '{value}' contains '{value}', which is not an exit")
      for value in ["x", "-1", "1-3", "0x1", "1.0", "٣"]),
    ("--warn-codes '1,,2'", "--warn-codes '1,,2' contains an empty item"),
    ("--warn-codes ''", "--warn-codes '' contains an empty item"),
]  # fmt: skip


@pytest.fixture
def folder(place: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    return lay_out(place, monkeypatch)


@pytest.mark.parametrize(("line", "message"), VALUES, ids=lambda part: str(part)[:60])
def test_values_that_are_refused(folder: Place, line: str, message: str) -> None:
    assert_option_refused(folder, line, message)
