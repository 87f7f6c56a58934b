"""Another time for a job that has not begun (reschedule.lua)."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from envoi.errors import InvalidJob, Problem
from envoi.fields import Moment
from envoi.job import REPLY_LIMIT, seconds
from envoi.queue.connection import translated
from envoi.queue.runner import Runner

Rescheduled = Literal["scheduled", "queued", "pending", "too_late"]

_MOMENT: TypeAdapter[datetime] = TypeAdapter(Moment)


class Reschedules(Runner):
    """The times of jobs that wait."""

    def reschedule(self, job_id: str, at: datetime) -> Rescheduled:
        """Let a job enter its line at another time.

        Raises:
            InvalidJob: the time cannot be, or the job would have expired by then; nothing was changed.
            UnknownJob: Redis does not know the job (any more).
            Recovering: Redis has restarted, and what was being sent is not known yet.
        """
        moment = _checked(at)
        with translated():
            text = self.redis.get(self.keys.job(job_id))
        latest, age = self._limits(json.loads(str(text).split("\n", 1)[1])) if text else ("", "")
        answer: Rescheduled = self._run("reschedule", job_id, seconds(moment), latest, age, self.settings.bells_cap)
        return answer

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
