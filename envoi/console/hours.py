"""What ended in each of the last hours. Past hours hardly change: they are counted again once in a while."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from envoi.log import counting
from envoi.log.counting import Hour
from envoi.states import State

HOURS = 24
_HOUR = timedelta(hours=1)
_RECENT, _PAST = 2.0, 600.0  # seconds for which a count stands: of the last two hours, of those before


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What ended since some time.

    Attributes:
        counts: by outcome.
        codes: how many failed, by Graph's error code; None: without one. The most frequent first.
        more: in some hour more ended than were counted.
    """

    counts: dict[State, int]
    codes: list[tuple[int | None, int]]
    more: bool


class Hours:
    """Counts by the hour, the last 24 of them.

    Args:
        engine: the log's database.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()  # held while counting: a second viewer waits for the first one's counts
        self._known: dict[datetime, tuple[float, Hour]] = {}

    def last(self, now: datetime) -> list[Hour]:
        """The last 24 hours, the oldest first; the last is the one that is not over.

        Args:
            now: aware.

        Raises:
            LogUnavailable, SchemaMissing: the database failed.
        """
        present = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        wanted = [present - _HOUR * back for back in range(HOURS - 1, -1, -1)]
        with self._lock:
            self._known = {since: self._counted(since, present) for since in wanted}
            return [hour for _, hour in self._known.values()]

    def _counted(self, since: datetime, present: datetime) -> tuple[float, Hour]:
        stands = _RECENT if present - since <= _HOUR else _PAST
        known = self._known.get(since)
        if known and time.monotonic() - known[0] < stands:
            return known
        return time.monotonic(), counting.hour(self._engine, since, since + _HOUR)


def summed(hours: list[Hour], since: datetime) -> Outcomes:
    """Add hours up, from a time on."""
    counts: dict[State, int] = {}
    codes: dict[int | None, int] = {}
    mine = [hour for hour in hours if hour.since >= since]
    for hour in mine:
        for (state, code), number in hour.counts.items():
            counts[state] = counts.get(state, 0) + number
            if state is State.FAILED:
                codes[code] = codes.get(code, 0) + number
    ranked = sorted(codes.items(), key=lambda one: -one[1])
    return Outcomes(counts, ranked, any(hour.more for hour in mine))
