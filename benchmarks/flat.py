"""Whether a cost stays the same as something grows: figures of rounds that alternated between the sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median


def times_the_first(rounds: Mapping[int, Sequence[float]]) -> dict[int, float]:
    """What each size costs, in times of what the first one costs in the same round; the median of the rounds.

    What slows the machine for a while slows all sizes of a round alike, and falls out.

    Args:
        rounds: by size, the cost in each round; all have the same number of rounds.

    Raises:
        ValueError: the numbers of rounds differ, or there is none.
    """
    first = next(iter(rounds.values()), [])
    if not first:
        raise ValueError("there is no round to compare")
    return {
        size: median(cost / base for cost, base in zip(costs, first, strict=True)) for size, costs in rounds.items()
    }


def is_flat(rounds: Mapping[int, Sequence[float]], tolerance: float) -> bool:
    """Whether no size costs more than the first by a part of ``tolerance``, such as 0.1; less is no fault."""
    return all(times <= 1 + tolerance for times in times_the_first(rounds).values())
