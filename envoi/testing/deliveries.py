"""What a worker would do to the jobs of the double."""

from __future__ import annotations

from envoi.events import GraphError
from envoi.states import State
from envoi.testing.enqueued import Enqueued
from envoi.testing.memory import Memory

_NO_ANSWER = GraphError("no answer that says whether the message was sent")


def deliver(memory: Memory, wanted: set[str]) -> list[Enqueued]:
    """Send what may go; with ``wanted`` no more than these and those before them."""
    sent: list[Enqueued] = []
    unknown = wanted - memory.jobs.keys()
    if unknown:
        raise ValueError(f"no job {', '.join(sorted(unknown))}")
    lines = {memory.jobs[job_id].conversation for job_id in wanted}
    while True:
        memory.pass_time()
        able = [job for job in memory.ready() if not wanted or _leads_to(memory, job, wanted, lines)]
        if not able:
            return sent
        if _begins(memory, able[0]):
            _send(memory, able[0])
            sent.append(able[0])


def _leads_to(memory: Memory, job: Enqueued, wanted: set[str], lines: set[str]) -> bool:
    return job.conversation in lines and not wanted.isdisjoint(memory.lines[job.conversation])


def claims(memory: Memory, job: Enqueued) -> bool:
    """Whether a worker may take it; else it has its outcome."""
    if job.expires <= memory.now():
        memory.settle(job, State.EXPIRED, GraphError("expired before a message call"))
    elif job.conversation in memory.opt_outs and "oi" not in job.options:
        memory.settle(job, State.FAILED, GraphError("no call made: the person has opted out"))
    else:
        return True
    return False


def _begins(memory: Memory, job: Enqueued) -> bool:
    """Whether a worker may begin it; else it has its outcome without a call."""
    if not claims(memory, job):
        return False
    if memory.settings.window == "enforce" and memory.window_closed(job.conversation, job.window) is not None:
        job.attempts += 1
        why = "no call made: the window has closed, the person was last heard of too long ago"
        memory.settle(job, State.FAILED, GraphError(why))
        return False
    return True


def _send(memory: Memory, job: Enqueued) -> None:
    job.attempts += 1
    job.recipient_id = job.recipient.get("id")
    memory.sent(job, "" if job.acts else memory.new_message_id())


def _begun(memory: Memory, job: Enqueued) -> None:
    if all(job is not able for able in memory.ready()):
        raise ValueError(f"job {job.id} cannot begin now: it is {job.state}, and {len(memory.lines)} lines wait")
    if not _begins(memory, job):
        raise ValueError(f"job {job.id} cannot begin any more: it is {job.state}")
    job.attempts += 1


def fail(memory: Memory, job: Enqueued, code: int, subcode: int | None, message: str) -> None:
    """Meta refuses it."""
    _begun(memory, job)
    memory.settle(job, State.FAILED, GraphError(message, code, subcode))


def retry(memory: Memory, job: Enqueued, code: int, message: str, after: float) -> None:
    """Its attempt fails; without another one left, the job does."""
    _begun(memory, job)
    job.error = GraphError(message, code)
    if job.acts or job.attempts >= (job.max_attempts or memory.settings.max_attempts):
        memory.settle(job, State.FAILED, job.error)
    else:
        job.state, job.due = State.RETRYING, memory.now() + after


def lose_answer(memory: Memory, job: Enqueued) -> None:
    """Nobody answers for its message call."""
    if job.acts:
        raise ValueError(f"job {job.id} is an action: one without an answer fails")
    _begun(memory, job)
    job.state, job.error = State.SETTLING, _NO_ANSWER
    job.due = memory.now() + memory.settings.settle_wait


def give_up(memory: Memory, job: Enqueued) -> None:
    """Nobody ever answered for it."""
    if job.state is not State.SETTLING:
        raise ValueError(f"job {job.id} is {job.state}: only what settles ends unknown")
    memory.conclude(job)
