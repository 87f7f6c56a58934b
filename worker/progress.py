"""How an engine fares, for metrics and health."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """An engine at one moment.

    Attributes:
        turned_ago: seconds since it last moved on.
        running: attempts on their way.
        calling: calls and looks under way.
        away: Redis did not answer its last trip.
        shut: it has found the gate shut; None: it has not asked since Redis was away, or ever.
    """

    turned_ago: float
    running: int
    calling: int
    away: bool
    shut: bool | None
