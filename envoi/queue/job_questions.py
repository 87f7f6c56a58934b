"""What is asked about jobs: enqueue them, where they are, cancel and reschedule them, what became of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError

from envoi.action import Action
from envoi.errors import InvalidJob, Problem, UnknownJob
from envoi.fields import Moment
from envoi.ids import new_job_id
from envoi.job import REPLY_LIMIT, Job
from envoi.job_texts import seconds
from envoi.queue.keys import conversation_of
from envoi.queue.lifetimes import times_to_live
from envoi.queue.question import Argument, Asking, command, run
from envoi.queue.webhook_questions import WebhookQuestions, joined

_MOMENT: TypeAdapter[datetime] = TypeAdapter(Moment)


class JobQuestions(WebhookQuestions):
    """Questions about jobs. The errors named are raised where a question is answered."""

    def enqueue(self, jobs: Sequence[Job | Action], ids: Sequence[str] | None = None) -> Asking[list[str]]:
        """See :meth:`envoi.queue.queue.Queue.enqueue`."""
        if self.settings.window == "warn":
            yield from self.warn_of_windows(jobs)
        args: list[Argument] = [self.settings.events_cap, self.settings.bells_cap]
        for job, job_id in zip(jobs, ids or [new_job_id() for _ in jobs], strict=True):
            args += self._row(job, job_id)
        taken: list[str] = yield from run("enqueue", *args)
        return taken

    def _row(self, job: Job | Action, job_id: str) -> list[Argument]:
        settings = self.settings
        age = settings.replies_age if job.lane == "replies" else settings.bulk_age
        return [
            job_id,
            "r" if job.lane == "replies" else "b",
            "-" if job.key is None else job.key_digest(),
            "-" if job.key is None else job.digest(),  # nothing is compared without a key
            seconds(job.expiry(age)),
            age,
            "-" if job.max_attempts is None else job.max_attempts,
            conversation_of(job.page, job.recipient.kind, job.recipient.key),
            seconds(job.at),
            job.payload(job_id),
            joined(job.options(), self.window_option(job)),
        ]

    def status(self, job_id: str) -> Asking[dict[str, Any]]:
        """See :meth:`envoi.queue.queue.Queue.status`."""
        text: str | None = yield from run("status", job_id)
        if text is None:
            raise UnknownJob(f"no job {job_id}, or it settled longer ago than its status is kept")
        found: dict[str, Any] = json.loads(text)
        return found

    def cancel(self, job_id: str) -> Asking[str]:
        """See :meth:`envoi.queue.queue.Queue.cancel`."""
        return str((yield from run("cancel", job_id, *times_to_live(self.settings))))

    def fact(self, job_id: str, kind: str, proof: str, recipient_id: str = "") -> Asking[str]:
        """Bring the fact that a job was sent, or was not (fact.lua)."""
        settings = self.settings
        answer = yield from run(
            "fact", job_id, kind, proof, recipient_id, settings.max_attempts, *times_to_live(settings)
        )
        return str(answer)

    def reschedule(self, job_id: str, at: datetime) -> Asking[str]:
        """See :meth:`envoi.queue.reschedule.Reschedules.reschedule`."""
        moment = _checked(at)
        text = yield from command("GET", self.keys.job(job_id))
        latest, age = self._limits(json.loads(str(text).split("\n", 1)[1])) if text else ("", "")
        answer = yield from run("reschedule", job_id, seconds(moment), latest, age, self.settings.bells_cap)
        return str(answer)

    def _limits(self, payload: dict[str, Any]) -> tuple[str, float | str]:
        """When the job expires at the latest, and the age at which it expires if the caller has set no time.

        That age counts from the time at which it enters its line, so it moves with that.
        """
        fixed = [datetime.fromisoformat(payload["expires_at"])] if "expires_at" in payload else []
        if "commented_at" in payload:
            fixed.append(datetime.fromisoformat(payload["commented_at"]) + REPLY_LIMIT)
        age = self.settings.replies_age if payload["lane"] == "replies" else self.settings.bulk_age
        return seconds(min(fixed, default=None)), "" if "expires_at" in payload else age


def _checked(at: datetime) -> datetime:
    """A time that has passed is taken: it means now."""
    try:
        return _MOMENT.validate_python(at)
    except ValidationError as error:
        found = error.errors()[0]
        limit = found["msg"] if found["type"] == "envoi" else "must be an aware datetime"
        raise InvalidJob(Problem("at", limit)) from None
