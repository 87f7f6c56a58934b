"""The client: what a web app imports. It needs Redis and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Literal

import redis

from envoi.events import GraphError, load_error
from envoi.job import Job
from envoi.queue.connection import connect
from envoi.queue.queue import Queue
from envoi.settings import Settings, settings
from envoi.states import State

BATCH = 500  # jobs in one script call: bounds the time that Redis does nothing else


@dataclass(frozen=True, slots=True)
class JobStatus:
    """Where a job is.

    Attributes:
        attempts: runs by a worker so far, the present one included.
        message_id: Meta's id of the message, once accepted.
        recipient_id: the recipient as Meta answered it; None where Meta gives none.
        error: why it failed, waits or is unknown.
        due_at: when it goes on, for ``scheduled``, ``retrying`` and ``settling``.
    """

    id: str
    state: State
    attempts: int = 0
    message_id: str | None = None
    recipient_id: str | None = None
    error: GraphError | None = None
    due_at: datetime | None = None


class Envoi:
    """A client of one queue. Threads may share it.

    Args:
        redis_url: where the queue is; without it ``ENVOI_REDIS_URL`` is read.
    """

    def __init__(self, redis_url: str | None = None, *, client: redis.Redis | None = None) -> None:
        found: Settings = settings()
        self._queue = Queue(client or connect(redis_url or found.redis_url), found)

    def send(
        self,
        page: str,
        recipient: str | dict[str, Any],
        message: str | dict[str, Any],
        **options: Any,  # noqa: ANN401  # Job's own fields, checked there
    ) -> str:
        """Enqueue one message; it is delivered after every earlier one to the same recipient.

        Args:
            page: the sender's page id.
            recipient: a page-scoped id, or the Send API's own object.
            message: a text, or the Send API's own object.
            options: any other field of :class:`envoi.Job`.

        Returns:
            The job's id, or the first job's with the same ``key``.

        Raises:
            InvalidJob: names every field that is wrong, with its limit; nothing was enqueued.
            KeyConflict, QueueFull, Recovering: nothing was enqueued.
            QueueUnavailable: may or may not be enqueued; repeat with the same key.
        """
        return self._queue.enqueue([Job(page=page, recipient=recipient, message=message, **options)])[0]

    def send_many(self, jobs: Iterable[Job]) -> list[str]:
        """Enqueue many jobs, in their order.

        Returns:
            The id of each job, or the first job's with the same ``key``.

        Raises:
            KeyConflict, QueueFull, Recovering, QueueUnavailable: jobs of earlier batches of 500 are enqueued, the
                batch that failed is not (with QueueUnavailable it may be). Repeating is safe for jobs with a key.
        """
        ids: list[str] = []
        left = iter(jobs)
        while batch := list(islice(left, BATCH)):
            ids += self._queue.enqueue(batch)
        return ids

    def status(self, job_id: str) -> JobStatus:
        """Where a job is, from Redis; settled jobs stay there for ``ENVOI_STATUS_TTL``, older ones are in SQL.

        Raises:
            UnknownJob: Redis does not know the job (any more).
            QueueUnavailable: Redis did not answer.
        """
        found = self._queue.status(job_id)
        return JobStatus(
            id=job_id,
            state=State(found["state"]),
            attempts=int(found.get("attempts") or 0),
            message_id=found.get("message_id") or None,
            recipient_id=found.get("recipient_id") or None,
            error=load_error(found["error"]) if found.get("error") else None,
            due_at=datetime.fromtimestamp(float(found["due"]), UTC) if found.get("due") else None,
        )

    def cancel(self, job_id: str) -> Literal["cancelled", "pending", "too_late"]:
        """Cancel a job whose message call has not begun.

        Returns:
            ``cancelled``; ``pending`` when a worker holds the job just now and decides before its message call
            (ask :meth:`status`); ``too_late`` when the call has begun or the job has its outcome.

        Raises:
            UnknownJob: Redis does not know the job (any more).
            QueueUnavailable: Redis did not answer.
        """
        answer = self._queue.cancel(job_id)
        if answer == "cancelled":
            return "cancelled"
        return "pending" if answer == "pending" else "too_late"
