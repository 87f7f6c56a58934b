"""Events: what happened to a job, as the scripts append it to the stream and the log writer reads it.

A stream entry is flat; the short field names are a matter of memory (one entry an event, millions waiting while
SQL is down):

    e  state the job entered, or "note" where only facts or calls are added
    j  job id
    t  when, in Redis's clock: seconds since the epoch
    a  attempt, where a worker is involved     w  when the message was accepted, if earlier than t
    m  message id     r  recipient id (as answered)     x  error, JSON {"code", "subcode", "message"}
    d  due time, or when a job that had a time entered its line       c  calls made, JSON list of Call
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from envoi.json_text import dumped, loaded
from envoi.states import State


@dataclass(slots=True)  # not frozen: that takes three times as long to make
class CallRecord:
    """One HTTP request for one step, as it is logged (SQL ``calls``).

    Attributes:
        step: mark_seen, typing_on, message, typing_off, react or unreact.
        started_at: seconds since the epoch, by the worker's clock.
        duration_ms: milliseconds from the request to its verdict.
        verdict: Accepted, TryLater, Throttled, Refused or Unknown.
    """

    step: str
    started_at: float
    duration_ms: float
    verdict: str
    http_status: int | None = None
    error_code: int | None = None
    error_subcode: int | None = None
    error_message: str | None = None
    fbtrace_id: str | None = None
    message_id: str | None = None


@dataclass(frozen=True, slots=True)
class GraphError:
    """Why a job is where it is: Graph's own error, or ours (then without a code)."""

    message: str
    code: int | None = None
    subcode: int | None = None


@dataclass(slots=True)  # not frozen, as above
class Event:
    """One entry of the stream.

    Attributes:
        position: the entry's id, "<ms>-<n>".
        at: seconds since the epoch, by Redis's clock.
        state: None: a note, the state stays.
        called: the calls that it tells of, as :func:`dump_calls` wrote them.
    """

    position: str
    job_id: str
    at: float
    state: State | None
    attempt: int | None = None
    message_id: str | None = None
    recipient_id: str | None = None
    error: GraphError | None = None
    due_at: float | None = None
    accepted_at: float | None = None  # None: at this very moment, if it says so
    called: str = ""

    @property
    def calls(self) -> tuple[CallRecord, ...]:
        """The calls that it tells of.

        Raises:
            TypeError, ValueError: they were not written by :func:`dump_calls`.
        """
        return tuple(CallRecord(**call) for call in loaded(self.called)) if self.called else ()


_STATES: dict[str, State | None] = {**{state.value: state for state in State}, "note": None}


def dump_calls(calls: list[CallRecord]) -> str:
    """The calls as the stream carries them: JSON without the empty fields."""
    if not calls:
        return ""
    return dumped([_row(call) for call in calls]).decode()


def _row(call: CallRecord) -> dict[str, Any]:
    """Three calls a job, mostly with these fields alone: `asdict` copies deeply, at 20 µs a call."""
    row: dict[str, Any] = {
        "step": call.step,
        "started_at": call.started_at,
        "duration_ms": call.duration_ms,
        "verdict": call.verdict,
    }
    if call.http_status is not None:
        row["http_status"] = call.http_status
    if call.error_code is not None:
        row["error_code"] = call.error_code
    if call.error_subcode is not None:
        row["error_subcode"] = call.error_subcode
    if call.error_message is not None:
        row["error_message"] = call.error_message
    if call.fbtrace_id is not None:
        row["fbtrace_id"] = call.fbtrace_id
    if call.message_id is not None:
        row["message_id"] = call.message_id
    return row


def dump_error(error: GraphError | None) -> str:
    """The error as the stream carries it: JSON without the empty fields."""
    if error is None:
        return ""
    return json.dumps({k: v for k, v in asdict(error).items() if v is not None}, separators=(",", ":"))


def load_error(text: str) -> GraphError:
    """The inverse of :func:`dump_error`."""
    return GraphError(**json.loads(text))


def parse_event(position: str, fields: Mapping[str, Any]) -> Event:
    """Read one stream entry.

    Raises:
        KeyError, ValueError: the entry was not written by Envoi's scripts.
    """
    get = fields.get
    attempt, error, due, accepted = get("a"), get("x"), get("d"), get("w")
    return Event(
        position=position,
        job_id=fields["j"],
        at=float(fields["t"]),
        state=_STATES[fields["e"]],
        attempt=None if attempt is None else int(attempt),
        message_id=get("m"),
        recipient_id=get("r"),
        error=None if error is None else load_error(error),
        due_at=None if due is None else float(due),
        accepted_at=None if accepted is None else float(accepted),
        called=get("c", ""),
    )
