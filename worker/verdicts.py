"""Verdicts: what one call means. A closed set of types, to be matched exhaustively."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from envoi.events import GraphError


@dataclass(frozen=True, slots=True)
class Accepted:
    """2xx; of a message call with a message id. The recipient id is optional always (SEND_API 1)."""

    message_id: str | None = None
    recipient_id: str | None = None


@dataclass(frozen=True, slots=True)
class TryLater:
    """Not sent: Graph was not reached, or (answered) it says that it failed."""

    error: GraphError
    answered: bool


@dataclass(frozen=True, slots=True)
class Throttled:
    """Not sent: this scope has to wait so many seconds. Costs the job no attempt."""

    error: GraphError
    scope: Literal["app", "page", "recipient"]
    seconds: float


@dataclass(frozen=True, slots=True)
class Refused:
    """Not sent, and never will be: this message, or anything from this page until an operator has acted."""

    error: GraphError
    scope: Literal["message", "page"]


@dataclass(frozen=True, slots=True)
class Unknown:
    """No answer that says whether the message was sent."""

    error: GraphError


Verdict = Accepted | TryLater | Throttled | Refused | Unknown
