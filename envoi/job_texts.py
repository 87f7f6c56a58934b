"""A job in the short texts that scripts take: digests, options, times (envoi/queue/lua/job.lua)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import quote

from envoi.pace import pace_options
from envoi.sendapi.parameters import SEND_API


def key_digest(key: str | None) -> str:
    """A key as Redis names it: of one length and harmless characters."""
    return digest_of(key)


def content_digest(payload: Mapping[str, Any]) -> str:
    """The same as ``digest()`` of a job or an action, of its payload."""
    names = ("recipient", "sender_action", "payload") if "sender_action" in payload else SEND_API
    return digest_of({name: payload[name] for name in names if name in payload})


def options_of(payload: Mapping[str, Any]) -> str:
    """The same as :meth:`Job.options`, of a job's payload."""
    found = ["act=1"] if "sender_action" in payload else pace_options(payload)
    if payload.get("on_unknown") == "resend":
        found.append("unknown=resend")
    if payload.get("ignore_opt_out"):
        found.append("oi=1")
    if payload.get("on_outcome") is not None:
        found.append(outcome_option(payload["on_outcome"], payload.get("key")))
    return ";".join(found)


@cache  # of few: thousands of jobs a second are alike in these
def message_options(  # noqa: PLR0917  # by place: names would cost as much as the cache saves
    kind: str,
    attachment: str | None,
    images: bool,
    typing: bool,
    mark_seen: bool,
    on_unknown: str,
    ignore_opt_out: bool,
) -> str:
    """The same as :func:`options_of` of a message's payload, but for its outcome.

    Args:
        kind: of recipient.
        attachment: the type of the one attachment.
        images: whether there are several.
        typing: whether there is any.
        mark_seen: as in the job.
        on_unknown: as in the job.
        ignore_opt_out: as in the job.
    """
    one = {} if attachment is None else {"attachment": {"type": attachment}}
    return options_of(
        {
            "recipient": {kind: True},
            "message": one | ({"attachments": True} if images else {}),
            "typing": typing,
            "mark_seen": mark_seen,
            "on_unknown": on_unknown,
            "ignore_opt_out": ignore_opt_out,
        }
    )


def outcome_option(on_outcome: str, key: str | None) -> str:
    """Where the outcome is told, and the job's key, which goes with it."""
    return f"out={on_outcome},{quote(key or '', safe='')}"


def digest_of(value: object) -> str:
    """A short name for any JSON value, the same for equal ones."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:32]


def seconds(moment: datetime | None) -> str:
    """An aware datetime as the scripts take it: seconds since the epoch, empty for None."""
    return "" if moment is None else f"{moment.timestamp():.6f}"
