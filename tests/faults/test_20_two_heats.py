"""Row 20: two HEATs write to one log, or want one state file."""

import re

from fleet import WELL, monitor, started
from heat_process import FAST, records
from place import Place
from state_files import STATE, rows


def test_two_heats_on_one_log_tear_no_record(place: Place) -> None:
    def check(name: str) -> str:
        lines = "".join(f"echo {name}; echo {name} >&2; " for _ in range(20))
        return place.script(name, f"{lines}exit 1")

    heats = [
        place.heat("-i", "0.01", "--count", "30", "-s", check(name)) for name in ("aaa", "bbb")
    ]

    assert [heat.wait() for heat in heats] == [1, 1]
    written = records(heats[0].verbose())
    for name in ("aaa", "bbb"):
        fails = [lines for _, program, lines in written if program == f"./{name}"]
        assert fails == [[name] * 40 + ["[Exit Code 1]"]] * 30
    logged = re.findall(r"(?m)^\d{10,}: (aaa|bbb)$", heats[0].log())
    assert len(logged) == heats[0].log().count("\n") == 2 * 30 * 20
    blocks = "".join(word[0] for word in logged)
    assert re.fullmatch("(a{20}|b{20})+", blocks)


def test_heats_started_at_once_on_a_new_log_lose_no_record(place: Place) -> None:
    heats = [place.heat("-i", FAST, "--count", "1", "--name", f"n{n}", "false") for n in range(8)]

    assert [heat.wait() for heat in heats] == [1] * 8
    assert heats[0].log().count("Exit Code 1") == 8
    kinds = [kind for kind, _, _ in records(heats[0].verbose())]
    assert kinds.count("FAIL") == 8


def test_two_heats_on_one_file(place: Place) -> None:
    heat = started(place.fleet(monitor("web", WELL)))
    other = place.heat("-i", "1", "--state", STATE, "--log-dir", "logs", "true")
    (place.folder / "logs").mkdir(exist_ok=True)

    assert other.wait() == 2
    assert f"belongs to another HEAT, process {heat.pid}, that runs now" in heat.err.read_text()
    assert rows(heat, "SELECT count(*), count(ended) FROM sessions") == [(1, 0)]
