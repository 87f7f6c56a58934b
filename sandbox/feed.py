"""What has changed since a spectator last looked, for pages that show the sandbox live.

Only *what* changed is kept, never how: whoever looks is shown the present state of it. So a burst of changes costs a
spectator one look, one that reads slowly misses nothing that still matters, and nothing here grows without bound.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from sandbox.ledger import Entry
from sandbox.outbox import Webhook

MOST_SPECTATORS = 32
# Of more changes than this between two looks, a spectator is shown the whole anew.
MOST_CHANGES = 300


@dataclass(slots=True)
class Changes:
    """What changed.

    Attributes:
        whole: everything may have; the rest says nothing then.
        calls: entries of the ledger, by number.
        webhooks: by number.
        chats: (page id, person) of those that changed.
        settings: rules, pages, latency, switches, the clock, or where webhooks go.
    """

    whole: bool = False
    calls: dict[int, Entry] = field(default_factory=dict)
    webhooks: dict[int, Webhook] = field(default_factory=dict)
    chats: dict[tuple[str, str], None] = field(default_factory=dict)
    settings: bool = False

    def bound(self) -> None:
        """Take a great many changes for a change of everything."""
        kinds: tuple[dict[Any, Any], ...] = (self.calls, self.webhooks, self.chats)
        if any(len(changed) > MOST_CHANGES for changed in kinds):
            self.whole = True
            for changed in kinds:
                changed.clear()


class Spectator:
    """One who watches; ``Feed.join`` makes it, ``Feed.leave`` ends it."""

    def __init__(self) -> None:
        self._changes = Changes(whole=True)
        self._stirred = asyncio.Event()
        self._stirred.set()

    def note(self) -> Changes:
        """The changes, to add to."""
        self._stirred.set()
        return self._changes

    def take(self) -> Changes:
        """What changed since the last time; at first everything."""
        taken, self._changes = self._changes, Changes()
        self._stirred.clear()
        return taken

    async def stirred(self, timeout_seconds: float) -> bool:
        """Wait for a change; False once the time is up."""
        if self._stirred.is_set():
            return True
        try:
            await asyncio.wait_for(self._stirred.wait(), timeout_seconds)
        except TimeoutError:
            return False
        return True


class Feed:
    """Who watches. Without spectators, telling it something costs next to nothing.

    Attributes:
        closed: the sandbox ends, and so should those who watch.
    """

    def __init__(self) -> None:
        self.closed = False
        self._spectators: set[Spectator] = set()

    def join(self) -> Spectator | None:
        """Watch from now on; None where too many do."""
        if len(self._spectators) >= MOST_SPECTATORS:
            return None
        spectator = Spectator()
        self._spectators.add(spectator)
        return spectator

    def leave(self, spectator: Spectator) -> None:
        """Watch no longer."""
        self._spectators.discard(spectator)

    def call(self, entry: Entry) -> None:
        """Something became known of a call."""
        for spectator in self._spectators:
            changes = spectator.note()
            if not changes.whole:
                changes.calls[entry.number] = entry
                changes.settings |= entry.rule is not None  # a rule's hits are among them
                changes.bound()

    def webhook(self, webhook: Webhook) -> None:
        """A webhook was made, tried or ended."""
        for spectator in self._spectators:
            changes = spectator.note()
            if not changes.whole:
                changes.webhooks[webhook.number] = webhook
                changes.bound()

    def chat(self, page: str, person: str | None) -> None:
        """Something happened between a page and a person."""
        for spectator in self._spectators:
            changes = spectator.note()
            if not changes.whole and person is not None:
                changes.chats[page, person] = None
                changes.bound()

    def settings(self) -> None:
        """Somebody told the control interface something."""
        for spectator in self._spectators:
            spectator.note().settings = True

    def everything(self) -> None:
        """The sandbox was reset, or its clock put forward."""
        for spectator in self._spectators:
            spectator.note().whole = True

    def close(self) -> None:
        """Send everybody away."""
        self.closed = True
        self.everything()
