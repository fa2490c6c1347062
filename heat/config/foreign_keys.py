"""Keys that people know from other tools, and what HEAT has in their place.

Without it HEAT would suggest the key with the nearest name, which does something else. Only
loaded by a mistake. Keys are in lower case, with dashes.
"""

from collections.abc import Iterator

_CURL = 'command = ["curl", "-sf", "http://localhost/health_check"]'
_MESSAGES = 'HEAT sends no messages; a script can, on each failure: fail = "./tell-me"'
_ONE_FILE = (
    "HEAT reads one file: write all monitors into it, or start another HEAT for another file"
)
_SHARED = "write what monitors share under [defaults]"
_WHOLE = (
    "[heat] has max-running and history; the rest of HEAT's own options are on its command line"
)

_HINTS = {
    "env environ environment env-file environment-file environmentfile vars": (
        "programs have HEAT's own environment: set it where HEAT is started, or write "
        'command = ["env", "NAME=value", "./check"]'
    ),
    "user username run-as runas uid group gid groups supplementary-groups": (
        "programs run as HEAT's own user: start HEAT as another, or begin the command with "
        '"sudo", "-u", "USER"'
    ),
    "cwd chdir dir directory workdir working-dir working-directory workingdirectory": (
        "programs run in the folder of this file; for another, write "
        'command = ["sh", "-c", "cd /srv/web && ./check"]'
    ),
    "active disable disabled enable enabled ignore": (
        "HEAT has no switch for it: comment the table out, or 'heatctl pause NAME'"
    ),
    "conf-d config-dir imports include include-dir includes": _ONE_FILE,
    "after before depends depends-on dependencies dependency order parent parents requires wants": (
        "monitors do not depend on each other: HEAT checks each by itself"
    ),
    "recheck-interval retry-after retry-delay": (
        "retry-interval = 5 checks more often while the check fails, until recovery begins: with "
        "threshold = 2 or more"
    ),
    "backoff backoff-factor cooldown restart-delay restart-sec restartsec": (
        'recovery-backoff = "30s" waits before the next recovery, twice as long each time'
    ),
    "degraded-codes ok-codes success-codes success-exit-status successexitstatus valid-codes": (
        "warn-codes = [1] passes with a warning, unknown-codes = [3] counts neither way; any other "
        "code than 0 is a failure"
    ),
    "attempts consecutive-failures cycles failure-threshold failurethreshold fall "
    "max-attempts max-check-attempts max-retries retries retry retry-count tries "
    "unhealthy-threshold": (
        "threshold = 3 starts recovery after 3 failures in a row, max-recoveries = 3 tries no "
        "more after 3 recoveries"
    ),
    "healthy-threshold rise success-count successes successthreshold": (
        "success-threshold = 2 ends recovery after 2 passes in a row"
    ),
    "alias comment desc description display-name label labels notes tags title": (
        "HEAT has no descriptions: write a comment (#), or a longer name: [monitor.NAME]"
    ),
    "body content endpoint expect expect-status headers health-check health-url healthcheck http "
    "http-get httpget https method request status uri url": (
        f"HEAT has no HTTP of its own, it runs a program: {_CURL}"
    ),
    "addr address connect host hostname ip port server socket tcp tcp-socket tcpsocket": (
        "HEAT opens no connection of its own, it runs a program: "
        'command = ["nc", "-z", "-w", "5", "localhost", "8080"]'
    ),
    "icmp ping": 'HEAT runs a program: command = ["ping", "-c", "1", "-W", "5", "HOST"]',
    "matching proc process process-name": (
        'HEAT runs a program: command = ["pgrep", "-x", "NAME"]; the one to signal: pid-file'
    ),
    "service systemd systemd-unit unit": (
        'HEAT runs a program: command = ["systemctl", "is-active", "--quiet", "NAME"]'
    ),
    "cpu disk file filesystem load memory space swap usage": (
        "HEAT measures nothing itself: write a script that does, and exits with 1 when it is "
        'too much: script = "./check"'
    ),
    "alert alerting alerts contact contacts email mail mailto message notification notifications "
    "notify notify-command pager slack sms smtp telegram webhook": _MESSAGES,
    "action actions exec-on-failure failure-command on-error on-fail on-failure onfail onfailure": (
        'fail = "./tell-me" runs on each failure, recovery = "./restart" once threshold is reached'
    ),
    "autorestart exec-start execstart on-restart repair repair-binary restart restart-command "
    "restart-policy start start-command start-program stop stop-command stop-program": (
        "HEAT starts no services; a script of yours does, when the threshold is reached: "
        'recovery = "./restart"'
    ),
    "delay grace grace-period initial-delay initial-delay-seconds initialdelayseconds start-delay "
    "startsecs startup-time warmup": (
        "start-period = 60 forgives the failures of the first 60 seconds"
    ),
    "args argv check check-command cmd cmdline command-line exec plugin program run test": (
        f'the check is a program, {_CURL}, or a file of your own, script = "./check"'
    ),
    "check-every check-interval cycle every freq frequency interval-seconds period period-seconds "
    "periodseconds poll polling-interval": "did you mean interval? interval = 30",
    "calendar cron oncalendar schedule": (
        "HEAT checks at an interval, not by a calendar: interval = 300"
    ),
    "kill-after max-time timeout-sec timeout-seconds timeoutsec timeoutseconds timeoutstopsec": (
        "did you mean timeout? timeout = 30"
    ),
    "kill-signal killsignal reload-signal restart-signal stop-signal stopsignal": (
        "HEAT sends signal on each failure, fault-signal when recovery starts, and success-signal "
        "when it has succeeded"
    ),
    "shell use-shell": 'a shell is a command like any other: command = ["sh", "-c", "..."]',
    "log logfile log-file log-level loglevel output stderr stderr-logfile stdout stdout-logfile "
    "syslog": "the output of programs is in heat.verbose.log, in the folder of heat --log-dir DIR",
    "crit critical level priority severity warn warning": (
        "exit code 0 passes and any other fails, except for warn-codes = [1], which pass with a "
        "warning"
    ),
    "cpu-limit limits memory-limit nice rlimit ulimit": (
        "programs inherit the limits of HEAT: set them where HEAT is started, or in a script"
    ),
    "downtime maintenance maintenance-window quiet-hours silence": (
        "'heatctl pause NAME --for 2h' does it once; HEAT has no calendar"
    ),
    "extends inherit inherits template templates use": _SHARED,
    "kind mode protocol type": "there is only one kind of check: a program and its exit code",
    "autostart daemon instances numprocs replicas startretries": (
        "HEAT starts no services: a recovery script does"
    ),
    "concurrency max-concurrent max-parallel parallel threads workers": (
        "the number of checks that run at once is a key of [heat]: max-running = 256"
    ),
    "keep keep-history retention": (
        'the time that history is kept is a key of [heat]: history = "90d"'
    ),
}

_OF_TABLES = {
    "alert alerting alerts contacts email mail notifications notify smtp": _MESSAGES,
    "imports include includes": _ONE_FILE,
    "default template templates": _SHARED,
    "core daemon general global main server settings watchdog": _WHOLE,
    "check checks endpoint endpoints job jobs process processes program programs service services "
    "target targets": "each thing to watch has its own table: [monitor.NAME]",
}


def hints() -> Iterator[tuple[str, str]]:
    """Yield each key with its hint."""
    yield from _each(_HINTS)


def hint_of_key(key: str) -> str:
    """Tell what HEAT has in place of this key of a monitor or of [heat]; empty if unknown."""
    return dict(_each(_HINTS)).get(_plain(key), "")


def hint_of_table(name: str) -> str:
    """Return the same for a name at the top of the file."""
    return dict(_each(_OF_TABLES)).get(_plain(name), "")


def _each(groups: dict[str, str]) -> Iterator[tuple[str, str]]:
    for keys, text in groups.items():
        yield from ((key, text) for key in keys.split())


def _plain(key: str) -> str:
    return key.lower().replace("_", "-")
