"""A job as the double keeps it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from envoi.events import GraphError
from envoi.states import State
from envoi.window import window_rule


@dataclass
class Enqueued:
    """A job that was enqueued, to be looked at.

    Attributes:
        id: the job's id.
        conversation: whose line it is in, as the queue names it.
        lane: ``replies`` or ``bulk``.
        payload: as Redis would keep it: the Send API's own parameters and the delivery options, JSON.
        expires: when it expires, seconds since the epoch.
        state: where it is.
        attempts: attempts made.
        error: why it failed, waits or is unknown.
        due: when it goes on, seconds since the epoch; None: nothing is waited for.
        settled_at: when it got its outcome, seconds since the epoch.
    """

    id: str
    conversation: str
    lane: str
    payload: str
    options: dict[str, str]
    taken: str | None
    expires: float
    max_attempts: int | None
    state: State = State.QUEUED
    attempts: int = 0
    message_id: str | None = None
    recipient_id: str | None = None
    error: GraphError | None = None
    due: float | None = None
    settled_at: float | None = None
    doubted: bool = field(default=False, repr=False)  # it ended unknown: a fact may correct it

    @cached_property
    def given(self) -> dict[str, Any]:
        """The job's parameters and options by their names."""
        found: dict[str, Any] = json.loads(self.payload)
        return found

    @property
    def page(self) -> str:
        """The sender's page id."""
        return str(self.given["page"])

    @property
    def recipient(self) -> dict[str, str]:
        """The Send API's own object."""
        found: dict[str, str] = self.given["recipient"]
        return found

    @property
    def message(self) -> dict[str, Any] | None:
        """The Send API's own object; None: it is an action."""
        return self.given.get("message")

    @property
    def text(self) -> str | None:
        """The message's text, if it has one."""
        return (self.message or {}).get("text")

    @property
    def action(self) -> str | None:
        """The sender action; None: it is a message."""
        return self.given.get("sender_action")

    @property
    def key(self) -> str | None:
        """The job's own key."""
        return self.given.get("key")

    @property
    def acts(self) -> bool:
        """Whether it is an action."""
        return self.action is not None

    @property
    def window(self) -> int | None:
        """How long after the person's last sign of life it may go out, seconds; None: that does not count."""
        return None if self.acts else window_rule(self.given)
