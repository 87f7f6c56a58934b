"""How many of some moments fall into one second, wherever that second begins."""

from __future__ import annotations

from collections.abc import Sequence


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
