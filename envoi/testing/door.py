"""The door of the double: enqueue.lua in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from redis.exceptions import ResponseError

from envoi.states import State
from envoi.testing.enqueued import Enqueued
from envoi.testing.memory import NEVER, Memory, page_of


class _Row(NamedTuple):
    """A job among the script's arguments."""

    job_id: str
    lane: str
    key: str
    content: str
    expires: str
    age: float
    attempts: int | str
    conversation: str
    at: str
    payload: str
    options: str

    @property
    def taken(self) -> str | None:
        return None if self.key == "-" else f"{page_of(self.conversation)}:{self.key}"


@dataclass(frozen=True)
class _Options:
    by_name: dict[str, str]

    @classmethod
    def of(cls, text: str) -> _Options:
        return cls(dict(part.split("=", 1) for part in text.split(";") if part))


def enqueue(memory: Memory, cap: int, _: int, *args: Any) -> list[str]:  # noqa: ANN401  # texts and numbers
    """Take all jobs, or none."""
    width = len(_Row._fields)
    rows = [_Row(*args[start : start + width]) for start in range(0, len(args), width)]
    options = [_Options.of(row.options).by_name for row in rows]
    for found in options:
        if "out" in found and memory.streams.length(found["out"]) >= cap:
            raise ResponseError(f"QUEUEFULL outcomes wait unread: {found['out'].partition(',')[0]}")
    ids, claimed = _admitted(memory, rows, options)
    memory.keys.update(claimed)
    for job_id, row, found in zip(ids, rows, options, strict=True):
        if job_id == row.job_id:
            _take(memory, row, found)
    return ids


def _admitted(
    memory: Memory, rows: list[_Row], options: list[dict[str, str]]
) -> tuple[list[str], dict[str, tuple[str, str, float]]]:
    """The id of each job, or of the first job with its key; and the keys that they take."""
    now, ids = memory.now(), []
    claimed: dict[str, tuple[str, str, float]] = {}
    for number, (row, found) in enumerate(zip(rows, options, strict=True)):
        first = row.job_id
        if row.taken is not None:
            taken = claimed.get(row.taken) or memory.keys.get(row.taken)
            if taken is not None and taken[2] > now:
                first, content, _ = taken
                if content != row.content:
                    raise ResponseError(f"KEYCONFLICT {number} {first}")
            else:
                claimed[row.taken] = (first, row.content, NEVER)
        ids.append(first)
        if first == row.job_id:
            _may_enter(memory, number, row, found)
    return ids, claimed


def _may_enter(memory: Memory, number: int, row: _Row, options: dict[str, str]) -> None:
    """See that nothing is said against it."""
    rule = options.get("w") if float(row.at or 0) <= memory.now() else None
    since = memory.window_closed(row.conversation, None if rule is None else float(rule))
    if since is not None:
        raise ResponseError(f"WINDOWCLOSED {number} {rule} {since:.6f}")
    if row.conversation in memory.opt_outs and "oi" not in options:
        raise ResponseError(f"OPTEDOUT {number}")


def _take(memory: Memory, row: _Row, options: dict[str, str]) -> None:
    now = memory.now()
    starts = float(row.at or now)
    job = Enqueued(
        id=row.job_id,
        conversation=row.conversation,
        lane="replies" if row.lane == "r" else "bulk",
        payload=row.payload,
        options=options,
        taken=row.taken,
        expires=float(row.expires) if row.expires else max(now, starts) + row.age,
        max_attempts=None if row.attempts == "-" else int(row.attempts),
    )
    memory.jobs[job.id] = job
    if starts > now:
        job.state, job.due = State.SCHEDULED, starts
    else:
        memory.enter(job)
