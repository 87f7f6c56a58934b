"""How many of some moments fall into one second, wherever that second begins; how many spans one moment lies in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate


def most_in_a_second(times: Sequence[float], span: float = 1.0) -> int:
    """The most of these moments in any sliding ``[t, t + span)``.

    Args:
        times: seconds, in any order.
        span: seconds.
    """
    ordered, first, most = sorted(times), 0, 0
    for last, at in enumerate(ordered):
        while at - ordered[first] >= span:
            first += 1
        most = max(most, last - first + 1)
    return most


def most_at_once(spans: Iterable[tuple[float, float]]) -> int:
    """The most of these spans of time that any moment lies in; a span ends before its last moment.

    Args:
        spans: first and last moment of each, seconds.
    """
    steps = sorted(step for first, last in spans for step in ((first, 1), (last, -1)))
    return max(accumulate((change for _, change in steps), initial=0))
