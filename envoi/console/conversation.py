"""One conversation: all its jobs with each call's answer, and what is said of it as a whole."""

from __future__ import annotations

from starlette.responses import Response

from envoi.console.answer import rendered
from envoi.console.ask import Ask, Form
from envoi.console.house import House
from envoi.console.jobs import before, place_of
from envoi.console.showing import with_query
from envoi.console.words import let_read
from envoi.conversation import Conversation
from envoi.errors import QueueUnavailable
from envoi.log import browsing
from envoi.standing import Whose

_LIMIT = 20


def show(house: House, ask: Ask) -> Response:
    """The conversation, without what was written."""
    return _page(house, ask, whose_of(ask.query), words=False)


def show_words(house: House, ask: Ask) -> Response:
    """The conversation with what was written: somebody has asked for it, and the console's log says so."""
    whose = whose_of(ask.form)
    let_read(house, ask, conversation="/".join(whose))
    return _page(house, ask, whose, words=True)


def whose_of(fields: Form) -> Whose:
    """Which conversation is meant."""
    return Whose(fields.get("page"), fields.get("kind", "id"), fields.get("recipient"))


def _page(house: House, ask: Ask, whose: Whose, *, words: bool) -> Response:
    fields = ask.form if words else ask.query
    behind, trouble, live = place_of(fields), None, None
    try:
        live = _live(house, whose)
    except QueueUnavailable as error:
        trouble = str(error)
    found = browsing.timeline(house.engine, *whose, behind=behind, limit=_LIMIT + 1)
    more, found = len(found) > _LIMIT, found[:_LIMIT]
    last = found[-1][0] if more else None
    where = {"page": whose.page, "kind": whose.kind, "recipient": whose.recipient}
    return rendered(
        house,
        ask,
        "conversation.html",
        whose=whose,
        live=live,
        trouble=trouble,
        inbound=browsing.last_inbound(house.engine, whose.page, whose.recipient) if whose.kind == "id" else None,
        timeline=found,
        here=with_query("/conversation", **where),
        before=fields.get("before"),
        older=with_query("/conversation", **where, before=before(last.enqueued_at, last.id)) if last else None,
        words=words,
        may_show=house.settings.console_texts == "show",
    )


def _live(house: House, whose: Whose) -> Conversation:
    return house.client.conversation(whose.page, {whose.kind: whose.recipient})
