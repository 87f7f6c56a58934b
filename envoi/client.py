"""The client: what a web app imports. It needs Redis and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

import redis

from envoi.action import Action
from envoi.asks import BATCH, Asks
from envoi.conversations import Conversations
from envoi.errors import EnvoiError
from envoi.job import Job, Message, Recipient
from envoi.job_control import JobControl
from envoi.job_status import JobStatus
from envoi.log_backed import LogBacked
from envoi.outcomes import Outcomes
from envoi.queue.answers import Answers
from envoi.queue.opening import open_queue
from envoi.queue.queue import Queue
from envoi.settings import settings

__all__ = ["BATCH", "Envoi", "JobStatus", "open_queue"]


class Envoi(JobControl, Conversations, LogBacked):
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
        self._queue: Answers = Queue(client, settings()) if client else open_queue(redis_url)
        self._asks = Asks(self._queue.questions, on_outcome)

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
        return self._queue.ask(self._asks.send(page, recipient, message, options))

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
        return self._queue.ask(self._asks.action(page, recipient, action, options))

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
                ids += self._queue.ask(self._asks.batch(batch, len(ids)))
        except EnvoiError as error:
            error.enqueued = tuple(ids)
            raise
        return ids

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
        return self._queue.ask(self._asks.webhook(body, signature))

    def webhook_challenge(self, query: Mapping[str, str | Sequence[str]]) -> str:
        """What to answer, as plain text, when Meta asks by GET whether webhooks are wanted at this address.

        Args:
            query: the parameters of the query; a value may be a list, as ``urllib.parse.parse_qs`` gives it.

        Raises:
            BadSignature: answer 403. The verify token is not ``ENVOI_VERIFY_TOKEN``.
            InvalidWebhook: answer 400. It is not Meta's question (SEND_API 6).
            BadSettings: ``ENVOI_VERIFY_TOKEN`` is not set.
        """
        return self._asks.webhook_challenge(query)

    def outcomes(self, name: str, *, consumer: str = "reader") -> Outcomes:
        """The outcomes of jobs with ``on_outcome="stream:<name>"`` (docs/outcomes.md).

        Args:
            name: of the stream.
            consumer: of this reader, where a stream has several.

        Raises:
            BadSettings: no stream can have this name.
        """
        return Outcomes(self._queue, self._queue.keys, name, consumer)
