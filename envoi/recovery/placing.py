"""Where a job is put back."""

from __future__ import annotations

from dataclasses import replace

from envoi.recovery.front import Reach
from envoi.recovery.putback import Returning
from envoi.recovery.stored import StoredJob
from envoi.states import State


def placed(job: StoredJob, page: Reach, horizon: float, *, in_front: bool) -> Returning:
    """Where a job goes: what may have been begun waits for facts, the rest goes on where it stood."""
    back = Returning(job, "w", job.attempts, behind=page.calls)
    due = job.due_at.timestamp() if job.due_at else 0.0
    if job.payload is None or job.page is None:
        return replace(back, place="x")
    if job.state in {State.SENDING, State.SETTLING}:
        return replace(back, place="s")
    if job.state is State.SCHEDULED and due > horizon:
        return replace(back, place="a", due=due)
    if job.state is State.RETRYING and not in_front:
        return replace(back, place="d", due=due)
    if in_front and page.calls:
        return replace(back, place="s")
    # An attempt that was given back: the log counts it until the next begins.
    return replace(back, attempts=max(0, job.attempts - 1))
