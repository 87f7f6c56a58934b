"""Where a job is, as Redis tells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from envoi.events import GraphError, load_error
from envoi.states import State


@dataclass(frozen=True, slots=True)
class JobStatus:
    """Where a job is.

    Attributes:
        attempts: runs by a worker so far, the present one included.
        message_id: Meta's id of the message, once accepted.
        recipient_id: the recipient as Meta answered it; None where Meta gives none.
        error: why it failed, waits or is unknown.
        due_at: when it goes on, for ``scheduled``, ``retrying`` and ``settling``.
    """

    id: str
    state: State
    attempts: int = 0
    message_id: str | None = None
    recipient_id: str | None = None
    error: GraphError | None = None
    due_at: datetime | None = None


def read_status(job_id: str, found: Mapping[str, Any]) -> JobStatus:
    """What status.lua answers."""
    return JobStatus(
        id=job_id,
        state=State(found["state"]),
        attempts=int(found.get("attempts") or 0),
        message_id=found.get("message_id") or None,
        recipient_id=found.get("recipient_id") or None,
        error=load_error(found["error"]) if found.get("error") else None,
        due_at=datetime.fromtimestamp(float(found["due"]), UTC) if found.get("due") else None,
    )
