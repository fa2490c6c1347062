"""Row 14: a result comes exactly at a deadline."""

from place import Place


def test_a_result_at_the_deadline_is_one_verdict(place: Place) -> None:
    heat = place.heat("-i", "0.01", "-t", "0.06", "--count", "25", "--json", "sleep", "0.058")
    code = heat.wait()

    results = heat.objects()
    assert len(results) == 25
    assert {(each["result"], each["code"]) for each in results} <= {("ok", 0), ("failed", 124)}
    assert len({each["pid"] for each in results}) == 25
    assert code == (results[-1]["result"] == "failed")
    fails = heat.verbose().count("[Timed out after 0.06 s]")
    assert fails == sum(each["code"] == 124 for each in results)
