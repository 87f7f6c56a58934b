"""Whole conversations, as a web app handles them: hold and release, cancel what waits, opt-outs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from envoi.errors import InvalidConversation, Problem
from envoi.fields import PAGE_ID, PAGE_ID_LIMIT, Moment, PageId
from envoi.problems import problems
from envoi.queue.conversation_questions import Questions
from envoi.queue.keys import conversation_of
from envoi.queue.question import Asking
from envoi.sendapi.part import Part
from envoi.sendapi.recipient import GivenRecipient, Recipient
from envoi.standing import Whose

Whom = str | dict[str, Any] | Recipient

_LIMITS = {
    "page": PAGE_ID_LIMIT,
    "recipient.id": "must be a string of 1 to 64 digits",
}
_SOURCES = {"recipient": "SEND_API 2", "recipient.id": "SEND_API 1"}


@dataclass(frozen=True, slots=True)
class HeldConversation:
    """A conversation that is held.

    Attributes:
        recipient: the Send API's own object.
        until: None: until it is released.
    """

    page: str
    recipient: dict[str, str]
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class OptedOut:
    """A person who wants no messages of a page; ``recipient`` is the Send API's own object."""

    page: str
    recipient: dict[str, str]
    since: datetime


@dataclass(frozen=True, slots=True)
class Conversation:
    """What is known of a conversation.

    Attributes:
        recipient: the Send API's own object.
        waiting: jobs in its line, the first included. Beyond the first 1000, those that were cancelled in it count too.
        head: the id of the first; :meth:`envoi.Envoi.status` tells more.
        scheduled: jobs whose time to enter the line has not come.
        held_since, held_until: None: not held; held until it is released.
        opted_out_since: None: the person has not opted out.
    """

    page: str
    recipient: dict[str, str]
    waiting: int
    head: str | None
    scheduled: int
    held_since: datetime | None
    held_until: datetime | None
    opted_out_since: datetime | None


@dataclass(frozen=True, slots=True)
class CancelledAll:
    """What :meth:`envoi.Envoi.cancel_all` came to.

    Attributes:
        cancelled: how many jobs.
        going_on: the id of the job that is under way, and may still be sent: a worker holds it and decides before its
            message call, or its call has begun; None: there is none.
        doubted: jobs behind it that may have been begun in moments that a restarted Redis lost; they go on too.
    """

    cancelled: int
    going_on: str | None = None
    doubted: int = 0


class _Where(Part):
    page: PageId
    recipient: GivenRecipient
    until: Moment | None = None


class ConversationAsks:
    """The questions behind each method of :class:`envoi.conversations.Conversations`."""

    def __init__(self, questions: Questions) -> None:
        self.questions = questions

    def hold(self, page: str, recipient: Whom, until: datetime | None) -> Asking[None]:
        """See :meth:`envoi.Envoi.hold`."""
        conversation = named(page, recipient, until)
        if until is not None and until <= datetime.now(UTC):
            raise InvalidConversation(Problem("until", "must lie in the future"))
        yield from self.questions.hold(conversation, None if until is None else until.timestamp())

    def release(self, page: str, recipient: Whom) -> Asking[bool]:
        """See :meth:`envoi.Envoi.release`."""
        return self.questions.release(named(page, recipient))

    def some_held(self, page: str, cursor: int) -> Asking[tuple[int, list[HeldConversation]]]:
        """Some of :meth:`envoi.Envoi.held`, and the cursor of the next; 0 begins and ends."""
        after, found = yield from self.questions.some_holds(_page(page), cursor)
        return after, [
            HeldConversation(*_whose(hold.conversation), _moment(hold.since), _perhaps(hold.until)) for hold in found
        ]

    def conversation(self, page: str, recipient: Whom) -> Asking[Conversation]:
        """See :meth:`envoi.Envoi.conversation`."""
        name = named(page, recipient)
        found = yield from self.questions.lined(name)
        return Conversation(
            *_whose(name),
            waiting=found.waiting,
            head=found.head,
            scheduled=found.scheduled,
            held_since=_perhaps(found.hold.since if found.hold else None),
            held_until=_perhaps(found.hold.until if found.hold else None),
            opted_out_since=_perhaps(found.opted_out),
        )

    def cancel_all(self, page: str, recipient: Whom) -> Asking[CancelledAll]:
        """See :meth:`envoi.Envoi.cancel_all`."""
        found = yield from self.questions.clear(named(page, recipient))
        return CancelledAll(found.cancelled, found.going_on, found.doubted)

    def opt_out(self, page: str, recipient: Whom) -> Asking[bool]:
        """See :meth:`envoi.Envoi.opt_out`."""
        return self.questions.opt_out(named(page, recipient))

    def opt_in(self, page: str, recipient: Whom) -> Asking[bool]:
        """See :meth:`envoi.Envoi.opt_in`."""
        return self.questions.opt_in(named(page, recipient))

    def some_opt_outs(self, page: str, cursor: int) -> Asking[tuple[int, list[OptedOut]]]:
        """Some of :meth:`envoi.Envoi.opt_outs`; as :meth:`some_held`."""
        after, found = yield from self.questions.some_opt_outs(_page(page), cursor)
        return after, [OptedOut(*_whose(name), _moment(since)) for name, since in found]


def named(page: str, recipient: object, until: datetime | None = None) -> str:
    """The name of a conversation, as the queue has it.

    Raises:
        InvalidConversation: there can be none, or its hold cannot end then.
    """
    try:
        where = _Where(page=page, recipient=recipient, until=until)
    except ValidationError as error:
        raise InvalidConversation(*problems(error, _LIMITS, _SOURCES)) from None
    return conversation_of(where.page, where.recipient.kind, where.recipient.key)


def _page(page: str) -> str:
    if not isinstance(page, str) or not re.fullmatch(PAGE_ID, page):
        raise InvalidConversation(Problem("page", PAGE_ID_LIMIT))
    return page


def _whose(conversation: str) -> tuple[str, dict[str, str]]:
    whose = Whose.of(conversation)
    return whose.page, {whose.kind: whose.recipient}


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _perhaps(seconds: float | None) -> datetime | None:
    return None if seconds is None else _moment(seconds)
