"""A person's traces in Redis, beside their conversation: statuses and keys of jobs, entries of streams."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

from envoi.job_texts import key_digest
from envoi.queue.connection import translated
from envoi.queue.queue import Queue

_BATCH = 1000  # entries read at once
_POLL = 0.05


class Traces:
    """Finds and deletes them.

    Every method raises ``QueueUnavailable`` where Redis does not answer.

    Args:
        queue: where.
        page: the page's id.
    """

    def __init__(self, queue: Queue, page: str) -> None:
        self._redis: Any = queue.redis  # redis-py types every answer as text or bytes; here it is text
        self._keys = queue.keys
        self._page = page

    def wait_until_logged(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> bool:
        """Until the scheduler has read every event and notice that is there now. Returns False if it takes longer."""
        streams = (self._keys.events, self._keys.told, self._keys.receipts)
        with translated():
            last = [self._redis.xrevrange(stream, count=1) for stream in streams]
        waited = [(stream, _order(found[0][0])) for stream, found in zip(streams, last, strict=True) if found]
        ends = clock() + seconds
        while waited := [(stream, position) for stream, position in waited if self._has(stream, position)]:
            if clock() > ends:
                return False
            time.sleep(_POLL)
        return True

    def _has(self, stream: str, position: tuple[int, int]) -> bool:
        """Whether anything up to a position is still there."""
        with translated():
            first = self._redis.xrange(stream, count=1)
        return bool(first) and _order(first[0][0]) <= position

    def forget_jobs(self, jobs: Sequence[tuple[str, str | None]]) -> None:
        """What is kept of settled jobs: given by id and key."""
        keys = self._keys
        names = [name for job_id, _ in jobs for name in (keys.settled(job_id), keys.job(job_id), keys.skipped(job_id))]
        names += [keys.taken(self._page, key_digest(key)) for _, key in jobs if key]
        with translated():
            self._redis.unlink(*names)

    def forget_waiting(self, conversations: Collection[str]) -> None:
        """Entries that are left behind in the page's waiting lists; each list is read to its end."""
        with translated():
            # Page ids hold no character that a pattern means something by; a list of another page holds none of these.
            for name in self._redis.scan_iter(match=f"{self._keys.base}w:{self._page}*", count=_BATCH, _type="list"):
                # Behind the conversation: since when it has waited there (line.lua).
                found = {one for one in self._from_the_end(name) if one.partition(" ")[0] in conversations}
                for entry in found:
                    self._redis.lrem(name, 0, entry)

    def _from_the_end(self, name: str) -> Iterator[str]:
        """Every entry of a list that is taken from at its front meanwhile: so read, none is left out."""
        last = -1
        while found := self._redis.lrange(name, last - _BATCH + 1, last):
            yield from found
            last -= _BATCH

    def forget_entries(self, jobs: Collection[str], person: str) -> int:
        """What waits for others: outcomes that no app has read, receipts put off, events that could not be read.

        Returns:
            How many outcomes were deleted unread.
        """
        mentions = _Mentions(jobs, person)
        with translated():
            for member, _ in self._redis.zscan_iter(self._keys.late, count=_BATCH):
                if f'"{person}"' in member:
                    self._redis.zrem(self._keys.late, member)
            for entry in self._redis.lrange(self._keys.aside, 0, -1):
                if mentions.in_text(entry):
                    self._redis.lrem(self._keys.aside, 0, entry)
            streams = [*self._redis.scan_iter(match=self._keys.outcomes("*"), count=_BATCH, _type="stream")]
            return sum(self._forget_outcomes(stream, mentions) for stream in [*streams, self._keys.tasks])

    def _forget_outcomes(self, stream: str, mentions: _Mentions) -> int:
        after, deleted = "-", 0
        while found := self._redis.xrange(stream, min=after, count=_BATCH):
            named = [position for position, fields in found if mentions.in_fields(fields)]
            deleted += self._redis.xdel(stream, *named) if named else 0
            after = f"({found[-1][0]}"
        return deleted


class _Mentions:
    """Whether an entry names one of these jobs, or the person."""

    def __init__(self, jobs: Collection[str], person: str) -> None:
        self._jobs, self._person = set(jobs), person

    def in_fields(self, fields: dict[str, str]) -> bool:
        return fields.get("j") in self._jobs or fields.get("r") == self._person

    def in_text(self, text: str) -> bool:
        return f'"{self._person}"' in text or any(job_id in text for job_id in self._jobs)


def _order(position: str) -> tuple[int, int]:
    milliseconds, _, number = position.partition("-")
    return int(milliseconds), int(number)
