"""What Meta keeps of the messages between a page and a person: the thread that both of them see.

Several conversations of ours may end in one thread: one person reached by ``id`` and by ``comment_id``.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

# SEND_API 8: "details only for the 20 most recent messages".
DETAILED = 20
DEEDS_KEPT = 100


@dataclass(slots=True, eq=False)  # not frozen, for speed; never changed all the same
class Message:
    """A message in a thread.

    Attributes:
        id: the ``message_id`` of the Send API's answer, the ``mid`` of webhooks.
        created_at: Unix seconds.
        from_page: written in the page's name, by whichever app or human; else by the person.
        content: the Send API's message object.
        app_id: the app that wrote it; None for a person, or a human in the page's inbox.
        reply_to: id of the message it answers.
    """

    id: str
    created_at: float
    from_page: bool
    content: Mapping[str, object]
    app_id: int | None = None
    reply_to: str | None = None


@dataclass(slots=True, eq=False)
class Thread:
    """One thread.

    Attributes:
        id: ``t_`` and digits.
        page: id of the page.
        person: page-scoped id of the person.
        messages: in the order of arrival.
        inbound_at: Unix seconds of the last thing the person did that opens the window.
        deeds: what else the person did, the last of it.
        reactions: by message id, the emoji of ``page`` and ``person``.
        delivered_until: Unix seconds up to which the person's device has said that it got everything.
        read_until: Unix seconds up to which the person has read everything.
    """

    id: str
    page: str
    person: str
    messages: list[Message] = field(default_factory=list)
    inbound_at: float | None = None
    deeds: deque[Mapping[str, object]] = field(default_factory=lambda: deque(maxlen=DEEDS_KEPT))
    reactions: dict[str, dict[str, str]] = field(default_factory=dict)
    delivered_until: float | None = None
    read_until: float | None = None

    @property
    def last_at(self) -> float:
        """Unix seconds of the last thing that happened in it; 0 if nothing did."""
        return max(self.messages[-1].created_at if self.messages else 0.0, self.inbound_at or 0.0)

    def react(self, message_id: str, who: str, emoji: str | None) -> None:
        """Put a reaction to a message in the place of the one before, or take it back."""
        of_message = self.reactions.setdefault(message_id, {})
        if emoji is None:
            of_message.pop(who, None)
        else:
            of_message[who] = emoji

    def visible(self, until: float) -> Iterator[tuple[int, Message]]:
        """Messages not later than this, newest first, each with its number: counted from 1, the oldest."""
        for place in range(len(self.messages), 0, -1):
            message = self.messages[place - 1]
            if message.created_at <= until:
                yield place, message


class Threads:
    """All threads, and where each message is."""

    def __init__(self) -> None:
        self._threads: dict[tuple[str, str], Thread] = {}
        self._by_id: dict[str, Thread] = {}
        self._by_message: dict[str, Thread] = {}

    def find(self, page: str, person: str) -> Thread | None:
        """The thread of a page and a person, if anything was ever written in it."""
        return self._threads.get((page, person))

    def all(self) -> Iterable[Thread]:
        """Every thread."""
        return self._threads.values()

    def of_page(self, page: str) -> list[Thread]:
        """All threads of a page."""
        return [thread for (owner, _), thread in self._threads.items() if owner == page]

    def by_id(self, page: str, thread_id: str) -> Thread | None:
        """The page's thread of this id."""
        thread = self._by_id.get(thread_id)
        return thread if thread is not None and thread.page == page else None

    def by_message(self, page: str, message_id: str) -> Thread | None:
        """The page's thread that holds this message."""
        thread = self._by_message.get(message_id)
        return thread if thread is not None and thread.page == page else None

    def open(self, page: str, person: str) -> Thread:
        """The thread of a page and a person, a new one if there is none yet."""
        thread = self._threads.get((page, person))
        if thread is None:
            digest = hashlib.sha256(f"{page}/{person}".encode("utf-8", "surrogatepass")).digest()
            thread = Thread(f"t_{10**15 + int.from_bytes(digest[:6], 'big')}", page, person)
            self._threads[page, person] = self._by_id[thread.id] = thread
        return thread

    def add(self, page: str, person: str, message: Message) -> Thread:
        """Put a message at the end of its thread; the person's own opens the window."""
        thread = self.open(page, person)
        thread.messages.append(message)
        self._by_message[message.id] = thread
        if not message.from_page:
            thread.inbound_at = message.created_at
        return thread
