"""Another time for a job that has not begun (reschedule.lua)."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, cast

from envoi.queue.runner import Runner

Rescheduled = Literal["scheduled", "queued", "pending", "too_late"]


class Reschedules(Runner):
    """The times of jobs that wait."""

    def reschedule(self, job_id: str, at: datetime) -> Rescheduled:
        """Let a job enter its line at another time.

        Raises:
            InvalidJob: the time cannot be, or the job would have expired by then; nothing was changed.
            UnknownJob: Redis does not know the job (any more).
            Recovering: Redis has restarted, and what was being sent is not known yet.
        """
        return cast("Rescheduled", self.ask(self.questions.reschedule(job_id, at)))
