"""The client for asyncio apps. It needs Redis and nothing else, as :class:`envoi.Envoi`, and does the same."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, BinaryIO, Literal, Self

from redis.asyncio import Redis

from envoi.action import Action
from envoi.asks import BATCH, Asks, Cancelled
from envoi.async_conversations import AsyncConversations
from envoi.async_outcomes import AsyncOutcomes
from envoi.errors import BadSettings, EnvoiError
from envoi.job import Job, Message, Recipient
from envoi.job_status import JobStatus
from envoi.log_backed import give_file, start_broadcast
from envoi.queue.answers import AsyncAnswers
from envoi.queue.async_queue import AsyncQueue, connect_async
from envoi.queue.opening import BAD_ADDRESS
from envoi.queue.reschedule import Rescheduled
from envoi.settings import settings


class AsyncEnvoi(AsyncConversations):
    """A client of one queue for the tasks of one event loop.

    It behaves as :class:`envoi.Envoi` does, where each method is described. A call whose ``await`` is cancelled may
    have been carried out or not: repeat it with the same key, as after ``QueueUnavailable``. Nothing is ever half done.

    Close it with :meth:`close`, or use it with ``async with``.

    Args:
        redis_url: where the queue is; without it ``ENVOI_REDIS_URL`` is read.
        client: a client of that Redis to use instead, of ``redis.asyncio``, made with ``decode_responses=True``. Its
            time-outs are its own, and it is yours to close.
        on_outcome: of every job that does not say another one; see :class:`envoi.Job`.

    Raises:
        BadSettings: names every setting that is malformed, ``on_outcome`` too.
    """

    def __init__(
        self, redis_url: str | None = None, *, client: Redis | None = None, on_outcome: str | None = None
    ) -> None:
        self._queue: AsyncAnswers = AsyncQueue(client, settings()) if client else _open(redis_url)
        self._closes = client is None
        self._asks = Asks(self._queue.questions, on_outcome)

    async def close(self) -> None:
        """Close all connections. A later call opens new ones."""
        if self._closes:
            await self._queue.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def send(
        self,
        page: str,
        recipient: str | dict[str, Any] | Recipient,
        message: str | dict[str, Any] | Message,
        **options: Any,  # noqa: ANN401  # Job's own fields, checked there
    ) -> str:
        """As :meth:`envoi.Envoi.send`."""
        return await self._queue.ask(self._asks.send(page, recipient, message, options))

    async def action(
        self,
        page: str,
        recipient: str | dict[str, Any] | Recipient,
        action: str,
        **options: Any,  # noqa: ANN401  # Action's own fields, checked there
    ) -> str:
        """As :meth:`envoi.Envoi.action`."""
        return await self._queue.ask(self._asks.action(page, recipient, action, options))

    async def send_many(self, jobs: Iterable[Job | Action] | AsyncIterable[Job | Action]) -> list[str]:
        """As :meth:`envoi.Envoi.send_many`; ``jobs`` may be asynchronous too.

        A cancelled one has enqueued some batches of 500, the last of them perhaps.
        """
        ids: list[str] = []
        try:
            async for batch in _batches(jobs):
                ids += await self._queue.ask(self._asks.batch(batch, len(ids)))
        except EnvoiError as error:
            error.enqueued = tuple(ids)
            raise
        return ids

    async def status(self, job_id: str) -> JobStatus:
        """As :meth:`envoi.Envoi.status`."""
        return await self._queue.ask(self._asks.status(job_id))

    async def wait(self, job_id: str, timeout: float) -> JobStatus:  # noqa: ASYNC109  # the job's, told by an error of ours
        """As :meth:`envoi.Envoi.wait`; other tasks go on meanwhile."""
        return await self._queue.ask(self._asks.wait(job_id, timeout))

    async def cancel(self, job_id: str) -> Cancelled:
        """As :meth:`envoi.Envoi.cancel`."""
        return await self._queue.ask(self._asks.cancel(job_id))

    async def reschedule(self, job_id: str, at: datetime) -> Rescheduled:
        """As :meth:`envoi.Envoi.reschedule`."""
        return await self._queue.ask(self._asks.reschedule(job_id, at))

    async def resolve(
        self, job_id: str, outcome: Literal["sent", "not-sent"], message_id: str | None = None
    ) -> JobStatus:
        """As :meth:`envoi.Envoi.resolve`."""
        return await self._queue.ask(self._asks.resolve(job_id, outcome, message_id))

    async def webhook(self, body: bytes, signature: str | None) -> int:
        """As :meth:`envoi.Envoi.webhook`."""
        return await self._queue.ask(self._asks.webhook(body, signature))

    def webhook_challenge(self, query: Mapping[str, str | Sequence[str]]) -> str:
        """As :meth:`envoi.Envoi.webhook_challenge`; it asks nobody, so there is nothing to await."""
        return self._asks.webhook_challenge(query)

    def outcomes(self, name: str, *, consumer: str = "reader") -> AsyncOutcomes:
        """As :meth:`envoi.Envoi.outcomes`."""
        return AsyncOutcomes(self._queue, self._queue.keys, name, consumer)

    async def broadcast(
        self,
        page: str,
        recipients: Iterable[str | dict[str, Any] | Recipient],
        message: str | dict[str, Any] | Message | None = None,
        *,
        key: str | None = None,
        skip_bad: bool = False,
        **options: Any,  # noqa: ANN401  # Job's own fields, checked there
    ) -> str:
        """As :meth:`envoi.Envoi.broadcast`, in a thread: ``recipients`` are read there.

        A cancelled ``await`` does not end the thread; with a key it may be repeated all the same.
        """
        template = (page, message, self._asks.told(options))
        return await asyncio.to_thread(
            start_broadcast, self._queue.settings, template, recipients, key=key, skip_bad=skip_bad
        )

    async def upload(
        self,
        page: str,
        file: str | os.PathLike[str] | BinaryIO,
        *,
        type: str | None = None,  # noqa: A002  # the Send API's own name
        name: str | None = None,
    ) -> str:
        """As :meth:`envoi.Envoi.upload`, in a thread, which a cancelled ``await`` does not end."""
        return await asyncio.to_thread(give_file, self._queue.settings, page, file, type, name)


def _open(redis_url: str | None) -> AsyncQueue:
    found = settings()
    try:
        return AsyncQueue(connect_async(redis_url or found.redis_url), found)
    except (AttributeError, TypeError, ValueError):
        # Not redis-py's own words: they may repeat the address, password and all.
        bad = BAD_ADDRESS
    raise BadSettings(bad)


async def _batches(jobs: Iterable[Job | Action] | AsyncIterable[Job | Action]) -> AsyncIterator[list[Job | Action]]:
    batch: list[Job | Action] = []
    async for job in _each(jobs):
        batch.append(job)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


async def _each(jobs: Iterable[Job | Action] | AsyncIterable[Job | Action]) -> AsyncIterator[Job | Action]:
    if isinstance(jobs, AsyncIterable):
        async for job in jobs:
            yield job
        return
    for job in jobs:
        yield job
