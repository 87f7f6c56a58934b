"""All that the sandbox knows between two resets."""

from __future__ import annotations

import random
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from sandbox.call import MESSAGE, Call
from sandbox.clock import Clock
from sandbox.conversations import Conversations
from sandbox.errors import Refused
from sandbox.latency import Latency
from sandbox.ledger import Entry, Ledger
from sandbox.media import SavedMedia
from sandbox.pages import Page, Pages
from sandbox.recipient import recipient_id_of
from sandbox.rules import Rules
from sandbox.switches import Switches
from sandbox.usage import Usage
from sandbox.validation import refusal_of
from sandbox.waits import Waits

_MESSAGE_ID_BYTES = 66  # 88 characters: SEND_API 1 has seen `m_` and about 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """How the sandbox was started, and what a reset goes back to.

    Attributes:
        pages: each page with a token of it.
        latency: of all steps.
        seed: of everything drawn by lot.
        app_secret: key of ``appsecret_proof`` for pages that bring none of their own.
    """

    pages: Sequence[tuple[Page, str]] = field(default=(), repr=False)
    latency: Latency = field(default_factory=Latency)
    seed: int = 0
    app_secret: str | None = field(default=None, repr=False)


class World:
    """Pages, conversations, rules, settings and the ledger."""

    def __init__(self, start: Start) -> None:
        self.clock = Clock()
        self.pages = Pages()
        self.ledger = Ledger()
        self.rules = Rules(start.seed)
        self.conversations = Conversations()
        self.media = SavedMedia()
        self.latency = start.latency
        self.usage = Usage()
        self.switches = Switches()
        self.draw = random.Random(start.seed)  # noqa: S311  # not for secrets: the seed is there to repeat a run
        for page, token in start.pages:
            self.pages.register(page, token)

    def refusal_of(self, call: Call, page: Page) -> Refused | None:
        """The first thing that speaks against this call now, or None."""
        refusal = refusal_of(call, page, self.switches)
        if refusal is None:
            try:
                self._check_state(call, page)
            except Refused as refused:
                return refused
        return refusal

    def commit(self, entry: Entry, call: Call, page: Page) -> dict[str, object]:
        """Let a step take effect, all in one instant.

        Returns:
            The body of the answer (SEND_API 1, Responses).

        Raises:
            Refused: something that happened since the first look speaks against it.
        """
        self._check_state(call, page)
        now = self.clock.now()
        message_id = f"m_{secrets.token_urlsafe(_MESSAGE_ID_BYTES)}" if call.step == MESSAGE else None
        self.conversations.deliver(page.id, call, message_id, now)
        self.ledger.commit(entry, now, message_id)
        attachment_id = self.media.save(page.id, call, now)
        fields = {
            "recipient_id": recipient_id_of(call),
            "message_id": message_id,
            "attachment_id": attachment_id,
        }
        return {name: value for name, value in fields.items() if value is not None}

    def _check_state(self, call: Call, page: Page) -> None:
        self.conversations.check_open(page.id, call)
        self.media.check(page.id, call, self.clock.now())


class Sandbox:
    """One running sandbox.

    Attributes:
        world: what it knows. A reset puts a new one in its place; a request stays in the one it arrived in, so that no
            late delivery shows up in a fresh ledger.
        waits: what is waiting, in any world.
    """

    def __init__(self, start: Start) -> None:
        self.start = start
        self.waits = Waits()
        self.world = World(start)

    def reset(self) -> None:
        """Forget everything since the start."""
        self.world.ledger.close()
        self.world = World(self.start)

    def release(self) -> None:
        """Let go of held connections and of those who wait for the ledger."""
        self.world.ledger.close()
        self.waits.release()
