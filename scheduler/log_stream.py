"""The stream of events in Redis, as the log writer needs it: a lease, reading, and cleaning up behind the cursor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from envoi.queue.connection import translated
from envoi.queue.queue import Queue
from scheduler.lease import Lease

# May run when Redis is full: it is what makes it emptier.
# KEYS[1] the queue's base. Keys touched: ev, ev:bad; j: of the jobs.
# ARGV: Redis's run id, where the stream begins from now on, how many settled jobs, their ids, entries set aside.
# All or nothing, and only in the run of Redis that the events were read from: another one may have forgotten that a
# job is settled, and still need it. Answers 1 or 0.
_CLEAN = """#!lua flags=allow-oom
local K, settled = KEYS[1], tonumber(ARGV[3])
if not string.find(redis.call('INFO', 'server'), 'run_id:' .. ARGV[1], 1, true) then
  return 0
end
redis.call('XTRIM', K .. 'ev', 'MINID', ARGV[2])
for i = 4, 3 + settled do
  redis.call('UNLINK', K .. 'j:' .. ARGV[i])
end
for i = 4 + settled, #ARGV do
  redis.call('LPUSH', K .. 'ev:bad', ARGV[i])
  redis.call('LTRIM', K .. 'ev:bad', 0, 999)
end
return 1
"""


# One entry of the stream, not understood yet: its position, and a list of its fields' names and values in turn.
Entry = Sequence[Any]


def fields_of(entry: Entry) -> dict[str, str]:
    """Its values by their names."""
    flat = iter(entry[1])
    return dict(zip(flat, flat, strict=False))  # Redis keeps pairs: nothing to make sure of


def appended_at(entry: Entry) -> float:
    """When it was appended, seconds since the epoch by Redis's clock, cut off to milliseconds."""
    return int(entry[0].partition("-")[0]) / 1e3


@dataclass(frozen=True, slots=True)
class Reading:
    """What one look at the stream brought.

    Attributes:
        run: Redis's run id: changes when Redis restarts, and may have forgotten its last moments then.
        at: when it was made, seconds since the epoch by Redis's clock.
        epoch: the run that the queue is open for; None: it was never opened, or was wiped.
    """

    run: str
    entries: list[Entry]
    at: float
    epoch: str | None


class EventStream:
    """The stream of one queue, read by at most one at a time.

    Every method raises ``QueueUnavailable`` where Redis does not answer.

    Args:
        queue: whose events.
        lease: seconds that may lie between two readings before another may read.

    Attributes:
        lease: the right to read.
    """

    def __init__(self, queue: Queue, lease: float) -> None:
        self._redis = _own_client(queue.redis)
        self._keys = queue.keys
        self.lease = Lease(queue.keys.log_lease, lease)

    def read(self, after: str, count: int) -> Reading | None:
        """The oldest entries after a position; None: somebody else holds the lease."""
        with translated(), self._redis.pipeline(transaction=False) as pipe:
            # One connection, so the run id and the entries are of the same server.
            self.lease.ask(pipe)
            pipe.info("server")
            pipe.time()
            pipe.xrange(self._keys.events, min=f"({after}", count=count)
            pipe.get(self._keys.epoch)  # last: where it is there, the entries were not wiped away
            held, server, (seconds, micros), found, epoch = pipe.execute()
        if not self.lease.hear(held):
            return None
        return Reading(server["run_id"], found, seconds + micros / 1e6, epoch)

    def read_behind(self, position: str, count: int) -> list[Entry]:
        """The oldest entries up to a position: copied before, but not cleaned up."""
        with translated():
            found: Any = self._redis.xrange(self._keys.events, max=position, count=count)
        return list(found)

    def wait(self, after: str, seconds: float) -> None:
        """Until there is an entry after a position, but no longer than so many seconds (well below 5)."""
        with translated():
            self._redis.xread({self._keys.events: after}, count=1, block=max(1, round(seconds * 1000)))

    def jobs(self, ids: Sequence[str]) -> dict[str, str]:
        """Jobs as they were enqueued, those that Redis still has."""
        if not ids:
            return {}
        with translated():
            texts: Any = self._redis.mget([self._keys.job(job_id) for job_id in ids])
        return {job_id: text for job_id, text in zip(ids, texts, strict=True) if text is not None}

    def clean(self, run: str, position: str, settled: Sequence[str], aside: Sequence[str]) -> bool:
        """Forget what the log holds: entries up to a position and jobs that are settled; all or nothing.

        Args:
            run: the run of Redis that they were read from.
            position: of the last entry that is committed.
            settled: ids of jobs whose outcome is committed.
            aside: entries to keep for an operator.

        Returns:
            False where Redis is in another run: nothing was done.
        """
        with translated():
            return bool(
                self._redis.eval(_CLEAN, 1, self._keys.base, run, _next(position), len(settled), *settled, *aside)
            )

    def length(self) -> int:
        """How many entries there are; all wait to be copied, but for those that are still to be cleaned up."""
        with translated():
            return int(self._redis.xlen(self._keys.events))

    def oldest_age(self) -> float:
        """Seconds since the oldest entry was appended; 0 where there is none."""
        with translated(), self._redis.pipeline(transaction=False) as pipe:
            pipe.time()
            pipe.xrange(self._keys.events, count=1)
            (seconds, micros), found = pipe.execute()
        if not found:
            return 0.0
        return float(max(0.0, seconds + micros / 1e6 - appended_at(found[0])))

    def release(self) -> None:
        """Give the lease back, if it is ours."""
        self.lease.release(self._redis)
        self._redis.connection_pool.disconnect()


def _own_client(client: redis.Redis) -> redis.Redis:
    """A client with connections of its own, which may block and which read whatever bytes an entry holds.

    It does not try again by itself: the log writer has its own pauses.
    """
    pool = client.connection_pool
    options = {**pool.connection_kwargs, "encoding_errors": "replace", "retry": Retry(NoBackoff(), 0)}
    own = redis.Redis(connection_pool=redis.ConnectionPool(connection_class=pool.connection_class, **options))
    own.set_response_callback("XRANGE", _as_it_came)  # no dict of every entry before any of them is looked at
    return own


def _as_it_came(answer: Any, **_options: object) -> Any:  # noqa: ANN401  # what Redis answers
    return answer


def _next(position: str) -> str:
    """The smallest position after this one."""
    ms, _, number = position.partition("-")
    return f"{ms}-{int(number) + 1}"
