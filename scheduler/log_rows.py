"""Rows of ``jobs`` and ``calls``: what events and jobs look like as the log keeps them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from envoi.events import Event, GraphError
from envoi.json_text import loaded
from envoi.states import State
from scheduler.log_changes import Change

Row = dict[str, Any]

ENQUEUED = (
    "key",
    "page_id",
    "recipient_kind",
    "recipient",
    "lane",
    "payload",
    "expires_at",
    "replay_of",
)  # as enqueued
_NOTHING: Row = dict.fromkeys(ENQUEUED)
_LANES = {"r": "replies", "b": "bulk"}


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows to be written at once.

    Attributes:
        changed: rows of jobs with a new state, by id.
        noted: rows of jobs without one, by id.
        calls: rows of calls, in the order of the events.
    """

    changed: list[Row]
    noted: list[Row]
    calls: list[Row]


def batch_of(events: Sequence[Event], changes: Sequence[Change], jobs: Mapping[str, str]) -> Batch:
    """The rows of a batch of events.

    Args:
        events: in their order.
        changes: the same events, folded.
        jobs: by id, new jobs as Redis keeps them (envoi/queue/lua/job.lua).

    Raises:
        ValueError: a job or a time cannot be read.
    """
    changed: list[Row] = []
    noted: list[Row] = []
    for change in changes:
        rows = noted if change.state is None else changed
        rows.append(job_row(change, jobs.get(change.job_id)))
    return Batch(changed, noted, call_rows(events))


def job_row(change: Change, job: str | None) -> Row:
    """The row of ``jobs`` as it is where the log does not know the job yet.

    A job of which only notes came is one that Redis has forgotten: nobody can say what becomes of it.

    Args:
        change: what is known of the job.
        job: the job as Redis keeps it (envoi/queue/lua/job.lua), if it is known.

    Raises:
        ValueError: the job or a time cannot be read.
    """
    lost = change.state is None
    return {
        "id": change.job_id,
        **(_NOTHING if job is None else as_enqueued(job)),
        "enqueued_at": moment(change.first_at),
        "state": (State.UNKNOWN if change.state is None else change.state).value,
        "message_id": storable(change.message_id),
        "recipient_id": storable(change.recipient_id),
        "attempts": change.attempts,
        **_error(change.error),
        "due_at": moment(change.due_at),
        "sent_at": moment(change.sent_at),
        "settled_at": moment(change.first_at if lost else change.settled_at),
    }


def call_rows(events: Iterable[Event]) -> list[Row]:
    """The rows of ``calls``, in the order of the events.

    Raises:
        ValueError: a time cannot be read.
    """
    return [
        {
            "job_id": event.job_id,
            "attempt": event.attempt,
            "step": call.step,
            "started_at": moment(call.started_at),
            "duration_ms": call.duration_ms,
            "http_status": call.http_status,
            "verdict": call.verdict,
            "error_code": call.error_code,
            "error_subcode": call.error_subcode,
            "error_message": storable(call.error_message),
            "fbtrace_id": storable(call.fbtrace_id),
            "message_id": storable(call.message_id),
        }
        for event in events
        for call in event.calls
    ]


def as_enqueued(job: str) -> Row:
    """The columns that never change, of a job as Redis keeps it.

    Raises:
        ValueError: it was not written by ``enqueue``.
    """
    head, payload = job.split("\n", 1)
    _, lane, _, expires, _, conversation = head.split(" ", 6)[:6]
    page, kind, recipient = conversation.split("/", 2)
    given = loaded(payload)
    if lane not in _LANES or not isinstance(given, dict):
        raise ValueError("not a job")
    return {
        "key": given.get("key"),
        "page_id": page,
        "recipient_kind": kind,
        "recipient": unquote(recipient),
        "lane": _LANES[lane],
        "payload": payload,  # text as it is: no need to take it apart and put it together
        "expires_at": moment(float(expires)),
        "replay_of": given.get("replay_of"),
    }


def moment(seconds: float | None) -> datetime | None:
    """Seconds since the epoch as an aware datetime.

    Raises:
        ValueError: no calendar has it.
    """
    if seconds is None:
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError) as error:
        raise ValueError(f"not a time: {seconds}") from error


def storable(text: str | None) -> str | None:
    """What Meta says, without what PostgreSQL cannot hold: NUL and halves of surrogate pairs."""
    if text is None or (text.isascii() and "\x00" not in text):
        return text
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def _error(error: GraphError | None) -> Row:
    if error is None:
        return {"error_code": None, "error_subcode": None, "error_message": None}
    return {
        "error_code": error.code,
        "error_subcode": error.subcode,
        "error_message": storable(error.message),
    }
