"""Missing jobs: the log holds them without outcome, and an open queue does not know them.

A Redis that restarts may lose its last moments, and with them jobs that were enqueued then, although the log has copied
their first event. Such a job would stay open in the log for ever. It may have been begun, and its worker died: so it is
not begun again, but waits for facts like any unknown.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice

from sqlalchemy import Engine

from envoi.queue.connection import translated
from envoi.queue.queue import Queue
from envoi.queue.scripts import script
from envoi.recovery.backlog import Backlog
from envoi.recovery.putback import moment
from envoi.recovery.stored import StoredJob
from envoi.states import State

_BATCH = 500


@dataclass(frozen=True, slots=True)
class Found:
    """A missing job, and what became of it.

    Attributes:
        now: ``missing``: nothing was done; ``settling`` or ``scheduled``: put back; ``sent``: a fact had come;
            ``later``: another job heads its line, so run again; ``lost``: its text is not in the log.
    """

    job: StoredJob
    now: str


class Missing:
    """Looks for missing jobs and puts them back.

    Args:
        queue: an open one.
        engine: the log's database.
        older_than: seconds; younger jobs are left alone.
    """

    def __init__(self, queue: Queue, engine: Engine, older_than: float) -> None:
        self._queue = queue
        self._backlog = Backlog(engine)
        self._older_than = older_than

    def find(self, *, at_most: int | None = None) -> Iterator[StoredJob]:
        """The missing jobs.

        Args:
            at_most: so many open jobs are looked at, the oldest; None: all.
        """
        before = moment(self._queue.time() - self._older_than)
        with closing(self._backlog.open_before(before)) as found:
            left = islice(found, at_most)
            while batch := list(islice(left, _BATCH)):
                absent = [job.id for job in self._absent(batch)]
                # What has settled since the log was read is forgotten by Redis only after the log had its outcome.
                yield from self._backlog.still_open(absent)

    def put_back(self) -> Iterator[Found]:
        """Put every missing job back."""
        for job in list(self.find()):
            yield Found(job, put_back(self._queue, job))

    def _absent(self, jobs: list[StoredJob]) -> Iterator[StoredJob]:
        keys = self._queue.keys
        with translated(), self._queue.redis.pipeline(transaction=False) as pipe:
            for job in jobs:
                pipe.exists(keys.job(job.id), keys.settled(job.id))
            there = pipe.execute()
        return (job for job, known in zip(jobs, there, strict=True) if not known)


def put_back(queue: Queue, job: StoredJob) -> str:
    """Put back one job that an open queue has lost. It may have been sent, so facts are waited for.

    Returns:
        As :attr:`Found.now` says; ``known``: the queue has not lost it.

    Raises:
        QueueUnavailable: Redis did not answer.
    """
    if job.payload is None or job.page is None:
        return "lost"
    later = job.state is State.SCHEDULED and job.due_at and job.due_at > moment(queue.time())
    at = f"{job.due_at.timestamp():.6f}" if later and job.due_at else ""
    wait, begun = queue.settings.settle_wait, f"{job.enqueued_at.timestamp():.6f}"
    args: list[str | int | float] = [job.id, at, job.attempts, wait, begun, *job.key(), job.text()]
    with translated():
        text = script("missing").shut_text or ""
        answer = str(queue.redis.eval(text, 1, queue.keys.base, *args))
    if answer == "settling" and job.message_id:
        queue.prove_sent(job.id, job.message_id, job.recipient_id)
        return "sent"
    return answer
