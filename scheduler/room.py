"""Room: enqueueing is refused, clearly, before Redis is full.

A Redis that has no memory left refuses every write, a worker's as well: jobs that are enqueued could then be neither
settled nor logged. So producers are stopped while there is still room for those that are in, and at once where Redis
would drop keys instead.
"""

from __future__ import annotations

import structlog

from envoi.queue.queue import EVICTS, Queue
from envoi.queue.server import FULL, Memory, memory_of

ROOM_AGAIN = 0.85  # of the memory that Redis may use; less than FULL, so that the door does not flap
_HOLDS = 10.0  # seconds that the door stays shut if no scheduler looks again

log = structlog.get_logger()


class Room:
    """The duty that looks at the memory of Redis. Any number of schedulers may have it."""

    name = "room"
    period = 1.0

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._refusing = False
        self._evicting: bool | None = None  # None: not looked at yet

    def turn(self) -> bool:
        """Look, and shut or open the door. Returns False: there is never more to do at once.

        Raises:
            QueueUnavailable: Redis did not answer.
        """
        memory = memory_of(self._queue.redis)
        self._see_policy(memory)
        if memory.evicts:
            return False
        share = memory.share
        refuse = share is not None and share >= (ROOM_AGAIN if self._refusing else FULL)
        if refuse:
            self._queue.refuse_more(_HOLDS)
        elif self._refusing:
            self._queue.admit_more()
        if refuse != self._refusing:
            text = "Redis is nearly full: enqueueing is refused" if refuse else "Redis has room again"
            log.warning(text, action="room", used=None if share is None else round(share, 3))
        self._refusing = refuse
        return False

    def _see_policy(self, memory: Memory) -> None:
        """Somebody may change it while we run: what is enqueued is still delivered then, and nothing more is taken."""
        if memory.evicts:
            self._queue.refuse_all()  # every time: it may be dropped itself
            if not self._evicting:
                text = "Redis would drop jobs: nothing more is enqueued until its maxmemory-policy is noeviction"
                log.error(text, action="room", policy=memory.policy)
        elif self._evicting is not False and self._queue.door() == EVICTS:  # a scheduler's that refused to start, too
            self._queue.admit_more()
            log.warning("Redis keeps what it is given: jobs are taken again", action="room")
        self._evicting = memory.evicts
