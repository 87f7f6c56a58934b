"""The double of :class:`envoi.Envoi`: the same client over a queue in memory, and a hand to drive it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from envoi.asks import Asks
from envoi.client import Envoi
from envoi.errors import QueueUnavailable
from envoi.settings import Settings
from envoi.testing import deliveries
from envoi.testing.enqueued import Enqueued
from envoi.testing.people import People
from envoi.testing.queue import MemoryQueue


class FakeEnvoi(People, Envoi):
    """A client whose queue is in memory and whose messages go nowhere.

    It checks, refuses, orders and answers as the real one does, by the same code above Redis; nothing is sent until the
    test says so with :meth:`deliver`, :meth:`fail` and their like. What needs the log or Meta is left out:
    ``broadcast`` and ``upload`` say so.

    Args:
        on_outcome: of every job that does not say another one.
        app_secret: that webhooks are signed with.
        verify_token: that Meta's question carries.
        clock: seconds since the epoch.
        settings: any other setting of :class:`envoi.settings.Settings`, such as ``window="warn"``.
    """

    def __init__(
        self,
        *,
        on_outcome: str | None = None,
        app_secret: str = "fake-app-secret",  # noqa: S107  # it guards nothing
        verify_token: str = "fake-verify-token",  # noqa: S107  # likewise
        clock: Callable[[], float] = time.time,
        **settings: Any,  # noqa: ANN401  # checked there
    ) -> None:
        given = {"app_secret": app_secret, "verify_token": verify_token, **settings}
        self.queue = MemoryQueue(Settings(**given), clock)
        self._queue = self.queue
        self._asks = Asks(self.queue.questions, on_outcome)
        self._app_secret = app_secret

    @property
    def jobs(self) -> list[Enqueued]:
        """Every job that was enqueued, in that order."""
        with self.queue.lock:
            self.queue.memory.pass_time()
            return list(self.queue.memory.jobs.values())

    def sent_to(self, person: str, *, page: str | None = None) -> list[Enqueued]:
        """The jobs to one recipient, in the order in which they were enqueued, whatever became of them.

        Args:
            person: the id, ``user_ref``, ``comment_id``, … of the recipient.
            page: of this page only.
        """
        return [job for job in self.jobs if person in job.recipient.values() and page in (None, job.page)]

    def deliver(self, *job_ids: str) -> list[Enqueued]:
        """Let a worker send all that may go now, line by line in order, or only so far that these jobs are sent.

        Jobs that have expired, whose person has opted out or whose window has closed end without a call, as they do in
        a worker. Held conversations and times that have not come are left alone.

        Returns:
            The jobs that were sent, in that order.
        """
        with self.queue.lock:
            return deliveries.deliver(self.queue.memory, set(job_ids))

    def fail(self, job_id: str, *, code: int = 100, subcode: int | None = None, message: str = "made to fail") -> None:
        """Let Meta refuse a job for good, with this error of Graph. It must be the first of its line.

        Raises:
            ValueError: it is not, or it cannot begin now.
        """
        self._drive(deliveries.fail, job_id, code, subcode, message)

    def retry(self, job_id: str, *, code: int = 2, message: str = "made to wait", after: float = 5.0) -> None:
        """Let an attempt of a job fail, so that the next follows after so many seconds (see :meth:`advance`).

        Raises:
            ValueError: it is not the first of its line, or cannot begin now.
        """
        self._drive(deliveries.retry, job_id, code, message, after)

    def lose_answer(self, job_id: str) -> None:
        """Let nobody answer for a job's message call: it settles.

        Until an echo, ``resolve`` or :meth:`give_up` ends that, or until G + V have passed (see :meth:`advance`).

        Raises:
            ValueError: it is not the first of its line, or cannot begin now.
        """
        self._drive(deliveries.lose_answer, job_id)

    def give_up(self, job_id: str) -> None:
        """Let a job that settles end ``unknown``.

        Raises:
            ValueError: it does not settle.
        """
        self._drive(deliveries.give_up, job_id)

    def advance(self, seconds: float) -> None:
        """Let time pass in the queue: for ``at``, ``expires_at``, windows, holds and retries."""
        self.queue.memory.ahead += seconds

    @contextmanager
    def outage(self, error: Exception | None = None) -> Iterator[None]:
        """Let every call fail with this error; by default as when Redis does not answer."""
        self.queue.outage = error or QueueUnavailable("Redis did not answer: made to fail")
        try:
            yield
        finally:
            self.queue.outage = None

    def broadcast(self, page: str, recipients: Iterable[Any], message: Any = None, **options: Any) -> NoReturn:  # noqa: ANN401
        """Not here: it is written to SQL. Give your code something else in its place."""
        raise NotImplementedError("the double has no log: a broadcast is written to SQL")

    def upload(self, page: str, file: Any, **options: Any) -> NoReturn:  # noqa: ANN401
        """Not here: it is a call to Meta. Give your code something else in its place."""
        raise NotImplementedError("the double makes no calls: an upload is one")

    def _drive(self, act: Callable[..., None], job_id: str, *args: Any) -> None:  # noqa: ANN401  # passed on
        with self.queue.lock:
            self.queue.memory.pass_time()
            job = self.queue.memory.jobs.get(job_id)
            if job is None:
                raise ValueError(f"no job {job_id}")
            act(self.queue.memory, job, *args)
