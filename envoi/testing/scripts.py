"""The scripts that clients run, in memory: same arguments, same answers, same errors (envoi/queue/lua says more).

The contract tests run one and the same sequence of calls against these and against Redis.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from redis.exceptions import ResponseError

from envoi.events import GraphError, dump_error
from envoi.notices import Echo, load
from envoi.states import State
from envoi.testing.door import enqueue
from envoi.testing.enqueued import Enqueued
from envoi.testing.memory import NEVER, Memory

_CANCELLED = GraphError("cancelled before the message call")


def _known(memory: Memory, job_id: str) -> Enqueued:
    job = memory.job(job_id)
    if job is None:
        raise ResponseError(f"UNKNOWNJOB no job {job_id}")
    return job


def _is_head(memory: Memory, job: Enqueued) -> bool:
    return memory.head(job.conversation) is job


def status(memory: Memory, job_id: str) -> str | None:
    """status.lua."""
    job = memory.job(job_id)
    if job is None:
        return None
    found: dict[str, Any] = {"state": str(job.state), "due": job.due}
    if job.state.final or _is_head(memory, job):
        found |= {"attempts": job.attempts, "message_id": job.message_id, "recipient_id": job.recipient_id}
        found["error"] = dump_error(job.error)
    return json.dumps({name: value for name, value in found.items() if value})


def cancel(memory: Memory, job_id: str, *_: object) -> str:
    """cancel.lua; nothing is ever held by a worker here."""
    job = _known(memory, job_id)
    if job.state.final or job.state is State.SETTLING:
        return "too_late"
    memory.settle(job, State.CANCELLED, _CANCELLED)
    return "cancelled"


def reschedule(memory: Memory, job_id: str, at: str, latest: str, age: float | str, *_: object) -> str:
    """reschedule.lua; nothing is ever held by a worker here."""
    job = _known(memory, job_id)
    if job.state.final:
        return "too_late"
    now = memory.now()
    starts = max(now, float(at))
    expires = min(float(latest or NEVER), NEVER if age == "" else starts + float(age))
    if expires <= starts:
        raise ResponseError(f"EXPIRESBEFORE {expires:.6f}")
    if job.state is not State.SCHEDULED and _is_head(memory, job) and (job.attempts or job.state is State.SETTLING):
        return "too_late"
    memory.leave(job)
    job.expires = expires
    if starts > now:
        job.state, job.due = State.SCHEDULED, starts
        return "scheduled"
    memory.enter(job)
    return "queued"


def fact(memory: Memory, job_id: str, kind: str, proof: str, rid: str, attempts: int, *_: object) -> str:  # noqa: PLR0917
    """fact.lua; the only fence here is an operator's word."""
    job = _known(memory, job_id)
    if kind == "sent":
        if job.state.final and not job.doubted:
            if job.state is State.SENT and not job.message_id:  # nobody knew it
                job.message_id, job.recipient_id = proof or None, rid or job.recipient_id
            return "known"
        answer = "corrected" if job.doubted else "settled"
        job.recipient_id = rid or None
        memory.sent(job, proof)
        return answer
    if job.state.final:
        return "settled"
    if job.state is not State.SETTLING:
        return "stale"
    if job.attempts >= (job.max_attempts or attempts):
        memory.settle(job, State.FAILED, job.error)
        return "failed"
    job.state, job.due = State.RETRYING, memory.now()
    return "retrying"


def webhook(memory: Memory, *args: Any) -> int:  # noqa: ANN401  # counts and texts
    """webhook.lua. Echoes take effect at once, where a scheduler takes a moment; receipts change nothing here."""
    kept, heard, told = float(args[2]), int(args[5]), int(args[6])
    pairs = args[7 : 7 + 2 * heard]
    news = 0
    for conversation, said in zip(pairs[::2], pairs[1::2], strict=True):
        at = min(memory.now(), float(said))
        if at + kept > memory.now() and at > memory.heard.get(conversation, 0.0):
            memory.heard[conversation] = at
            news += 1
    first = 7 + 2 * heard
    for text in args[first : first + told]:
        notice = load(text)
        if isinstance(notice, Echo) and notice.job_id and memory.job(notice.job_id):
            fact(memory, notice.job_id, "sent", notice.message_id, notice.person, 0)
    return news


def hold(memory: Memory, conversation: str, op: str, until: str, *_: object) -> int:
    """hold.lua; a release counts at once, where Redis may not lose it."""
    held = memory.holds.get(conversation)
    if op == "release":
        memory.holds.pop(conversation, None)
        return int(held is not None)
    memory.holds[conversation] = (held[0] if held else memory.now(), NEVER if until == "-" else float(until))
    return int(held is None)


def opt_out(memory: Memory, conversation: str, op: str, *_: object) -> int:
    """optout.lua."""
    if op == "in":
        return int(memory.opt_outs.pop(conversation, None) is not None)
    news = conversation not in memory.opt_outs
    memory.opt_outs.setdefault(conversation, memory.now())
    return int(news)


def conversation(memory: Memory, name: str, _: int) -> Sequence[Any]:
    """conversation.lua."""
    line = memory.lines.get(name, [])
    scheduled = sum(job.state is State.SCHEDULED and job.conversation == name for job in memory.jobs.values())
    since, until = memory.holds.get(name, (0.0, 0.0))
    held = f"{since:.6f} {'-' if until == NEVER else f'{until:.6f}'}" if name in memory.holds else ""
    said = memory.opt_outs.get(name)
    return [len(line), line[0] if line else "", scheduled, held, "" if said is None else f"{said:.6f}", ""]


def clear(memory: Memory, name: str, *_: object) -> Sequence[Any]:
    """clear.lua, all of it in one step."""
    going_on = memory.head(name)
    if going_on is not None and going_on.state is not State.SETTLING:
        going_on = None
    waiting = [job for job in memory.jobs.values() if job.conversation == name and not job.state.final]
    cancelled = [job for job in waiting if job is not going_on]
    for job in sorted(cancelled, key=lambda job: job.state is not State.SCHEDULED):
        memory.settle(job, State.CANCELLED, _CANCELLED)
    return [len(cancelled), 0, going_on.id if going_on else "", 0]


SCRIPTS: dict[str, Callable[..., Any]] = {
    "enqueue": enqueue,
    "status": status,
    "cancel": cancel,
    "reschedule": reschedule,
    "fact": fact,
    "webhook": webhook,
    "hold": hold,
    "optout": opt_out,
    "conversation": conversation,
    "clear": clear,
}
