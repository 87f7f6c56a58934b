"""Jobs that are enqueued, as a web app handles them: where they are, wait for them, cancel, reschedule, resolve."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from envoi.asks import Asks, Cancelled
from envoi.job_status import JobStatus
from envoi.queue.answers import Answers
from envoi.queue.reschedule import Rescheduled


class JobControl:
    """The methods of :class:`envoi.Envoi` that are about a job that is enqueued."""

    _queue: Answers
    _asks: Asks

    def status(self, job_id: str) -> JobStatus:
        """Where a job is, from Redis; settled jobs stay there for ``ENVOI_STATUS_TTL``, older ones are in SQL.

        Raises:
            UnknownJob: Redis does not know the job (any more).
            QueueUnavailable: Redis did not answer.
        """
        return self._queue.ask(self._asks.status(job_id))

    def wait(self, job_id: str, timeout: float) -> JobStatus:
        """Wait for a job's outcome.

        It asks Redis again and again, more and more seldom: an outcome is known at most a fifth later than it is there,
        and never more than two seconds. Where many wait, or for long, let the app be told (docs/outcomes.md).

        Args:
            job_id: the job.
            timeout: for how long, seconds. One that waits for its time, or for a page that is paused, waits on.

        Returns:
            Where the job is: its state is ``sent``, ``failed``, ``unknown``, ``expired`` or ``cancelled``.

        Raises:
            StillOpen: it has no outcome by then (a ``TimeoutError`` too); the job goes on.
            UnknownJob: Redis does not know the job (any more).
            QueueUnavailable: Redis did not answer.
            BadSettings: ``timeout`` is no such number.
        """
        return self._queue.ask(self._asks.wait(job_id, timeout))

    def cancel(self, job_id: str) -> Cancelled:
        """Cancel a job whose message call has not begun.

        Returns:
            ``cancelled``; ``pending`` when a worker holds the job just now and decides before its message call
            (ask :meth:`status`); ``too_late`` when the call has begun or the job has its outcome.

        Raises:
            UnknownJob: Redis does not know the job (any more).
            Recovering: Redis has restarted, and the queue is being looked over; try again.
            QueueUnavailable: Redis did not answer.
        """
        return self._queue.ask(self._asks.cancel(job_id))

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
        return self._queue.ask(self._asks.reschedule(job_id, at))

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
        return self._queue.ask(self._asks.resolve(job_id, outcome, message_id))
