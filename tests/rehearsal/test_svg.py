"""The picture of a rehearsal: all that happened is in it, and nothing is cut."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from rehearsals import CONTRACT, main

from heat.cells import cells


def test_the_picture_has_all_that_happened(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "timeline.svg"
    main([*CONTRACT, "--fail", "./<tell>", "--fail-takes", "20", "--svg", str(path)])
    outcome = capfd.readouterr().out.splitlines()
    titles = ET.parse(path).iter("{http://www.w3.org/2000/svg}title")  # noqa: S314 - ours
    tooltips = "\n".join(title.text or "" for title in titles)

    for line in outcome:
        at, _, text = [*re.split("  +", line.strip(), maxsplit=2), "", ""][:3]
        if re.match("check|signal|fail script ended|recovery script ended|the window", text):
            assert f"{at}: {text}" in tooltips
    assert "RECOVERING, 90 s to 230 s" in tooltips


SVG = "{http://www.w3.org/2000/svg}"
LONG = "curl --header X-Long:" + "0123456789" * 9 + " -sf https://example.com/" + "path/" * 40
PICTURES = {
    "plain": "-i 30 --results 0,1,0 ./check",
    "in error at the last moment": "-i 30 --recovery ./r --threshold 2 --max-recoveries 1 "
    "--pid 1234 --fault-signal STOP --results 0,1x9 ./check",
    "in error at the first moment": "-i 30 --results killed ./check",
    "a long command": f"-i 1h30m --results 0 {LONG}",
    "a long name": f"-i 30 --name {'x' * 100} --results 0 ./check",
    "wide characters": f"-i 30 --name {'東京' * 16} --results 0,1 ./{'東京の店' * 60}",
    "no character of XML": "-i 30 --results 1 ./a\ufffe\uffffb",
    "many events": "-i 30 --recovery ./r --threshold 2 --results 0x900,1x500,0x900 ./check",
    "a moment of failing": "-i 30 --threshold 3 --recovery ./r --results 0x900,1,0x900 ./check",
}


def drawn(path: Path, words: str) -> tuple[ET.Element, list[tuple[float, float, str]]]:
    """The picture, and its texts with the pixels of each, in a wide font, from left to right."""
    main(["--svg", str(path), *words.split()])
    root = ET.parse(path).getroot()  # noqa: S314 - ours
    texts: list[tuple[float, float, str]] = []
    for each in root.iter(f"{SVG}text"):
        cell = 0.64 if each.get("font-weight") == "bold" else 0.58
        width = cells(each.text or "") * cell * float(each.get("font-size") or 0)
        shift = {"middle": width / 2, "end": width}.get(each.get("text-anchor") or "", 0.0)
        left = float(each.get("x") or 0) - shift
        texts.append((left, left + width, each.text or ""))
    return root, texts


@pytest.mark.parametrize("words", PICTURES.values(), ids=PICTURES)
def test_nothing_of_a_picture_is_cut(words: str, tmp_path: Path) -> None:
    root, texts = drawn(tmp_path / "x.svg", words)

    width, height = float(root.get("width") or 0), float(root.get("height") or 0)
    for left, right, text in texts:
        assert 0 <= left < right <= width, text
    for each in root.iter():
        assert float(each.get("y") or 0) + float(each.get("height") or 0) <= height or each is root
        if each.tag == f"{SVG}rect":
            assert float(each.get("x") or 0) + float(each.get("width") or 0) <= width


@pytest.mark.parametrize("moment", ["last", "first"])
def test_the_error_in_which_it_ends_is_visible_and_named(moment: str, tmp_path: Path) -> None:
    root, texts = drawn(tmp_path / "x.svg", PICTURES[f"in error at the {moment} moment"])
    error = [
        float(each.get("width") or 0)
        for each in root.iter(f"{SVG}rect")
        if (each.findtext(f"{SVG}title") or "").startswith("ERROR, ")
    ]

    assert error[0] > 60
    assert "ERROR" in [text for *_, text in texts]
    if moment == "last":
        assert "CONT" in [text for *_, text in texts]


def test_a_title_that_is_too_long_loses_the_end_of_the_command_and_no_more(tmp_path: Path) -> None:
    _, texts = drawn(tmp_path / "x.svg", PICTURES["a long command"])
    title = " ".join(text for *_, text in texts[:3])

    assert title.startswith("Rehearsal of curl: curl --header X-")
    assert title.endswith("..., every 1 h 30 min")


def test_a_short_state_is_drawn_over_its_long_neighbours(tmp_path: Path) -> None:
    root, _ = drawn(tmp_path / "x.svg", PICTURES["a moment of failing"])
    titles = [each.text or "" for each in root.iter(f"{SVG}title")]
    states = [title.split(",")[0] for title in titles if re.match("NORMAL|FAILING", title)]

    assert states == ["NORMAL", "NORMAL", "FAILING"]


def test_scripts_that_still_run_at_the_end_are_drawn(tmp_path: Path) -> None:
    path = tmp_path / "timeline.svg"
    words = "-i 10 -s ./c --fail ./t --fail-takes 25 --results 1,0 --recovery ./r --threshold 2"
    main([*words.split(), "--svg", str(path)])

    assert "0 s: fail script ./t runs, for failure 1" in path.read_text()
