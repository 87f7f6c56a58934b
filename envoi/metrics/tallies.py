"""Counters and histograms that cost their only writer next to nothing.

prometheus_client's own take a lock and look up a child for each observation. Ours have one thread that writes; readers
copy, which Python does in one step.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence


class Histogram:
    """Observations in buckets, by key.

    Args:
        bounds: upper bounds of the buckets, rising; what is above the last is counted too.
    """

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = tuple(bounds)
        size = len(self.bounds) + 2  # one bucket for what is above the last bound, and the sum
        self._rows: defaultdict[str, list[float]] = defaultdict(lambda: [0.0] * size)

    def observe(self, key: str, value: float) -> None:
        """Count one value. By one thread only."""
        row = self._rows[key]
        row[bisect_left(self.bounds, value)] += 1
        row[-1] += value

    def rows(self) -> dict[str, tuple[list[tuple[str, float]], float]]:
        """By key the cumulative buckets, as Prometheus has them, and the sum. By any thread."""
        return {key: self._row(list(row)) for key, row in self._rows.copy().items()}

    def _row(self, row: list[float]) -> tuple[list[tuple[str, float]], float]:
        total, buckets = 0.0, []
        for bound, count in zip([*map(str, self.bounds), "+Inf"], row[:-1], strict=True):
            total += count
            buckets.append((bound, total))
        return buckets, row[-1]
