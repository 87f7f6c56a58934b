"""A job in the short texts that scripts take: digests, options, times (envoi/queue/lua/job.lua)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
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
        found.append(f"out={payload['on_outcome']},{quote(payload.get('key') or '', safe='')}")
    return ";".join(found)


def digest_of(value: object) -> str:
    """A short name for any JSON value, the same for equal ones."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:32]


def seconds(moment: datetime | None) -> str:
    """An aware datetime as the scripts take it: seconds since the epoch, empty for None."""
    return "" if moment is None else f"{moment.timestamp():.6f}"
