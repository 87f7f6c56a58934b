"""What must be done after a restart of Redis before anyone claims again (docs/job-lifecycle.md, "The gate").

Redis may have lost its last moments. Workers that are still there say what they hold; when all have, nothing is in
doubt. If one stays away until its leases must have run out, what it may have begun in the lost moments is put to
settling.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog

from envoi.queue.queue import Queue
from scheduler.lease import Lease

log = structlog.get_logger()


class LookOver:
    """The look over one queue after one restart; one scheduler's at a time.

    Args:
        queue: the queue.
        run_id: the run of Redis that is to be opened.
        lease: the right to do it.
        clock: seconds, ever growing.

    Attributes:
        suspects: jobs that were put to settling by this scheduler.
    """

    def __init__(self, queue: Queue, run_id: str, lease: Lease, clock: Callable[[], float]) -> None:
        self.suspects = 0
        self._queue = queue
        self._run_id = run_id
        self._lease = lease
        self._clock = clock
        # Counted from here and not from the start of this Redis: after a failover the new one has long been up, while
        # leases were given by the old one until a moment ago.
        self._noticed = clock()
        self._told: set[str] = set()
        self._cursor = ""
        self._suspecting = False

    @property
    def waited(self) -> float:
        """Seconds since the restart was noticed."""
        return self._clock() - self._noticed

    @property
    def hurried(self) -> bool:
        """Whether there is more to do at once; else somebody or something is waited for."""
        return self._suspecting

    def turn(self) -> bool:
        """Go one step. Returns whether all is done.

        Raises:
            QueueUnavailable: Redis did not answer.
        """
        if not self._mine():
            self._suspecting = False
            self._cursor = ""  # whoever does it now begins anew, and so would we
            return False
        if self._suspecting:
            return self._suspect()
        away = set(self._queue.workers()) - self._queue.back(self._run_id)
        if not away:
            return True
        if self.waited >= self._queue.settings.lease:
            log.warning("workers stay away: what they may have begun settles", action="gate", workers=sorted(away))
            return self._suspect()
        if away - self._told:
            self._told |= away
            log.info("waiting for workers to say what they hold", action="gate", workers=sorted(away))
        return False

    def _mine(self) -> bool:
        """Whether this work is ours, and not another scheduler's."""
        return self._lease.hold(self._queue.redis)

    def _suspect(self) -> bool:
        step = self._queue.suspect(self._run_id, self._cursor)
        self.suspects += step.moved
        self._cursor = step.cursor or ""
        self._suspecting = step.cursor is not None
        return step.cursor is None
