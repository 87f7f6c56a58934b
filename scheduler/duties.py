"""Duties: what a scheduler does without being asked, each at its own pace, one after the other in one thread.

No outage ends a scheduler: a duty that meets one waits a little and tries again, and the others go on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from envoi.errors import EnvoiError
from envoi.queue.server import UnfitRedis
from scheduler.troubles import Troubles

_PAUSE = 0.25  # seconds until a duty that failed is tried again

log = structlog.get_logger()


class Duty(Protocol):
    """One thing that is done again and again."""

    @property
    def name(self) -> str:
        """What log lines and metrics call it."""

    @property
    def period(self) -> float:
        """Seconds from the end of one turn to the next."""

    def turn(self) -> bool:
        """Do what is to be done now, in bounded time. Returns whether more is left to be done at once."""


@dataclass(slots=True)
class Record:
    """How a duty fares; read by whoever watches.

    Attributes:
        turns: turns made, failed ones included.
        failures: turns that failed.
        ended: when its last turn ended that did not fail, seconds of the runner's clock; None: never yet.
        took: seconds that its last turn took.
        late: seconds that its last turn began after its time.
        error: what its last turn met; None: nothing.
    """

    turns: int = 0
    failures: int = 0
    ended: float | None = None
    took: float = 0.0
    late: float = 0.0
    error: str | None = None


@dataclass(slots=True)
class _Entry:
    duty: Duty
    record: Record
    since: float  # when its last turn ended
    rest: float | None = 0.0  # seconds from then to the next; None: the duty's period, which may change meanwhile

    @property
    def next_at(self) -> float:
        """When its next turn is wanted."""
        return self.since + (self.duty.period if self.rest is None else self.rest)


class Duties:
    """Runs duties in their order, each when its time has come.

    Args:
        duties: in the order in which they are run when several are due.
        troubles: told of what fails.
        clock: seconds, ever growing.

    Attributes:
        moved_at: when a turn or a duty last began or ended, by the clock: the proof of progress.
    """

    def __init__(self, duties: Sequence[Duty], troubles: Troubles, clock: Callable[[], float] = time.monotonic) -> None:
        self._troubles = troubles
        self._clock = clock
        self.moved_at = now = clock()
        self._entries = [_Entry(duty, Record(), now) for duty in duties]

    @property
    def records(self) -> dict[str, Record]:
        """How each duty fares, by its name."""
        return {entry.duty.name: entry.record for entry in self._entries}

    def turn(self) -> float:
        """Run every duty whose time has come, once.

        Returns:
            Seconds until the next one is wanted; 0 where more is left to be done at once.

        Raises:
            UnfitRedis: no scheduler may run on this Redis.
        """
        self.moved_at = self._clock()
        for entry in self._entries:
            if entry.next_at <= self._clock():
                self._run(entry)
        return max(0.0, min(entry.next_at for entry in self._entries) - self._clock())

    def _run(self, entry: _Entry) -> None:
        record, began = entry.record, self._clock()
        record.turns += 1
        record.late = began - entry.next_at
        try:
            more = entry.duty.turn()
        except UnfitRedis:
            raise
        except EnvoiError as error:  # an outage: Redis or the log's database
            self._failed(entry, error)
        except Exception as error:  # noqa: BLE001  # a fault of ours in one duty must not stop the others: it is told
            self._failed(entry, error, exc_info=error)
        else:
            record.ended, record.error = self._clock(), None
            entry.rest = 0.0 if more else None
            self._troubles.over(entry.duty.name)
        entry.since = self.moved_at = self._clock()
        record.took = entry.since - began

    def _failed(self, entry: _Entry, error: Exception, **fields: Exception) -> None:
        record = entry.record
        record.failures += 1
        record.error = f"{type(error).__name__}: {error}"
        entry.rest = _PAUSE
        self._troubles.tell(entry.duty.name, error, **fields)
