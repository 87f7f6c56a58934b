"""The action: a job whose one call is a sender action, in its conversation's order (SEND_API 2, 10)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StrictStr, ValidationError

from envoi.errors import InvalidJob, Problem
from envoi.fields import PAGE_ID_LIMIT, STORABLE, Key, Moment, PageId
from envoi.job import Lane
from envoi.job_texts import digest_of
from envoi.problems import problems
from envoi.sendapi.part import Name, Part
from envoi.sendapi.recipient import GivenRecipient
from envoi.sendapi.size import size_problems

__all__ = ["ACTIONS", "Action"]

ACTIONS = ("mark_seen", "typing_on", "typing_off", "react", "unreact")
_REACTIONS = ("react", "unreact")
_INSTAGRAM_REACTION = "love"  # SEND_API 2: Messenger takes any emoji, Instagram's page has this one alone


class Action(Part):
    """One sender action to one person: a courtesy, made once, after every earlier job to the same person.

    Whatever comes of it, it holds up nothing behind it: it ends ``sent`` where the API accepted it, ``failed`` with
    Graph's error or for want of an answer, and is not tried again. Only a worker that is lost in it has it made once
    more, which does no harm.

    Args:
        page: the sender's page id.
        recipient: a page-scoped id, or ``{"id": …}``: a sender action reaches nobody given in another way.
        action: ``mark_seen``, ``typing_on``, ``typing_off``, ``react`` or ``unreact``.
        message_id: with ``react`` and ``unreact``, the message that is meant.
        reaction: with ``react``: an emoji; on Instagram ``love``.
        platform: whose rules the action is checked by, "messenger" or "instagram".
        key: repeats with the same key return the first job; unique within the page, among actions and messages.
        lane: ``replies`` goes before ``bulk``.
        at: aware datetime at which the action enters its line; at most 366 days ahead.
        expires_at: aware datetime after which it is not made any more; at most 366 days ahead.

    Raises:
        InvalidJob: with every problem at once, each with its field, its limit and the source of the rule.
    """

    page: PageId
    recipient: GivenRecipient
    action: Literal["mark_seen", "typing_on", "typing_off", "react", "unreact"]
    message_id: Name | None = None
    reaction: Annotated[StrictStr, Field(min_length=1, max_length=64), STORABLE] | None = None
    platform: Literal["messenger", "instagram"] = Field("messenger", exclude_if=lambda value: value == "messenger")
    key: Key | None = None
    lane: Lane = "replies"
    at: Moment | None = None
    expires_at: Moment | None = None

    def __init__(self, **fields: Any) -> None:  # noqa: ANN401  # whatever the caller gives is checked here
        if isinstance(fields.get("recipient"), (dict, list, tuple)):
            large = size_problems({"recipient": fields["recipient"]})
            if large:
                raise InvalidJob(*large)
        try:
            self.__pydantic_validator__.validate_python(fields, self_instance=self)
        except ValidationError as error:
            raise InvalidJob(*problems(error, _LIMITS, _SOURCES)) from None
        if found := [*self._combination_problems()]:
            raise InvalidJob(*found)

    def _combination_problems(self) -> Iterator[Problem]:
        if self.recipient.id is None:
            yield Problem(f"recipient.{self.recipient.kind}", "a sender action needs an id", "SEND_API 10")
        reacts = self.action in _REACTIONS
        if reacts is (self.message_id is None):
            only = "is required with" if reacts else "only goes with"
            yield Problem("message_id", f"{only} react and unreact", "SEND_API 2")
        if (self.action == "react") is (self.reaction is None):
            only = "is required with" if self.action == "react" else "only goes with"
            yield Problem("reaction", f"{only} react", "SEND_API 2")
        if self.platform == "instagram" and self.reaction not in (None, _INSTAGRAM_REACTION):
            yield Problem("reaction", f"must be '{_INSTAGRAM_REACTION}' for Instagram", "SEND_API 2")
        if self.at and self.expires_at and self.expires_at <= self.at:
            yield Problem("expires_at", "must be later than at")

    @property
    def max_attempts(self) -> None:
        """The worker's default: a call is made once, but workers may be lost before it."""
        return

    def expiry(self, age: float) -> datetime | None:  # noqa: ARG002  # as of a Job
        """When it expires, if that is not after its lane's age."""
        return self.expires_at

    def send_api(self) -> dict[str, Any]:
        """What the Send API takes: recipient, sender_action and, of a reaction, its payload (SEND_API 2)."""
        found: dict[str, Any] = {"recipient": {"id": self.recipient.id}, "sender_action": self.action}
        payload = {"message_id": self.message_id, "reaction": self.reaction}
        if self.action in _REACTIONS:
            found["payload"] = {name: value for name, value in payload.items() if value is not None}
        return found

    def payload(self, job_id: str) -> str:
        """The action as Redis and SQL keep it: JSON, with the Send API's own names."""
        options = self.model_dump(mode="json", include={"page", "platform", "key", "lane", "at", "expires_at"})
        given = {name: value for name, value in options.items() if value is not None}
        return json.dumps({"id": job_id, **given, **self.send_api()}, ensure_ascii=False, separators=(",", ":"))

    def options(self) -> str:
        """What scripts must know: that the job's one call is no message (envoi/queue/lua/job.lua)."""
        return "act=1"

    def key_digest(self) -> str:
        """The key as Redis names it: of one length and harmless characters."""
        return digest_of(self.key)

    def digest(self) -> str:
        """What a repeat with the same key must agree in."""
        return digest_of(self.send_api())


_LIMITS = {
    "page": PAGE_ID_LIMIT,
    "recipient.id": "must be a string of 1 to 64 digits",
    "action": f"must be one of {', '.join(ACTIONS)}",
}
_SOURCES = {
    "recipient.id": "SEND_API 1",
    "action": "SEND_API 2",
    "message_id": "SEND_API 2",
    "reaction": "SEND_API 2",
}
