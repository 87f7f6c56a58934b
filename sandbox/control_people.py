"""Control: what people write, and what is written in a page's name by others than its app."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field, TypeAdapter
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.control_input import NotThere, Unusable, read_body
from sandbox.happenings import OPENS_WINDOW, Deed, Happening, Optin, PersonId, Reaction, Receipt, webhook_of
from sandbox.pages import Page
from sandbox.replies import reply
from sandbox.sent_message import new_message_id
from sandbox.shown import created_time
from sandbox.threads import Message
from sandbox.world import Sandbox, World


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A message that no call of the Send API brought.

    Attributes:
        page: id of the page.
        recipient: page-scoped id of the person, on whichever side of it.
        author: ``person``, or ``page`` for another app or a human in the page's inbox.
        text: of the message.
        app_id: the other app; None for a human in the inbox, who has none here.
        metadata: the other app's.
        reply_to: id of the message it answers.
        quick_reply: payload of the quick reply that the person tapped, in place of writing its title.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    page: str
    recipient: PersonId
    author: Annotated[Literal["person", "page"], Field(alias="from")]
    text: Annotated[str, Field(min_length=1)]
    app_id: int | None = None
    metadata: str | None = None
    reply_to: str | None = None
    quick_reply: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Acquaintance:
    """A person whom a page may come to know.

    Attributes:
        page: id of the page.
        recipient: page-scoped id of the person.
        name: shown on the sandbox's page, and nowhere else.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    page: str
    recipient: PersonId
    name: Annotated[str, Field(min_length=1, max_length=80)] | None = None


_WRITTEN: TypeAdapter[Written] = TypeAdapter(Written)
_ACQUAINTANCE: TypeAdapter[Acquaintance] = TypeAdapter(Acquaintance)
_HAPPENING: TypeAdapter[Happening] = TypeAdapter(Happening)
_DEED: TypeAdapter[Deed] = TypeAdapter(Deed)


class PeopleControl:
    """What the sandbox is told that people do."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def write(self, request: Request) -> Response:
        """Put a message into a thread."""
        written = await read_body(request, _WRITTEN)
        from_page = written.author == "page"
        if not from_page and (written.app_id is not None or written.metadata is not None):
            raise Unusable.field("app_id", "a person writes with no app and no metadata")
        if from_page and written.quick_reply is not None:
            raise Unusable.field("quick_reply", "only a person taps one")
        world = self._sandbox.world
        page = self._page(written.page)
        content: dict[str, object] = {"text": written.text}
        if written.metadata is not None:
            content["metadata"] = written.metadata
        if written.quick_reply is not None:
            content["quick_reply"] = {"payload": written.quick_reply}
        message = Message(new_message_id(), world.clock.now(), from_page, content, written.app_id, written.reply_to)
        thread = world.write(page, written.recipient, message)
        shown = {"message_id": message.id, "thread": thread.id, "created_time": created_time(message.created_at)}
        return reply(shown, 201)

    async def happen(self, request: Request) -> Response:
        """Let a person do something else than write."""
        happening = await read_body(request, _HAPPENING)
        world = self._sandbox.world
        page, now = self._page(happening.page), world.clock.now()
        if isinstance(happening, Receipt):
            kind = f"message_{'deliveries' if happening.kind == 'delivery' else 'reads'}"
            world.webhooks.confirmed(page, kind, happening.recipient, happening.message_id, now)
            _confirm(world, happening, now)
            return reply({"at": now}, 201)
        person = None if isinstance(happening, Optin) else happening.recipient
        if person is not None:
            _remember(world, happening, person, now)
        kind, content = webhook_of(happening, new_message_id(), now)
        world.webhooks.did(page, kind, person, now, content)
        return reply({"at": now}, 201)

    async def know(self, request: Request) -> Response:
        """Let a person be known by a name, and have a thread that nothing is written in yet."""
        given = await read_body(request, _ACQUAINTANCE)
        world = self._sandbox.world
        page = self._page(given.page)
        thread = world.threads.open(page.id, given.recipient)
        if given.name is not None:
            world.names[page.id, given.recipient] = given.name
        world.feed.chat(page.id, given.recipient)
        return reply({"thread": thread.id, "name": world.names.get((page.id, given.recipient))}, 201)

    def _page(self, wanted: str) -> Page:
        page = self._sandbox.world.pages.get(wanted)
        if page is None:
            raise NotThere(f"there is no page {wanted}")
        return page


def people_routes(sandbox: Sandbox) -> list[Route]:
    """The routes of all this."""
    people = PeopleControl(sandbox)
    return [
        Route("/sandbox/messages", people.write, methods=["POST"]),
        Route("/sandbox/happenings", people.happen, methods=["POST"]),
        Route("/sandbox/people", people.know, methods=["POST"]),
    ]


def _remember(world: World, deed: Deed, person: str, now: float) -> None:
    """What a deed leaves in the chat of the person."""
    thread = world.threads.open(deed.page, person)
    if isinstance(deed, OPENS_WINDOW):
        thread.inbound_at = now
    if isinstance(deed, Reaction):
        thread.react(deed.message_id, "person", deed.emoji if deed.action == "react" else None)
    shown: dict[str, object] = _DEED.dump_python(deed, mode="json", exclude={"page", "recipient", "token"})
    thread.deeds.append(shown | {"at": now})
    world.feed.chat(deed.page, person)


def _confirm(world: World, receipt: Receipt, now: float) -> None:
    """Up to where the person's device got, or the person read, what the page wrote."""
    thread = world.threads.open(receipt.page, receipt.recipient)
    until = next((one.created_at for one in thread.messages if one.id == receipt.message_id), now)
    thread.delivered_until = max(until, thread.delivered_until or 0.0)
    if receipt.kind == "read":
        thread.read_until = max(until, thread.read_until or 0.0)
    world.feed.chat(receipt.page, receipt.recipient)
