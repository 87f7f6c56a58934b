"""Control: what the sandbox's page shows, and a feed of what changes (server-sent events)."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Annotated, ClassVar, TypeVar

from pydantic import ConfigDict, Field, TypeAdapter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from sandbox.chat_view import ChatView
from sandbox.control_input import NotThere, read_query
from sandbox.control_pages import pages_shown
from sandbox.control_settings import setting_shown
from sandbox.control_webhooks import subscription_shown
from sandbox.feed import Changes, Feed, Spectator
from sandbox.known_errors import KNOWN
from sandbox.ledger import Entry
from sandbox.ledger_query import REST_PER_LOOK, SETTLE_SECONDS
from sandbox.outbox import Webhook
from sandbox.replies import reply
from sandbox.rules import rule_shown
from sandbox.world import Sandbox, World

MOST_CALLS = 200
MOST_WEBHOOKS = 100
# How far back calls to one person are looked for.
MOST_LOOKED_THROUGH = 20_000
# A comment this often tells both ends whether the other one is still there.
HEARTBEAT_SECONDS = 15.0
_NO_STORE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What is watched.

    Attributes:
        page: id of the page whose chat is open.
        person: the person of that chat, as a chat's ``person`` names them; None where no chat is open.
        calls_of_person: of the calls, only those to that person.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    page: Annotated[str, Field(max_length=64)] | None = None
    person: Annotated[str, Field(max_length=1000)] | None = None
    calls_of_person: bool = False

    @property
    def chat(self) -> tuple[str, str] | None:
        """The open chat."""
        return None if self.page is None or self.person is None else (self.page, self.person)

    def shows(self, entry: Entry) -> bool:
        """Whether a call is among those to be shown."""
        if not self.calls_of_person or self.person is None:
            return True
        kind, hidden, key = self.person.partition(":")
        given = entry.recipient or {}
        return entry.page == self.page and (given.get(kind) == key if hidden else self.person in given.values())


Item = TypeVar("Item")
_WATCH: TypeAdapter[Watch] = TypeAdapter(Watch)


class LiveControl:
    """The chats, and what changes in the sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def chats(self, request: Request) -> Response:  # noqa: ARG002  # the signature of a handler
        """The chats in which something happened last."""
        return reply({"chats": ChatView(self._sandbox.world).chats()})

    async def chat(self, request: Request) -> Response:
        """One chat with its messages."""
        chat = read_query(request, _WATCH).chat
        if chat is None or self._sandbox.world.pages.get(chat[0]) is None:
            raise NotThere("there is no such page, or no person was named")
        return reply(ChatView(self._sandbox.world).chat(*chat))

    async def errors(self, request: Request) -> Response:  # noqa: ARG002  # the signature of a handler
        """The errors of Graph that are known here, for ordering one."""
        return reply({"errors": [{"code": c, "subcode": s, "message": text} for (c, s), text in KNOWN.items()]})

    async def live(self, request: Request) -> Response:
        """A feed: first all that is to be seen, then what changed of it."""
        watch = read_query(request, _WATCH)
        if request.method == "HEAD":
            return Response(headers=_NO_STORE, media_type="text/event-stream")
        spectator = self._sandbox.feed.join()
        if spectator is None:
            return reply({"error": "too many spectators"}, 503)
        lines = _lines(self._sandbox, spectator, watch)
        return StreamingResponse(lines, headers=_NO_STORE, media_type="text/event-stream")


def live_routes(sandbox: Sandbox) -> list[Route]:
    """The routes of all this."""
    live = LiveControl(sandbox)
    return [
        Route("/sandbox/chats", live.chats, methods=["GET"]),
        Route("/sandbox/chat", live.chat, methods=["GET"]),
        Route("/sandbox/errors", live.errors, methods=["GET"]),
        Route("/sandbox/live", live.live, methods=["GET"]),
    ]


async def _lines(sandbox: Sandbox, spectator: Spectator, watch: Watch) -> AsyncIterator[str]:
    feed: Feed = sandbox.feed
    try:
        while not feed.closed:
            began = time.monotonic()
            shown = _shown(sandbox.world, spectator.take(), watch)
            yield f"data: {json.dumps(shown, allow_nan=False)}\n\n"
            # However much there is to show, it takes no more than a tenth of the sandbox's time.
            await asyncio.sleep(max(SETTLE_SECONDS, (time.monotonic() - began) * REST_PER_LOOK))
            while not await spectator.stirred(HEARTBEAT_SECONDS):
                yield ": still here\n\n"
    finally:
        feed.leave(spectator)


def _shown(world: World, changes: Changes, watch: Watch) -> dict[str, object]:
    """What changed, as the page takes it; ``whole`` where it is all there is to see."""
    view = ChatView(world)
    shown: dict[str, object] = {"whole": changes.whole, "now": world.clock.now(), "requests": len(world.ledger.entries)}
    if changes.whole or changes.settings:
        shown |= _settings(world)
    if changes.whole or changes.chats:
        shown["chats"] = view.chats() if changes.whole else view.some(changes.chats)
    if watch.chat is not None and (changes.whole or changes.webhooks or watch.chat in changes.chats):
        shown["chat"] = view.chat(*watch.chat)
    calls = _last_calls(world, watch) if changes.whole else [one for one in changes.calls.values() if watch.shows(one)]
    webhooks = _last_webhooks(world) if changes.whole else changes.webhooks.values()
    shown["calls"] = [one.as_json() | {"answer": world.ledger.answer_to(one)} for one in calls]
    shown["webhooks"] = [one.as_json() for one in webhooks]
    return shown


def _settings(world: World) -> dict[str, object]:
    return {
        "ahead_seconds": world.clock.ahead_seconds,
        "pages": pages_shown(world),
        "rules": [rule_shown(rule) for rule in world.rules.all()],
        "latency": setting_shown(world, "latency"),
        "switches": setting_shown(world, "switches"),
        "subscription": subscription_shown(world.webhooks),
    }


def _last_calls(world: World, watch: Watch) -> list[Entry]:
    newest = itertools.islice(reversed(world.ledger.entries), MOST_LOOKED_THROUGH)
    return _last((entry for entry in newest if watch.shows(entry)), MOST_CALLS)


def _last_webhooks(world: World) -> list[Webhook]:
    return [] if world.webhooks.outbox is None else _last(reversed(world.webhooks.outbox.record), MOST_WEBHOOKS)


def _last(newest_first: Iterable[Item], most: int) -> list[Item]:
    return list(itertools.islice(newest_first, most))[::-1]
