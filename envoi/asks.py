"""What a client does, apart from how it reaches Redis: :class:`envoi.Envoi` and :class:`envoi.AsyncEnvoi` share it."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, cast

from envoi.action import Action
from envoi.conversation import ConversationAsks
from envoi.errors import BadSettings, InvalidJob, NotInDoubt, Problem, StillOpen, UnknownJob
from envoi.fields import ON_OUTCOME
from envoi.ids import JOB_ID
from envoi.job import Job
from envoi.job_status import JobStatus, read_status
from envoi.queue.conversation_questions import Questions
from envoi.queue.question import Asking, Pause
from envoi.queue.queue import OPERATOR
from envoi.queue.reschedule import Rescheduled
from envoi.states import State
from envoi.webhook import answer_challenge, read_webhook

BATCH = 500  # jobs in one script call: bounds the time that Redis does nothing else
Cancelled = Literal["cancelled", "pending", "too_late"]
Batch = list[Job | Action]

# Who waits asks more and more seldom: a fifth of the time waited so far goes by until the next question, at the least
# and at the most so many seconds. So an outcome is known at most a fifth later than it is there, or two seconds, and
# somebody who waits for a minute has asked about 40 times.
_PAUSE_PART, _PAUSE_FIRST, _PAUSE_LONGEST = 0.2, 0.02, 2.0


class Asks(ConversationAsks):
    """The questions behind each method of a client.

    Args:
        questions: of the queue.
        on_outcome: of every job that does not say another one.

    Raises:
        BadSettings: ``on_outcome`` is malformed.
    """

    def __init__(self, questions: Questions, on_outcome: str | None = None) -> None:
        if on_outcome is not None and not re.fullmatch(ON_OUTCOME, on_outcome):
            raise BadSettings(Problem("on_outcome", "must be celery:<task name>[@<queue>] or stream:<name>"))
        super().__init__(questions)
        self.on_outcome = on_outcome

    def send(self, page: str, recipient: Any, message: Any, options: dict[str, Any]) -> Asking[str]:  # noqa: ANN401  # checked by Job
        """See :meth:`envoi.Envoi.send`."""
        options.setdefault("on_outcome", self.on_outcome)
        [job_id] = yield from self.questions.enqueue([Job(page=page, recipient=recipient, message=message, **options)])
        return job_id

    def action(self, page: str, recipient: Any, action: str, options: dict[str, Any]) -> Asking[str]:  # noqa: ANN401  # checked by Action
        """See :meth:`envoi.Envoi.action`."""
        made = Action(page=page, recipient=recipient, action=action, **options)
        [job_id] = yield from self.questions.enqueue([made])
        return job_id

    def batch(self, jobs: Batch, before: int) -> Asking[list[str]]:
        """Enqueue some of the jobs of :meth:`envoi.Envoi.send_many`, after so many others."""
        for number, job in enumerate(jobs, before):
            if not isinstance(job, Job | Action):
                raise InvalidJob(Problem(f"jobs[{number}]", "must be a Job or an Action"))
        return (yield from self.questions.enqueue([self._told(job) for job in jobs]))

    def _told(self, job: Job | Action) -> Job | Action:
        """The job with this client's ``on_outcome``, where it has none of its own."""
        if isinstance(job, Action) or self.on_outcome is None or "on_outcome" in job.model_fields_set:
            return job
        return job.model_copy(update={"on_outcome": self.on_outcome})

    def told(self, options: dict[str, Any]) -> dict[str, Any]:
        """Options of a broadcast, with this client's ``on_outcome`` where they have none."""
        return options if self.on_outcome is None else {"on_outcome": self.on_outcome, **options}

    def status(self, job_id: str) -> Asking[JobStatus]:
        """See :meth:`envoi.Envoi.status`."""
        return read_status(job_id, (yield from self.questions.status(_shaped(job_id))))

    def wait(self, job_id: str, timeout: float) -> Asking[JobStatus]:
        """See :meth:`envoi.Envoi.wait`."""
        if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not timeout >= 0:
            raise BadSettings(Problem("timeout", "must be seconds, 0 or more"))
        began = time.monotonic()
        while not (found := (yield from self.status(job_id))).state.final:
            passed = time.monotonic() - began
            if passed >= timeout:
                raise StillOpen(f"job {job_id} is still {found.state} after {timeout:g} s", found.state)
            pause = min(max(_PAUSE_FIRST, passed * _PAUSE_PART), _PAUSE_LONGEST)
            yield Pause(min(pause, timeout - passed))
        return found

    def cancel(self, job_id: str) -> Asking[Cancelled]:
        """See :meth:`envoi.Envoi.cancel`."""
        return cast("Cancelled", (yield from self.questions.cancel(_shaped(job_id))))

    def reschedule(self, job_id: str, at: datetime) -> Asking[Rescheduled]:
        """See :meth:`envoi.Envoi.reschedule`."""
        return cast("Rescheduled", (yield from self.questions.reschedule(_shaped(job_id), at)))

    def resolve(self, job_id: str, outcome: Literal["sent", "not-sent"], message_id: str | None) -> Asking[JobStatus]:
        """See :meth:`envoi.Envoi.resolve`."""
        state = (yield from self.questions.status(_shaped(job_id)))["state"]
        if state not in {State.SETTLING, State.UNKNOWN}:
            raise NotInDoubt(f"job {job_id} is {state}: only what is settling or unknown can be resolved")
        if outcome == "sent":
            yield from self.questions.fact(job_id, "sent", message_id or "")
        elif state == State.UNKNOWN:
            raise NotInDoubt(
                f"job {job_id} has ended and its line has moved on: `envoi replay --unknown {job_id}` sends it anew"
            )
        elif (yield from self.questions.fact(job_id, "not-sent", OPERATOR)) in {"stale", "settled"}:
            raise NotInDoubt(f"job {job_id} has just been settled by somebody else")
        return (yield from self.status(job_id))

    def webhook(self, body: bytes, signature: str | None) -> Asking[int]:
        """See :meth:`envoi.Envoi.webhook`."""
        found = read_webhook(body, signature, self.questions.settings)
        yield from self.questions.take_notices(found)
        return len(found)

    def webhook_challenge(self, query: Mapping[str, str | Sequence[str]]) -> str:
        """See :meth:`envoi.Envoi.webhook_challenge`."""
        return answer_challenge(query, self.questions.settings)


def _shaped(job_id: str) -> str:
    """A job id that can exist: Redis is not asked for anything else."""
    if not isinstance(job_id, str) or not JOB_ID.fullmatch(job_id):
        raise UnknownJob(f"{job_id!r:.60} is not a job's id: 26 capital letters and digits")
    return job_id
