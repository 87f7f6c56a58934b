"""The queue as a feeder needs it: how much fits, what is known, and how jobs go in, come out, or are put back."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from envoi.broadcast.template import Template
from envoi.errors import EnvoiError, InvalidJob, QueueFull, QueueUnavailable, Recovering, UnknownJob
from envoi.job import Job
from envoi.queue.connection import translated
from envoi.queue.queue import Queue
from envoi.recovery.missing import put_back
from envoi.recovery.stored import StoredJob
from scheduler.fed import Fed, Refused

_CAUSE_LONGEST, _MESSAGE_LONGEST = 200, 1000  # characters
_VARIABLE = re.compile(r"(?: at)? [0-9(]")  # from here on a rule's words differ from person to person
_PLACE = re.compile(r" \(number \d+ of this call\)")  # in a call of ours, which nobody knows


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of jobs at the door.

    Attributes:
        ids: by the recipients' numbers, the ids of their jobs.
        refused: the others.
    """

    ids: dict[int, str]
    refused: list[Refused]


@dataclass(frozen=True, slots=True)
class Room:
    """What a page can take.

    Attributes:
        ahead: how many messages go out in ``ENVOI_BROADCAST_AHEAD`` at its pace.
        free: the same, less the conversations that wait in the lane bulk; 0 while the page is paused.
    """

    ahead: int
    free: int


class FeedDoor:
    """One queue, for a feeder. Every method raises ``QueueUnavailable`` where Redis does not answer.

    Args:
        queue: the queue.
    """

    def __init__(self, queue: Queue) -> None:
        self._queue = queue

    def memory(self) -> str:
        """Names what Redis remembers: another after a restart, which may lose the last second, and after a wipe."""
        keys, redis = self._queue.keys, self._queue.redis
        with translated():
            redis.set(keys.memory, secrets.token_hex(8), nx=True)
            token: Any = redis.get(keys.memory)
        return f"{self._queue.run_id()}:{token}"

    def now(self) -> float:
        """Redis's clock: seconds since the epoch."""
        return self._queue.time()

    def room(self, page: str, *, media: bool = False) -> Room:
        """How many jobs may be enqueued for a page; none while it is paused: a job that waits grows old.

        Args:
            page: the sender.
            media: whether the broadcast's message counts as media, which have a pace of their own.
        """
        keys, settings = self._queue.keys, self._queue.settings
        with translated(), self._queue.redis.pipeline(transaction=False) as pipe:
            pipe.hmget(keys.page(page), "paused", "pace", "mpace", "ig")
            for queue in (page, f"{page}/m", f"{page}/p"):  # of each class: what waits there goes out by the same pace
                pipe.llen(keys.waiting(queue, "b"))
            (paused, own, own_media, instagram), *waiting = pipe.execute()
        pace = float(own or (settings.instagram_pace if instagram else settings.page_pace))
        if media:
            pace = min(pace, float(own_media or settings.page_media_pace))
        ahead = max(1, round(pace * settings.broadcast_ahead))
        return Room(ahead, 0 if paused is not None else max(0, ahead - sum(map(int, waiting))))

    def known(self, job_ids: Sequence[str]) -> set[str]:
        """Which jobs Redis knows, open or settled."""
        keys = self._queue.keys
        with translated(), self._queue.redis.pipeline(transaction=False) as pipe:
            for job_id in job_ids:
                pipe.exists(keys.job(job_id), keys.settled(job_id))
            there = pipe.execute()
        return {job_id for job_id, found in zip(job_ids, there, strict=True) if found}

    def enqueue(self, broadcast_id: str, template: Template, people: Sequence[Fed]) -> Taken:
        """Enqueue the jobs of some recipients; one that is refused stops no other.

        Raises:
            QueueFull, Recovering: what is not enqueued waits.
        """
        jobs: list[tuple[Fed, Job]] = []
        taken = Taken({}, [])
        for person in people:
            try:
                jobs.append((person, template.job(broadcast_id, person.recipient)))
            except InvalidJob as error:
                taken.refused.append(_refused(person, error))
        self._enqueue(jobs, taken)
        return taken

    def _enqueue(self, jobs: Sequence[tuple[Fed, Job]], taken: Taken) -> None:
        """All at once; where one is refused, each half for itself."""
        if not jobs:
            return
        try:
            ids = self._queue.enqueue([job for _, job in jobs], [person.job_id for person, _ in jobs])
        except (QueueFull, QueueUnavailable, Recovering):
            raise
        except EnvoiError as error:
            if len(jobs) == 1:
                taken.refused.append(_refused(jobs[0][0], error))
                return
            half = len(jobs) // 2
            self._enqueue(jobs[:half], taken)
            self._enqueue(jobs[half:], taken)
        else:
            taken.ids.update((person.number, job_id) for (person, _), job_id in zip(jobs, ids, strict=True))

    def cancel(self, job_id: str) -> None:
        """Cancel a job if it is not begun.

        Raises:
            Recovering: Redis has restarted, and the queue is being looked over.
        """
        # One that is not known was never enqueued, or was lost, or has ended long ago: the log will tell.
        with suppress(UnknownJob):
            self._queue.cancel(job_id)

    def put_back(self, broadcast_id: str, template: Template, person: Fed) -> str:
        """Put back a job that Redis has lost, as one that may have been sent. Answers as ``missing.lua`` does.

        Raises:
            InvalidJob: this version would not send it.
        """
        job = template.job(broadcast_id, person.recipient)
        fed_at: datetime = person.fed_at
        return put_back(self._queue, StoredJob.queued(job, person.job_id, fed_at, self._queue.settings.bulk_age))


def _refused(person: Fed, error: EnvoiError) -> Refused:
    """Why, in full, and in the few words that the reasons of many have in common."""
    cause = type(error).__name__
    if isinstance(error, InvalidJob):
        found = {f"{one.field}: {_VARIABLE.split(one.limit, maxsplit=1)[0].strip()}" for one in error.problems}
        cause = "; ".join(sorted(found))
    return Refused(person.number, cause[:_CAUSE_LONGEST], _PLACE.sub("", str(error))[:_MESSAGE_LONGEST])
