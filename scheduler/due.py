"""What time brings about: `at` times, due times, leases that have run out, bells that were lost.

One script does all of it, and any number of schedulers may run it at once. It is not there while the gate is shut:
after a restart Redis may have lost the mark of a call that has begun, and what the rescue of its lease put back into
the waiting list would be sent a second time.
"""

from __future__ import annotations

import structlog

from envoi.queue.queue import Queue
from scheduler.epoch import Gate

LONGEST = 0.07  # seconds between two turns; an idle Redis is asked less than 30 times a second by a whole scheduler
_SHORTEST = 0.005  # the same, however soon something is due
LIMIT = 100  # of each kind in one turn: bounds the time that Redis does nothing else

log = structlog.get_logger()


class DueTimes:
    """The duty that moves what has come due.

    It is there when the next job or conversation is due that it knows of; of one that comes meanwhile it learns at its
    next turn.

    Attributes:
        period: seconds until its next turn.
        shut: whether its last turn found the gate shut, so that nothing was moved; before its first turn too.
        late: seconds that the oldest thing moved in the last turn came after its time; 0 where nothing was moved.
    """

    name = "due"

    def __init__(self, queue: Queue, gate: Gate) -> None:
        self._queue = queue
        self._gate = gate
        self.shut = True
        self.late = 0.0
        self.period = LONGEST

    def turn(self) -> bool:
        """Move what is due, at most 100 of each kind. Returns whether there may be more.

        Raises:
            QueueUnavailable: Redis did not answer.
        """
        self.period = LONGEST
        self.shut = not self._gate.open
        if self.shut:
            return False
        tick = self._queue.tick(LIMIT)
        if tick.gate_shut:  # Redis has restarted: the gate looks into it at once
            self.shut, self._gate.open = True, False
            return False
        self.late = tick.lag
        if tick.next_in is not None:
            self.period = min(LONGEST, max(_SHORTEST, tick.next_in))
        if tick.lost:
            log.warning("leases ran out: their workers died, froze or lost Redis", action="rescue", leases=tick.lost)
        return max(tick.entered, tick.due, tick.lost) >= LIMIT
