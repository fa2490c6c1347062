"""Independent steps, as at HEAT's end: one that fails does not stop the others."""

from collections.abc import Callable, Iterable

Step = tuple[str, Callable[[], object]]
"""The subject of a step, and the call that takes it."""


def take_each(steps: Iterable[Step]) -> list[tuple[str, Exception]]:
    """Take every step; return the subjects of those that failed, with their errors."""
    failed: list[tuple[str, Exception]] = []
    for about, step in steps:
        try:
            step()
        except Exception as error:  # noqa: BLE001 - no error may keep the other steps from being taken
            failed.append((about, error))
    return failed
