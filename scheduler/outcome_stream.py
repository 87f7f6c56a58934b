"""The stream of outcomes for Celery, as their publisher needs it: a lease, reading, deleting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from envoi.outcomes import Outcome, read_outcome
from envoi.queue.connection import translated
from envoi.queue.queue import Queue
from scheduler.lease import Lease

# May run when Redis is full: it makes it emptier.
# KEYS[1] the stream. ARGV: Redis's run id, positions. Deletes them, but only in the run of Redis that they were read
# from: in another one the same position may be another outcome. Answers how many.
_DELETE = """#!lua flags=allow-oom
if not string.find(redis.call('INFO', 'server'), 'run_id:' .. ARGV[1], 1, true) then
  return 0
end
return redis.call('XDEL', KEYS[1], unpack(ARGV, 2))
"""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Reading:
    """What one look at the stream brought.

    Attributes:
        run: the run of Redis that was read.
        outcomes: the oldest ones, in order.
        unreadable: positions of entries that nobody can read; they are logged.
    """

    run: str
    outcomes: list[Outcome]
    unreadable: list[str]

    @property
    def positions(self) -> list[str]:
        """Of all entries."""
        return [*self.unreadable, *(outcome.position for outcome in self.outcomes)]


class OutcomeStream:
    """The stream of one queue, read by at most one at a time.

    Every method raises ``QueueUnavailable`` where Redis does not answer.

    Args:
        queue: whose outcomes.
        lease: seconds that may lie between two readings before another may read.

    Attributes:
        lease: the right to read.
    """

    def __init__(self, queue: Queue, lease: float) -> None:
        self._redis = queue.redis
        self._key = queue.keys.tasks
        self.lease = Lease(f"{queue.keys.base}publisher", lease)

    def read(self, count: int) -> Reading | None:
        """The oldest outcomes; None: somebody else holds the lease."""
        with translated(), self._redis.pipeline(transaction=False) as pipe:
            # One connection, so the run id and the entries are of the same server.
            self.lease.ask(pipe)
            pipe.info("server")
            pipe.xrange(self._key, count=count)
            held, server, found = pipe.execute()
        if not self.lease.hear(held):
            return None
        reading = Reading(server["run_id"], [], [])
        for position, fields in found:
            try:
                reading.outcomes.append(read_outcome(position, fields))
            except (KeyError, ValueError, TypeError) as error:
                log.error("not an outcome", action="outcomes", position=position, why=type(error).__name__)  # noqa: TRY400  # its text may hold anything
                reading.unreadable.append(position)
        return reading

    def wait(self, seconds: float) -> None:
        """Until there is an outcome, but no longer than so many seconds (well below 5)."""
        with translated():
            self._redis.xread({self._key: "0-0"}, count=1, block=max(1, round(seconds * 1000)))

    def delete(self, run: str, positions: Sequence[str]) -> None:
        """Forget what is published, unless Redis is in another run."""
        if positions:
            with translated():
                self._redis.eval(_DELETE, 1, self._key, run, *positions)

    def release(self) -> None:
        """Give the lease back, if it is ours."""
        self.lease.release(self._redis)
