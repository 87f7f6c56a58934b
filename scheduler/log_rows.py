"""Rows of ``jobs`` and ``calls``: what events and jobs look like as the log keeps them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from math import modf
from typing import Any
from urllib.parse import unquote

from envoi.events import Event
from envoi.json_text import loaded
from scheduler.log_changes import Change

Row = tuple[Any, ...]  # values in the order of the columns below; times in microseconds since 1970

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
TOLD = (
    "id",
    "enqueued_at",
    "state",
    "message_id",
    "recipient_id",
    "attempts",
    "error_code",
    "error_subcode",
    "error_message",
    "due_at",
    "sent_at",
    "settled_at",
)  # by events
CALL = (
    "job_id",
    "attempt",
    "step",
    "started_at",
    "duration_ms",
    "http_status",
    "verdict",
    "error_code",
    "error_subcode",
    "error_message",
    "fbtrace_id",
    "message_id",
)
_LANES = {"r": "replies", "b": "bulk"}
_FIRST, _END = -62_135_596_800, 253_402_300_800  # the years 1 to 9999, in seconds since 1970


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows to be written at once, those of jobs by id. No job is in two lists.

    Attributes:
        read: of jobs that were read as they were enqueued, of the columns ``TOLD`` and ``ENQUEUED``.
        changed: of other jobs with a new state, of the columns ``TOLD``.
        noted: of jobs without one, of the columns ``TOLD``.
        calls: of the columns ``CALL``, in the order of the events.
    """

    read: list[Row]
    changed: list[Row]
    noted: list[Row]
    calls: list[Row]


def job_row(change: Change) -> Row:
    """What is told of a job, as it is where the log does not know the job yet: of the columns ``TOLD``.

    A job of which only notes came is one that Redis has forgotten: nobody can say what becomes of it.

    Raises:
        ValueError: a time cannot be read.
    """
    lost, error = change.state is None, change.error
    return (
        change.job_id,
        micros(change.first_at),
        "unknown" if change.state is None else str(change.state),
        storable(change.message_id),
        storable(change.recipient_id),
        change.attempts,
        error and error.code,
        error and error.subcode,
        error and storable(error.message),
        micros(change.due_at),
        micros(change.sent_at),
        micros(change.first_at if lost else change.settled_at),
    )


def call_rows(event: Event) -> list[Row]:
    """The rows of ``calls`` that an event tells of, in their order. What a later version says of a call is left out.

    Raises:
        KeyError, ValueError, TypeError, AttributeError: they cannot be read.
    """
    if not event.called:
        return []
    rows = []
    for call in loaded(event.called):
        get = call.get
        error, trace, message_id = get("error_message"), get("fbtrace_id"), get("message_id")
        rows.append(
            (
                event.job_id,
                event.attempt,
                call["step"],
                micros(call["started_at"]),
                call["duration_ms"],
                get("http_status"),
                call["verdict"],
                get("error_code"),
                get("error_subcode"),
                error and storable(error),
                trace and storable(trace),
                message_id and storable(message_id),
            )
        )
    return rows


def as_enqueued(job: str) -> Row:
    """What never changes, of a job as Redis keeps it: of the columns ``ENQUEUED``.

    Raises:
        ValueError: it was not written by ``enqueue``.
    """
    head, payload = job.split("\n", 1)
    _, lane, _, expires, _, conversation = head.split(" ", 6)[:6]
    page, kind, recipient = conversation.split("/", 2)
    given = loaded(payload)
    if lane not in _LANES or not isinstance(given, dict):
        raise ValueError("not a job")
    return (
        given.get("key"),
        page,
        kind,
        unquote(recipient),
        _LANES[lane],
        payload,  # text as it is: no need to take it apart and put it together
        micros(float(expires)),
        given.get("replay_of"),
    )


def micros(seconds: float | None) -> int | None:
    """Seconds since the epoch as microseconds, rounded as datetimes are.

    Raises:
        ValueError: no calendar has such a time.
    """
    if seconds is None:
        return None
    if not _FIRST <= seconds < _END:
        raise ValueError(f"not a time: {seconds}")
    fraction, whole = modf(seconds)
    return int(whole) * 1_000_000 + round(fraction * 1e6)


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
