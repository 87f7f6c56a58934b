"""The client: what a web app imports. It needs Redis and nothing else."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any, BinaryIO, Literal

import redis

from envoi.action import Action
from envoi.conversation import Conversations
from envoi.errors import BadSettings, EnvoiError, InvalidJob, NotInDoubt, Problem, UnknownJob
from envoi.events import GraphError, load_error
from envoi.fields import ON_OUTCOME
from envoi.ids import JOB_ID
from envoi.job import Job, Message, Recipient
from envoi.outcomes import Outcomes
from envoi.queue.connection import connect
from envoi.queue.queue import OPERATOR, Queue
from envoi.queue.reschedule import Rescheduled
from envoi.settings import settings
from envoi.states import State
from envoi.webhook import answer_challenge, read_webhook

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


class Envoi(Conversations):
    """A client of one queue. Threads may share it.

    Args:
        redis_url: where the queue is; without it ``ENVOI_REDIS_URL`` is read.
        client: a client of that Redis to use instead, made with ``decode_responses=True``. Its time-outs are its own:
            without one it waits for a frozen Redis for ever.
        on_outcome: of every job that does not say another one; see :class:`envoi.Job`.

    Raises:
        BadSettings: names every setting that is malformed, ``on_outcome`` too.
    """

    def __init__(
        self, redis_url: str | None = None, *, client: redis.Redis | None = None, on_outcome: str | None = None
    ) -> None:
        if on_outcome is not None and not re.fullmatch(ON_OUTCOME, on_outcome):
            raise BadSettings(Problem("on_outcome", "must be celery:<task name>[@<queue>] or stream:<name>"))
        self._on_outcome = on_outcome
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
        options.setdefault("on_outcome", self._on_outcome)
        return self._queue.enqueue([Job(page=page, recipient=recipient, message=message, **options)])[0]

    def action(
        self,
        page: str,
        recipient: str | dict[str, Any] | Recipient,
        action: str,
        **options: Any,  # noqa: ANN401  # Action's own fields, checked there
    ) -> str:
        """Enqueue one sender action, a courtesy: it is made after every earlier job to the same person, once.

        Args:
            page: the sender's page id.
            recipient: a page-scoped id, or the Send API's own object with one.
            action: ``mark_seen``, ``typing_on``, ``typing_off``, ``react`` or ``unreact``.
            options: any other field of :class:`envoi.Action`, such as ``message_id`` and ``reaction``.

        Returns:
            The job's id, or the first job's with the same ``key``.

        Raises:
            As :meth:`send`.
        """
        return self._queue.enqueue([Action(page=page, recipient=recipient, action=action, **options)])[0]

    def send_many(self, jobs: Iterable[Job | Action]) -> list[str]:
        """Enqueue many jobs, messages and actions, in their order.

        Returns:
            The id of each job, or the first job's with the same ``key``.

        Raises:
            KeyConflict, QueueFull, Recovering, QueueUnavailable: jobs of earlier batches of 500 are enqueued, the
                batch that failed is not (with QueueUnavailable it may be). Repeating is safe for jobs with a key.
            InvalidJob: something in ``jobs`` is no Job and no Action, or making one failed; as above.

            The error's ``enqueued`` holds the ids of the earlier batches, in order.
        """
        ids: list[str] = []
        try:
            left = iter(jobs)
            while batch := list(islice(left, BATCH)):
                ids += self._queue.enqueue([self._told(job) for job in _jobs(batch, len(ids))])
        except EnvoiError as error:
            error.enqueued = tuple(ids)
            raise
        return ids

    def broadcast(
        self,
        page: str,
        recipients: Iterable[str | dict[str, Any] | Recipient],
        message: str | dict[str, Any] | Message | None = None,
        *,
        key: str | None = None,
        skip_bad: bool = False,
        **options: Any,  # noqa: ANN401  # Job's own fields, checked there
    ) -> str:
        """Send one message to many people, in the lane bulk, each once (docs/broadcasts.md).

        It is written to SQL, and a scheduler feeds it into the queue a little ahead of the page's pace. So this needs
        ``envoi[worker]`` and ``ENVOI_DATABASE_URL``, and no Redis.

        Args:
            page: the sender's page id.
            recipients: as :meth:`send` takes them; read once, a few thousand at a time. Who is named twice counts once.
            message: as :meth:`send` takes it; or say ``template`` in its place.
            key: unique within the page: the same key again, with the same message and options, is the same broadcast,
                and ``recipients`` are not read. With it a broadcast that was interrupted may be repeated.
            skip_bad: leave out recipients that are wrong.
            options: any other field of :class:`envoi.Job` but ``lane``; ``at`` is when it begins.

        Returns:
            The broadcast's id: see :mod:`envoi.broadcast.store` for how it is followed, paused and cancelled.

        Raises:
            InvalidBroadcast: names every field and recipient that is wrong, with its limit; nobody is sent anything.
            BroadcastConflict: the key is taken by another message, or another process has taken over or cancelled it.
            EnvoiError: the page was never added, or the log's database failed; nobody is sent anything.
            ImportError: ``envoi[worker]`` is not installed.
        """
        try:
            from envoi.broadcast.making import make  # noqa: PLC0415  # loads SQLAlchemy
        except ModuleNotFoundError as error:
            raise ImportError(f"a broadcast needs {error.name}: pip install 'envoi[worker]'") from error
        if self._on_outcome is not None:
            options.setdefault("on_outcome", self._on_outcome)
        template = (page, message, options)
        return make(self._queue.settings, template, enumerate(recipients, 1), key=key, skip_bad=skip_bad).id

    def upload(
        self,
        page: str,
        file: str | os.PathLike[str] | BinaryIO,
        *,
        type: str | None = None,  # noqa: A002  # the Send API's own name
        name: str | None = None,
    ) -> str:
        """Give Meta a local file now, to be sent by its attachment id: workers cannot read your files.

        Unlike everything else here it makes a call itself, reads the page's token from SQL, and needs
        ``envoi[worker]``. The file is read as it is sent.

        Args:
            page: the page that will send it; no other can.
            file: a path, or an open binary file that can seek; at most 25 MB (an image for Instagram: 8 MB).
            type: image, video, audio or file; else by the media type that its name tells.
            name: the file's name, where it has none.

        Returns:
            The attachment id, good for 90 days (SEND_API 3).

        Raises:
            InvalidUpload: Meta would refuse it, or it cannot be read; nothing was sent.
            UploadFailed: it was not taken; its ``verdict`` says whether to try again.
            EnvoiError: the page's token cannot be read: no such page, no key for it, no database.
            ImportError: ``envoi[worker]`` is not installed.
        """
        try:
            from envoi.upload import upload  # noqa: PLC0415  # loads requests and SQLAlchemy
        except ModuleNotFoundError as error:
            raise ImportError(f"an upload needs {error.name}: pip install 'envoi[worker]'") from error
        return upload(page, file, self._queue.settings, type, name)

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

    def reschedule(self, job_id: str, at: datetime) -> Rescheduled:
        """Let a job whose message call has not begun enter its line at another time.

        One that stands in its line already leaves it, and enters it again behind all that came meanwhile.

        Args:
            job_id: the job.
            at: aware datetime, at most 366 days ahead; one that has passed means now. An age at which the job would
                expire counts from here; an ``expires_at`` stays.

        Returns:
            ``scheduled``; ``queued`` when that time has come; ``pending`` when a worker holds the job just now and
            decides before its message call (ask :meth:`status`); ``too_late`` when an attempt has been made, its call
            may have begun, or the job has its outcome.

        Raises:
            InvalidJob: names ``at``: it is no such time, or the job expires before; nothing was changed.
            UnknownJob: Redis does not know the job (any more).
            Recovering: Redis has restarted, and the queue is being looked over; try again.
            QueueUnavailable: Redis did not answer.
        """
        return self._queue.reschedule(_shaped(job_id), at)

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
            raise NotInDoubt(
                f"job {job_id} has ended and its line has moved on: `envoi replay --unknown {job_id}` sends it anew"
            )
        elif self._queue.prove_not_sent(job_id, OPERATOR) in {"stale", "settled"}:
            raise NotInDoubt(f"job {job_id} has just been settled by somebody else")
        return self.status(job_id)

    def webhook(self, body: bytes, signature: str | None) -> int:
        """Take a webhook of Meta's: echoes, receipts, what people do (docs/webhooks.md).

        It opens the window of who wrote at once, and leaves the rest to a scheduler, so it returns in a moment. Twice,
        late or in another order it comes to the same. Answer Meta with 200 once it has returned.

        Args:
            body: the raw bytes of the request's body.
            signature: its header ``X-Hub-Signature-256``.

        Returns:
            How many notices it held that matter here; 0 is fine.

        Raises:
            BadSignature: answer 403.
            InvalidWebhook: answer 400. It is signed, but not what Meta sends (SEND_API 7).
            BadSettings: ``ENVOI_APP_SECRET`` is not set.
            QueueUnavailable, QueueFull: answer 503. Nothing was taken, or perhaps all of it; Meta sends it again.
        """
        found = read_webhook(body, signature, self._queue.settings)
        self._queue.take_notices(found)
        return len(found)

    def webhook_challenge(self, query: Mapping[str, str | Sequence[str]]) -> str:
        """What to answer, as plain text, when Meta asks by GET whether webhooks are wanted at this address.

        Args:
            query: the parameters of the query; a value may be a list, as ``urllib.parse.parse_qs`` gives it.

        Raises:
            BadSignature: answer 403. The verify token is not ``ENVOI_VERIFY_TOKEN``.
            InvalidWebhook: answer 400. It is not Meta's question (SEND_API 6).
            BadSettings: ``ENVOI_VERIFY_TOKEN`` is not set.
        """
        return answer_challenge(query, self._queue.settings)

    def outcomes(self, name: str, *, consumer: str = "reader") -> Outcomes:
        """The outcomes of jobs with ``on_outcome="stream:<name>"`` (docs/outcomes.md).

        Args:
            name: of the stream.
            consumer: of this reader, where a stream has several.

        Raises:
            BadSettings: no stream can have this name.
        """
        return Outcomes(self._queue.redis, self._queue.keys, name, consumer)

    def _told(self, job: Job | Action) -> Job | Action:
        """The job with this client's ``on_outcome``, where it has none of its own."""
        if isinstance(job, Action) or self._on_outcome is None or "on_outcome" in job.model_fields_set:
            return job
        return job.model_copy(update={"on_outcome": self._on_outcome})


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


def _jobs(batch: list[Job | Action], before: int) -> list[Job | Action]:
    for number, job in enumerate(batch, before):
        if not isinstance(job, Job | Action):
            raise InvalidJob(Problem(f"jobs[{number}]", "must be a Job or an Action"))
    return batch


def _shaped(job_id: str) -> str:
    """A job id that can exist: Redis is not asked for anything else."""
    if not isinstance(job_id, str) or not JOB_ID.fullmatch(job_id):
        raise UnknownJob(f"{job_id!r:.60} is not a job's id: 26 capital letters and digits")
    return job_id
