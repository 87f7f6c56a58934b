"""What a feeder knows: of a broadcast, of its recipients one by one, and of the moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from envoi.broadcast.states import BroadcastState


@dataclass(frozen=True, slots=True)
class Active:
    """A broadcast that has not ended."""

    id: str
    page: str
    state: BroadcastState
    payload: Mapping[str, Any]
    starts_at: datetime | None


@dataclass(frozen=True, slots=True)
class Fed:
    """A recipient that is to be enqueued, or may be.

    Attributes:
        recipient: the Send API's own object.
        fed_at: since when, by Redis's clock.
        memory: which Redis it was meant for.
        logged: whether the log knows its job.
    """

    number: int
    job_id: str
    state: str
    recipient: Mapping[str, Any]
    fed_at: datetime
    memory: str | None
    logged: bool


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a recipient's job was refused at the door."""

    number: int
    cause: str
    message: str


@dataclass(frozen=True, slots=True)
class Round:
    """What is the same for all broadcasts of one turn.

    Attributes:
        now: by Redis's clock.
        memory: which Redis this is.
        complete: up to when the log is known to be complete, for this run of Redis; None: it is not known.
    """

    now: float
    memory: str
    complete: float | None
