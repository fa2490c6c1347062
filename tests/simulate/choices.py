"""The choices of a history: random at first, then recorded, and taken again from the record.

0 is always the simplest choice, so a history of zeros is one in which nothing is odd; what is
beyond the end of a record is 0.
"""

import random
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


class Choices:
    """The random choices of a seed, or those of a record; ``taken`` lists them."""

    __slots__ = ("_random", "_record", "taken")

    def __init__(self, seed: int = 0, record: Sequence[int] | None = None) -> None:
        self._random = random.Random(seed).random  # noqa: S311 - nothing is kept secret
        self._record = record
        self.taken: list[int] = []

    def pick(self, number: int) -> int:
        """Choose from 0 to ``number`` - 1."""
        taken = self.taken
        if self._record is None:
            chosen = int(self._random() * number)
        else:
            here = len(taken)
            chosen = min(self._record[here], number - 1) if here < len(self._record) else 0
        taken.append(chosen)
        return chosen

    def of(self, values: Sequence[T]) -> T:
        """Choose one of these; the first is the simplest."""
        return values[self.pick(len(values))]


def shrunk(
    record: Sequence[int], fails: Callable[[Sequence[int]], bool], tries: int = 2000
) -> list[int]:
    """Return the shortest and simplest record that fails in the same way."""
    best = list(record)
    left = tries
    better = True
    while better and left > 0:
        better = False
        size = max(1, len(best) // 2)
        while size and left > 0:
            start = 0
            while start < len(best) and left > 0:
                left -= 1
                candidate = best[:start] + best[start + size :]
                if fails(candidate):
                    best, better = candidate, True
                else:
                    start += size
            size //= 2
        for place in range(len(best)):
            for value in dict.fromkeys((0, best[place] // 2, best[place] - 1)):
                if 0 <= value < best[place] and left > 0:
                    left -= 1
                    candidate = [*best[:place], value, *best[place + 1 :]]
                    if fails(candidate):
                        best, better = candidate, True
                        break
    while best and best[-1] == 0:
        best.pop()
    return best
