"""Verdicts: what one call means. A closed set of types, to be matched exhaustively."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from envoi.events import GraphError


@dataclass(slots=True)  # not frozen: that takes three times as long to make
class Accepted:
    """2xx; of a message call with a message id. The recipient id is optional always (SEND_API 1).

    Attributes:
        attachment_id: of media that was asked to be kept, or that was uploaded.
    """

    message_id: str | None = None
    recipient_id: str | None = None
    attachment_id: str | None = None


@dataclass(frozen=True, slots=True)
class TryLater:
    """Not sent: Graph was not reached, or it says so; or (answered) it says that it failed, which is mostly true.

    Attributes:
        answered: doubles have been seen after such an answer: not at once, and not without a look where one can be had.
        tries: this error may come so many times, the first included, before it counts as a refusal; None: no limit
            of its own.
    """

    error: GraphError
    answered: bool
    tries: int | None = None


@dataclass(frozen=True, slots=True)
class Throttled:
    """Not sent: this scope has to wait so many seconds. Costs the job no attempt."""

    error: GraphError
    scope: Literal["app", "page", "recipient"]
    seconds: float


@dataclass(frozen=True, slots=True)
class Refused:
    """Not sent, and never will be.

    Attributes:
        scope: this message; or anything to this recipient, until the person writes again; or anything from this page,
            until an operator has acted.
    """

    error: GraphError
    scope: Literal["message", "recipient", "page"]


@dataclass(frozen=True, slots=True)
class Unknown:
    """No answer that says whether the message was sent."""

    error: GraphError


Verdict = Accepted | TryLater | Throttled | Refused | Unknown
