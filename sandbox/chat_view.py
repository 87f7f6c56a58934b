"""Conversations as a chat shows them, with what the page did in each and where its window stands."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sandbox.conversations import TYPING_SECONDS, Conversation
from sandbox.threads import Message, Thread
from sandbox.webhooks import Webhooks
from sandbox.window import STANDARD_SECONDS, TAGGED_SECONDS
from sandbox.world import World

# What one look shows at most; of a load test's crowd nobody reads more.
MOST_CHATS = 300
MOST_MESSAGES = 200


@dataclass(frozen=True, slots=True)
class ChatView:
    """What is to be seen in a world, as JSON objects; all times are Unix seconds of the sandbox's clock."""

    world: World

    def chats(self) -> list[dict[str, object]]:
        """The chats in which something happened last, newest first, each in short."""
        every: Iterator[Thread] = itertools.chain(self.world.threads.all(), self.world.hidden.all())
        return [self._short(thread) for thread in heapq.nlargest(MOST_CHATS, every, key=lambda one: one.last_at)]

    def some(self, wanted: Iterable[tuple[str, str]]) -> list[dict[str, object]]:
        """These chats in short; of those without a thread, nothing is to be seen."""
        found = [self._thread(page, person) for page, person in wanted]
        return [self._short(thread) for thread in found if thread is not None]

    def chat(self, page: str, person: str) -> dict[str, object]:
        """One chat with its last messages; an empty one if nothing happened in it yet."""
        thread = self._thread(page, person) or Thread("", page, person)
        conversation = self._conversation(thread)
        shown = [self._message(thread, message) for message in thread.messages[-MOST_MESSAGES:]]
        return self._short(thread) | {
            "messages": shown,
            "earlier": len(thread.messages) - len(shown),
            "deeds": list(thread.deeds),
            "seen_at": None if conversation is None else conversation.seen_at,
            "window": _window(thread, self.world),
        }

    def _short(self, thread: Thread) -> dict[str, object]:
        last = thread.messages[-1] if thread.messages else None
        conversation = self._conversation(thread)
        since = None if conversation is None else conversation.typing_since
        return {
            "page": thread.page,
            "person": thread.person,
            "name": self.world.names.get((thread.page, thread.person)),
            "last_at": thread.last_at,
            "last": None if last is None else {"from_page": last.from_page, "content": last.content},
            "count": len(thread.messages),
            "typing_until": None if since is None else since + TYPING_SECONDS,
        }

    def _message(self, thread: Thread, message: Message) -> dict[str, object]:
        return {
            "id": message.id,
            "at": message.created_at,
            "from_page": message.from_page,
            "app_id": message.app_id,
            "content": message.content,
            "reply_to": message.reply_to,
            "reactions": thread.reactions.get(message.id, {}),
            "mark": _mark(thread, message, self.world) if message.from_page else None,
        }

    def _thread(self, page: str, person: str) -> Thread | None:
        return (self.world.hidden if _hidden(person) else self.world.threads).find(page, person)

    def _conversation(self, thread: Thread) -> Conversation | None:
        key = thread.person if _hidden(thread.person) else f"id:{thread.person}"
        return self.world.conversations.find(f"{thread.page}/{key}")


def _hidden(person: str) -> bool:
    """Whether this is a kind and a value, as a person without a thread is known by."""
    return ":" in person


def _mark(thread: Thread, message: Message, world: World) -> str:
    """``sent``, ``delivered`` or ``read``: as the webhooks that were sent, or would have been by now, tell the app."""
    if _reached(message, thread.read_until, _receipt_after(world.webhooks, "reads"), world):
        return "read"
    if _reached(message, thread.delivered_until, _receipt_after(world.webhooks, "deliveries"), world):
        return "delivered"
    return "sent"


def _reached(message: Message, until: float | None, after_seconds: float | None, world: World) -> bool:
    if until is not None and message.created_at <= until:
        return True
    return after_seconds is not None and message.created_at + after_seconds <= world.clock.now()


def _receipt_after(webhooks: Webhooks, kind: str) -> float | None:
    """Seconds until a receipt of each message is sent; None where none are."""
    if webhooks.outbox is None:
        return None
    receipts = webhooks.subscription.reads if kind == "reads" else webhooks.subscription.deliveries
    return None if receipts is None else receipts.delay_seconds


def _window(thread: Thread, world: World) -> Mapping[str, object]:
    at = thread.inbound_at
    return {
        "enforced": world.switches.window == "enforce",
        "opened_at": at,
        "closes_at": None if at is None else at + STANDARD_SECONDS,
        "tagged_until": None if at is None else at + TAGGED_SECONDS,
        "unknown": world.switches.unknown_conversations,
    }
