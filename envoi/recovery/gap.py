"""The time before a wipe that the log knows nothing of."""

from __future__ import annotations

from dataclasses import dataclass

from envoi.log.milestones import Milestone, Milestones
from envoi.queue.queue import Queue
from envoi.recovery.backlog import Backlog


@dataclass(frozen=True, slots=True)
class Gap:
    """The time that the log knows nothing of. Seconds since the epoch, by Redis's clock.

    Attributes:
        complete: up to when it is complete; None: that was never marked.
        wiped: when the queue was wiped, at the latest.
        lost: seconds between the two, or as an operator says.
    """

    complete: float | None
    wiped: float
    lost: float


def gap_of(
    queue: Queue, run: str, backlog: Backlog, milestones: Milestones, known: Milestone | None, *, lost: float | None
) -> Gap:
    """The gap of a wiped queue; that it was found wiped is noted in the log.

    Args:
        queue: the wiped one.
        run: of its Redis.
        backlog: jobs in the log.
        milestones: of the log.
        known: up to when the log is complete, as they say.
        lost: seconds that an operator says it is long.
    """
    complete = known.at if known else None
    if complete is None and (newest := backlog.newest()):
        complete = newest.timestamp()
    wiped = milestones.set_wiped(Milestone(run, queue.time())).at
    return Gap(complete, wiped, lost if lost is not None else max(0.0, wiped - (complete or 0.0)))
