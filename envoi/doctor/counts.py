"""How much is where in the queue: sizes that Redis knows, in one trip, whatever they are."""

from __future__ import annotations

from dataclasses import dataclass

from envoi.queue.connection import translated
from envoi.queue.queue import Queue

_LATE = 5.0  # seconds: a lease or a due time that is over for so long was not seen by any scheduler


@dataclass(frozen=True, slots=True)
class Counts:
    """Sizes at one moment.

    Attributes:
        bells: unread ones.
        leases: conversations that workers hold.
        overdue: leases and due times that are over for long, and that no scheduler has moved.
        scheduled: jobs that wait for their time.
        due: conversations that wait for a due time.
        looks: conversations that will be looked into.
        holds: conversations that an operator holds.
        aside: events that could not be logged.
        notices, receipts: of webhooks, not applied or logged yet.
        pages: that ever had a job.
    """

    bells: int
    leases: int
    overdue: int
    scheduled: int
    due: int
    looks: int
    holds: int
    aside: int
    notices: int
    receipts: int
    pages: int


def read_counts(queue: Queue, now: float) -> Counts:
    """Count, at a time by Redis's clock.

    Raises:
        QueueUnavailable: Redis did not answer.
    """
    keys, late = queue.keys, now - _LATE
    with translated(), queue.redis.pipeline(transaction=False) as pipe:
        for times in ("lease", "due", "at"):
            pipe.zcard(f"{keys.base}{times}")
            pipe.zcount(f"{keys.base}{times}", "-inf", late)
        pipe.zcard(f"{keys.base}look")
        pipe.zcard(keys.holds)
        pipe.llen(keys.bells)
        pipe.llen(keys.aside)
        pipe.xlen(keys.told)
        pipe.xlen(keys.receipts)
        pipe.zcard(f"{keys.base}known")
        leases, late_leases, due, late_dues, scheduled, late_starts, looks, holds, *rest = pipe.execute()
    bells, aside, notices, receipts, pages = rest
    return Counts(
        bells=bells,
        leases=leases,
        overdue=late_leases + late_dues + late_starts,
        scheduled=scheduled,
        due=due,
        looks=looks,
        holds=holds,
        aside=aside,
        notices=notices,
        receipts=receipts,
        pages=pages,
    )
