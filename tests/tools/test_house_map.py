"""The map of the house in ARCHITECTURE.md is as the modules say."""

from tools import house


def test_the_map_is_fresh() -> None:
    text = house.PAGE.read_text()

    assert f"{house.BEGIN}\n{house.drawn()}\n{house.END}" in text, "run python -m tools.house"
