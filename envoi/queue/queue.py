"""The queue: every script with a Python face. Producers, workers and schedulers all come through here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from envoi.action import Action
from envoi.errors import Recovering
from envoi.job import Job
from envoi.queue.connection import translated
from envoi.queue.conversations import Conversations
from envoi.queue.lifetimes import times_to_live
from envoi.queue.looks import Looks
from envoi.queue.pages import Pages
from envoi.queue.reschedule import Reschedules
from envoi.queue.webhooks import Webhooks

EVICTS = "evicts"  # as enqueue.lua knows it
OPERATOR = "*"  # in place of a call's fence: whichever call is in doubt


@dataclass(frozen=True, slots=True)
class Tick:
    """What one tick moved.

    Attributes:
        entered: scheduled jobs that entered their lines.
        due: conversations whose due time had come.
        lost: leases that had run out.
        lag: seconds that the oldest of them was late.
        next_in: seconds until the next job or conversation is due; None: nothing waits for a time.
        gate_shut: nothing is moved, since Redis has restarted and the queue is not open for this run.
    """

    entered: int
    due: int
    lost: int
    lag: float
    next_in: float | None = None
    gate_shut: bool = False


class Queue(Looks, Pages, Reschedules, Webhooks, Conversations):
    """One queue in one Redis.

    Every method raises :class:`envoi.errors.QueueUnavailable` when Redis does not answer.
    """

    def enqueue(self, jobs: Sequence[Job | Action], ids: Sequence[str] | None = None) -> list[str]:
        """Enqueue all of some hundred jobs, or none.

        Args:
            jobs: what is to be sent.
            ids: an id for each (:func:`envoi.ids.new_job_id`): while Redis knows it, it is enqueued no second time.

        Returns:
            The id of each job, or of the first job with the same key.

        Raises:
            KeyConflict, QueueFull, Recovering: nothing was enqueued.
            InvalidJob: the window of a job's person is closed; nothing was enqueued.
        """
        return self.ask(self.questions.enqueue(jobs, ids))

    def status(self, job_id: str) -> dict[str, Any]:
        """State, attempts, message id, … of a job.

        Raises:
            UnknownJob: Redis does not know the job (any more).
        """
        return self.ask(self.questions.status(job_id))

    def cancel(self, job_id: str) -> str:
        """Cancel a job.

        Returns:
            ``cancelled``, ``pending`` (a worker holds it; decided before its message call) or ``too_late``.

        Raises:
            UnknownJob: Redis does not know the job (any more).
            Recovering: Redis has restarted, and what was being sent is not known yet.
        """
        return self.ask(self.questions.cancel(job_id))

    def prove_sent(self, job_id: str, message_id: str, recipient_id: str | None = None) -> str:
        """Bring the fact that a job was sent.

        Returns:
            ``settled``, ``held`` (its worker will find it), ``corrected`` (was unknown) or ``known``.

        Raises:
            UnknownJob: Redis does not know the job (any more).
        """
        return self.ask(self.questions.fact(job_id, "sent", message_id, recipient_id or ""))

    def prove_not_sent(self, job_id: str, fence: str) -> str:
        """Bring the fact that one message call was not delivered, and never will be.

        Args:
            job_id: the job.
            fence: of the call; it is taken only while that very call is in doubt. ``OPERATOR``: an operator knows.

        Returns:
            ``retrying``, ``failed`` (no attempt is left), ``cancelled`` (it was wished), ``settled`` (it was before) or
            ``stale`` (that call is not the one in doubt).

        Raises:
            UnknownJob: Redis does not know the job (any more).
        """
        return self.ask(self.questions.fact(job_id, "not-sent", fence))

    def lift_refusal(self, conversation: str) -> bool:
        """The person has written: jobs to them are tried again. Returns whether any were refused.

        Args:
            conversation: as :func:`envoi.queue.keys.conversation_of` names it.
        """
        with translated():
            return bool(self.redis.delete(self.keys.refusal(conversation)))

    def leave_template(self, template: str) -> None:
        """Leave the bell that the scripts copy.

        Args:
            template: as Celery writes it, with ENVOIBELLID and ENVOIBELLTAG where fresh ids go; checked by the caller,
                since a malformed bell kills the worker that reads it.
        """
        with translated():
            self.redis.set(self.keys.template, template)

    def has_template(self) -> bool:
        """Whether there is a bell to copy."""
        with translated():
            return bool(self.redis.exists(self.keys.template))

    def refuse_more(self, seconds: float) -> None:
        """Refuse what would be enqueued, with ``QueueFull``, for so long or until :meth:`admit_more`."""
        with translated():
            self.redis.set(self.keys.full, 1, px=max(1, round(seconds * 1000)))

    def refuse_all(self) -> None:
        """Refuse what would be enqueued until :meth:`admit_more`: Redis would drop what it is given."""
        with translated():
            self.redis.set(self.keys.full, EVICTS)

    def door(self) -> str | None:
        """Why nothing is enqueued now: ``EVICTS``, or else Redis is nearly full; None: jobs are taken."""
        with translated():
            found = self.redis.get(self.keys.full)
        return None if found is None else str(found)

    def admit_more(self) -> None:
        """Enqueueing is fine again."""
        with translated():
            self.redis.delete(self.keys.full)

    def tick(self, limit: int = 100) -> Tick:
        """Move what time has made due, at most ``limit`` of each kind. Nothing moves while the gate is shut."""
        settings = self.settings
        try:
            entered, due, lost, lag, first = self._run(
                "tick",
                limit,
                settings.settle_wait,
                settings.bells_cap,
                settings.max_attempts,
                settings.lease,
                settings.settle_longest,
                *times_to_live(settings),
            )
        except Recovering:
            return Tick(0, 0, 0, 0.0, gate_shut=True)
        return Tick(entered, due, lost, float(lag), float(first) if first else None)
