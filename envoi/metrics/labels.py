"""Labels of a bounded number of values."""

from __future__ import annotations

from envoi.metrics.families import OTHER


class Labels:
    """The first so many values that come have a label of their own; all others share one.

    Args:
        most: how many.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._own: set[str] = set()

    def of(self, value: str) -> str:
        """The label of a value: itself, or ``other``."""
        if value in self._own:
            return value
        if len(self._own) >= self._most:
            return OTHER
        self._own.add(value)
        return value
