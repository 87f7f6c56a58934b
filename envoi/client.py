"""The client: what a web app imports. It needs Redis and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Literal

import redis

from envoi.errors import BadSettings, EnvoiError, InvalidJob, NotInDoubt, Problem, UnknownJob
from envoi.events import GraphError, load_error
from envoi.ids import JOB_ID
from envoi.job import Job, Message, Recipient
from envoi.queue.connection import connect
from envoi.queue.queue import OPERATOR, Queue
from envoi.settings import settings
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
        client: a client of that Redis to use instead, made with ``decode_responses=True``. Its time-outs are its own:
            without one it waits for a frozen Redis for ever.

    Raises:
        BadSettings: names every setting that is malformed.
    """

    def __init__(self, redis_url: str | None = None, *, client: redis.Redis | None = None) -> None:
        self._queue = Queue(client, settings()) if client else open_queue(redis_url)

    def send(
        self,
        page: str,
        recipient: str | dict[str, Any] | Recipient,
        message: str | dict[str, Any] | Message,
        **options: Any,  # noqa: ANN401  # Job's own fields, checked there
    ) -> str:
        """Enqueue one message; it is delivered after every earlier one to the same recipient.

        Args:
            page: the sender's page id.
            recipient: a page-scoped id, or the Send API's own object, as a dict or as a model.
            message: a text, or the Send API's own object, as a dict or as a model.
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
            InvalidJob: something in ``jobs`` is not a Job, or making one failed; as above.

            The error's ``enqueued`` holds the ids of the earlier batches, in order.
        """
        ids: list[str] = []
        try:
            left = iter(jobs)
            while batch := list(islice(left, BATCH)):
                ids += self._queue.enqueue(_jobs(batch, len(ids)))
        except EnvoiError as error:
            error.enqueued = tuple(ids)
            raise
        return ids

    def status(self, job_id: str) -> JobStatus:
        """Where a job is, from Redis; settled jobs stay there for ``ENVOI_STATUS_TTL``, older ones are in SQL.

        Raises:
            UnknownJob: Redis does not know the job (any more).
            QueueUnavailable: Redis did not answer.
        """
        found = self._queue.status(_shaped(job_id))
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
            Recovering: Redis has restarted, and the queue is being looked over; try again.
            QueueUnavailable: Redis did not answer.
        """
        answer = self._queue.cancel(_shaped(job_id))
        if answer == "cancelled":
            return "cancelled"
        return "pending" if answer == "pending" else "too_late"

    def resolve(self, job_id: str, outcome: Literal["sent", "not-sent"], message_id: str | None = None) -> JobStatus:
        """Say what became of a message that nobody answered for: an operator's word, taken as a proof.

        Args:
            job_id: a job that is settling or has ended as unknown.
            outcome: "sent" ends it so; "not-sent" makes the next attempt, if one is left.
            message_id: with "sent", Meta's id of the message, if it is known.

        Returns:
            Where the job is now.

        Raises:
            NotInDoubt: nothing was changed: the job is neither; or it has ended as unknown and was not sent: its line
                has moved on, and only a new job can send it.
            UnknownJob: Redis does not know the job (any more).
            QueueUnavailable: Redis did not answer.
        """
        state = self._queue.status(_shaped(job_id))["state"]
        if state not in {State.SETTLING, State.UNKNOWN}:
            raise NotInDoubt(f"job {job_id} is {state}: only what is settling or unknown can be resolved")
        if outcome == "sent":
            self._queue.prove_sent(job_id, message_id or "")
        elif state == State.UNKNOWN:
            # A new job, linked to this one, belongs here once jobs can be replayed.
            raise NotInDoubt(f"job {job_id} has ended and its line has moved on: `envoi replay {job_id}` sends it anew")
        elif self._queue.prove_not_sent(job_id, OPERATOR) in {"stale", "settled"}:
            raise NotInDoubt(f"job {job_id} has just been settled by somebody else")
        return self.status(job_id)


def open_queue(redis_url: str | None = None) -> Queue:
    """The queue itself, for those who do more than send. Nothing is connected yet.

    Args:
        redis_url: where it is; without it ``ENVOI_REDIS_URL`` is read.

    Raises:
        BadSettings: names every setting that is malformed.
    """
    found = settings()
    try:
        return Queue(connect(redis_url or found.redis_url), found)
    except (AttributeError, TypeError, ValueError):
        # Not redis-py's own words: they may repeat the address, password and all.
        limit = "must be a Redis address such as redis://127.0.0.1:6379/0 (ENVOI_REDIS_URL)"
    raise BadSettings(Problem("redis_url", limit))


def _jobs(batch: list[Job], before: int) -> list[Job]:
    for number, job in enumerate(batch, before):
        if not isinstance(job, Job):
            raise InvalidJob(Problem(f"jobs[{number}]", "must be a Job"))
    return batch


def _shaped(job_id: str) -> str:
    """A job id that can exist: Redis is not asked for anything else."""
    if not isinstance(job_id, str) or not JOB_ID.fullmatch(job_id):
        raise UnknownJob(f"{job_id!r:.60} is not a job's id: 26 capital letters and digits")
    return job_id
