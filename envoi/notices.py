"""Notices: what webhooks tell (SEND_API 7), as Redis keeps it. No text and no name of a person is kept."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Literal

from envoi.standing import Hold, OptOut, Standing


@dataclass(frozen=True, slots=True)
class Echo:
    """A message that the page sent, whoever wrote it.

    Attributes:
        at: seconds since the epoch by Meta's clock; so are all times here.
        job_id: whose message it is; None: it has no job id of ours (a person in the inbox, another app).
    """

    page: str
    person: str
    message_id: str
    at: float
    job_id: str | None


@dataclass(frozen=True, slots=True)
class Inbound:
    """A sign of life that opens the window: the person wrote, tapped, reacted, came by a link, opted in."""

    page: str
    person: str
    at: float


@dataclass(frozen=True, slots=True)
class Receipt:
    """The person's device got messages, or the person read them.

    Attributes:
        kind: ``delivered`` or ``read``.
        message_ids: of these messages; may be empty.
        watermark: and of every message sent up to then; None on Instagram.
    """

    kind: Literal["delivered", "read"]
    page: str
    person: str
    at: float
    message_ids: tuple[str, ...]
    watermark: float | None


@dataclass(frozen=True, slots=True)
class Enforcement:
    """Meta acts against the page: its policies were broken.

    Attributes:
        action: Meta's word for it, such as ``block``; empty where it gives none.
    """

    page: str
    at: float
    action: str


@dataclass(frozen=True, slots=True)
class Odd:
    """An entry that cannot be understood.

    Attributes:
        why: of a fixed set of words; nothing of what the entry says.
    """

    page: str
    why: str


Notice = Echo | Inbound | Receipt | Enforcement | Odd
Logged = Inbound | Receipt | Hold | OptOut  # by the stream that the log is told by

_KINDS = {kind.__name__.lower(): kind for kind in (Echo, Receipt, Enforcement, Odd, Inbound, Hold, OptOut)}


def dump(notice: Notice) -> str:
    """A notice as Redis keeps it: JSON."""
    return json.dumps([type(notice).__name__.lower(), asdict(notice)], separators=(",", ":"))


def load(text: str) -> Notice | Standing:
    """The inverse of :func:`dump`.

    Raises:
        ValueError, TypeError, KeyError: it was not written by :func:`dump`.
    """
    kind, fields = json.loads(text)
    if kind == "receipt":
        fields["message_ids"] = tuple(fields["message_ids"])
    made: Notice | Standing = _KINDS[kind](**fields)
    return made
