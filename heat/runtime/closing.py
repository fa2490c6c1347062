"""Steps of which none may keep another from being taken, as at HEAT's end."""

from collections.abc import Callable, Iterable

Step = tuple[str, Callable[[], object]]
"""The matter of a step, and how it is done."""


def take_each(steps: Iterable[Step]) -> list[tuple[str, Exception]]:
    """Take these steps, whatever becomes of the others; return those that failed, and how."""
    failed: list[tuple[str, Exception]] = []
    for about, step in steps:
        try:
            step()
        except Exception as error:  # noqa: BLE001 - whatever it is, the other steps are to be taken
            failed.append((about, error))
    return failed
