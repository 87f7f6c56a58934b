"""The job: what a caller wants sent, checked at the door the way Meta would check it."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StrictBool, StrictStr, ValidationError

from envoi.errors import InvalidJob, Problem
from envoi.fields import ON_OUTCOME, Key, Moment, Typing
from envoi.ids import JOB_ID
from envoi.job_limits import LIMITS, SOURCES
from envoi.job_texts import digest_of, key_digest, message_options, outcome_option
from envoi.problems import problems
from envoi.sendapi.combinations import combination_problems
from envoi.sendapi.message import Message, ReplyTo
from envoi.sendapi.parameters import SEND_API, Parameters
from envoi.sendapi.recipient import Recipient
from envoi.sendapi.size import size_problems
from envoi.sendapi.tags import RETIRED, RETIREMENT, RetiredTag
from envoi.settings import settings

__all__ = ["Job", "Lane", "Message", "Recipient", "ReplyTo"]

Lane = Literal["replies", "bulk"]
REPLY_LIMIT = timedelta(days=7)  # after a comment or post (SEND_API 2)
_CLOCKS = timedelta(minutes=5)  # that two clocks may differ by
_JUDGED = ContextVar("judged", default=False)  # the job being made was let through the door before


class Job(Parameters):
    """One message to one recipient: the Send API's own parameters plus delivery options.

    Args:
        page: the sender's page id.
        recipient: a page-scoped id, or the Send API's own object.
        message: a text, or the Send API's own object.
        messaging_type, notification_type, tag, persona_id, reply_to: as in the Send API. A tag that Meta has retired is
            taken with a :class:`envoi.sendapi.tags.RetiredTag` warning; ``ENVOI_RETIRED_TAGS`` says otherwise.
        template: a utility template in place of a message; the same as ``message={"template": …}``.
        platform: whose rules the job is checked by, "messenger" or "instagram".
        allow_unknown: take an attached template of a type that this version does not know, unchecked.
        key: repeats with the same key return the first job; unique within the page. A private reply without one has
            ``reply:<comment or post>``: Meta takes one to each.
        lane: ``replies`` goes before ``bulk``.
        at: aware datetime at which the job enters its line; at most 366 days ahead.
        expires_at: aware datetime after which the message is not sent any more; at most 366 days ahead.
        commented_at: aware datetime of the comment or post that is replied to: the reply is not sent after the 7 days
            that Meta allows.
        typing: the typing bubble before the message: True shows it for as long as the call takes, a number for so
            many seconds (at most 15), "auto" for a time that fits the length of the text, False not at all.
        mark_seen: mark the conversation as seen first.
        max_attempts: attempts, the first included; None: the worker's default.
        on_unknown: what to do when nobody can say whether the message was sent: "stop" leaves it at that, "resend"
            makes the next attempt, so that the person may get it twice.
        on_outcome: where to tell what became of the job: ``celery:<task name>[@<queue>]`` or ``stream:<name>``
            (docs/outcomes.md).
        replay_of: id of the job that this one replays.
        ignore_opt_out: for what must go, such as a receipt of an order: it is sent to a person who has opted out too.

    Raises:
        InvalidJob: with every problem at once, each with its field, its limit and the source of the rule. How fields
            go together is looked at once each of them is right.
    """

    key: Key | None = None
    lane: Lane = "replies"
    at: Moment | None = None
    expires_at: Moment | None = None
    commented_at: Moment | None = None
    typing: Typing = True
    mark_seen: StrictBool = False
    max_attempts: Annotated[int, Field(strict=True, ge=1, le=100)] | None = None
    on_unknown: Literal["stop", "resend"] = "stop"
    on_outcome: Annotated[StrictStr, Field(pattern=ON_OUTCOME)] | None = None
    replay_of: Annotated[StrictStr, Field(pattern=rf"^{JOB_ID.pattern}$")] | None = None
    ignore_opt_out: StrictBool = Field(default=False, exclude_if=lambda value: not value)

    def __init__(self, /, **fields: Any) -> None:  # noqa: ANN401  # whatever the caller gives is checked here
        if "template" in fields and "message" not in fields:
            fields["message"] = {"template": fields.pop("template")}
        nested = {name: value for name, value in fields.items() if name in _OBJECTS and isinstance(value, _NESTING)}
        if nested and (large := size_problems(nested)):
            raise InvalidJob(*large)
        try:
            # As BaseModel.__init__ does it, with a context for what may be unknown.
            context = {"allow_unknown": True} if fields.get("allow_unknown") is True else None
            self.__pydantic_validator__.validate_python(fields, self_instance=self, context=context)
        except ValidationError as error:
            raise InvalidJob(*problems(error, LIMITS, SOURCES)) from None
        if self.key is None and self.replies_to is not None:
            self.__dict__["key"] = f"reply:{self.replies_to}"  # Meta takes one to each: a repeat finds the first job
            self.__pydantic_fields_set__.add("key")
        found = [*combination_problems(self), *self._delivery_problems()]
        retired = self.tag in RETIRED and not _JUDGED.get() and settings().retired_tags
        if retired == "refuse":
            found.append(Problem("tag", f"{self.tag} is retired: {RETIREMENT}", "SEND_API 0.2"))
        if found:
            raise InvalidJob(*found)
        if retired == "warn":
            warnings.warn(f"tag {self.tag} is retired: {RETIREMENT}", RetiredTag, stacklevel=2)

    def _delivery_problems(self) -> Iterator[Problem]:
        """What is wrong in how the delivery options go together, and with the parameters."""
        if self.at and self.expires_at and self.expires_at <= self.at:
            yield Problem("expires_at", "must be later than at")
        if self.commented_at is not None:
            yield from self._comment_problems(self.commented_at)
        if self.tag == "HUMAN_AGENT" and self.lane == "bulk":
            yield Problem("lane", "must not be 'bulk' with tag HUMAN_AGENT: a person answers a person", "SEND_API 2")

    def _comment_problems(self, commented_at: datetime) -> Iterator[Problem]:
        now = datetime.now(UTC)
        if self.replies_to is None:
            yield Problem("commented_at", "only goes with a recipient given by comment_id or post_id", "SEND_API 2")
        elif commented_at + REPLY_LIMIT <= max(now, self.at or now):
            yield Problem("commented_at", f"at most {REPLY_LIMIT.days} days before the private reply", "SEND_API 2")
        elif commented_at > now + _CLOCKS:
            yield Problem("commented_at", "must not lie in the future")

    @property
    def replies_to(self) -> str | None:
        """The comment or post of a private reply."""
        return self.recipient.comment_id or self.recipient.post_id

    def expiry(self, age: float) -> datetime | None:
        """When it expires, if that is not simply after its lane's age.

        Args:
            age: seconds that a job of its lane may grow old.
        """
        if self.commented_at is None:
            return self.expires_at
        last = self.commented_at + REPLY_LIMIT
        now = datetime.now(UTC)
        return min(last, self.expires_at or max(now, self.at or now) + timedelta(seconds=age))

    @classmethod
    def load(cls, payload: str) -> Self:
        """The inverse of :meth:`payload`. A retired tag is let through, since it was judged at the door.

        Raises:
            InvalidJob: this version would refuse it.
            ValueError: it is not a payload.
        """
        fields = json.loads(payload)
        fields.pop("id")
        for name in fields.keys() & {"at", "expires_at", "commented_at"}:
            fields[name] = datetime.fromisoformat(fields[name])
        token = _JUDGED.set(True)
        try:
            return cls(**fields)
        finally:
            _JUDGED.reset(token)

    def payload(self, job_id: str) -> str:
        """The job as Redis and SQL keep it: JSON without what was left at its default of None."""
        return f'{{"id":"{job_id}",{self.model_dump_json(exclude_none=True)[1:]}'

    def options(self) -> str:
        """What scripts must know of the delivery options: ``name=value``, joined by ``;`` (envoi/queue/lua/job.lua)."""
        attachment = self.message.attachment
        found = message_options(
            self.recipient.kind,
            None if attachment is None else attachment.type,
            bool(self.message.attachments),
            self.typing is not False,
            self.mark_seen,
            self.on_unknown,
            self.ignore_opt_out,
        )
        if self.on_outcome is None:
            return found
        told = outcome_option(self.on_outcome, self.key)
        return f"{found};{told}" if found else told

    def key_digest(self) -> str:
        """The key as Redis names it."""
        return key_digest(self.key)

    def digest(self) -> str:
        """What a repeat with the same key must agree in: recipient, message and Send API parameters."""
        return digest_of(self.model_dump(include=_SEND_API_SET, exclude_none=True))


_SEND_API_SET = set(SEND_API)  # the type that model_dump takes
_OBJECTS = frozenset({"recipient", "message", "reply_to"})
_NESTING = (dict, list, tuple)
