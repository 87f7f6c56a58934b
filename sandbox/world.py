"""All that the sandbox knows between two resets."""

from __future__ import annotations

import random

from sandbox.call import MESSAGE, Call
from sandbox.clock import Clock
from sandbox.conversations import Conversations
from sandbox.errors import Refused
from sandbox.feed import Feed
from sandbox.ledger import Entry, Ledger
from sandbox.limits import NO_LIMITS, Quotas
from sandbox.media import SavedMedia, fetched_by
from sandbox.pages import Page, Pages
from sandbox.recipient import recipient_id_of
from sandbox.rules import Rules
from sandbox.sent_message import hidden_key, new_message_id, sent_message
from sandbox.start import Start
from sandbox.switches import Switches
from sandbox.threads import Message, Thread, Threads
from sandbox.throttle import Rate
from sandbox.usage import Usage
from sandbox.validation import refusal_of
from sandbox.waits import Waits
from sandbox.webhooks import Webhooks
from sandbox.window import check_window


class World:
    """Pages, conversations, rules, settings and the ledger."""

    def __init__(self, start: Start, feed: Feed | None = None) -> None:
        self.feed = Feed() if feed is None else feed
        self.clock = Clock()
        self.pages = Pages()
        self.ledger = Ledger(self.feed.call)
        self.rules = Rules(start.seed)
        self.conversations = Conversations()
        self.threads = Threads()
        # What people see whom no thread of Graph's leads to; each is known by the recipient's kind and value.
        self.hidden = Threads()
        self.names: dict[tuple[str, str], str] = {}
        self._looks: dict[str, Rate] = {}
        self.media = SavedMedia()
        self.latency = start.latency
        self.usage = Usage()
        self.limits = NO_LIMITS
        self.quotas = Quotas()
        self.switches = Switches()
        self.webhooks = Webhooks(self.clock.now, start.seed, self.feed.webhook)
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
        message_id = new_message_id() if call.step == MESSAGE else None
        self.conversations.deliver(page.id, call, message_id, now)
        entry.fetched = fetched_by(call)
        self.ledger.commit(entry, now, message_id)
        attachment_id = self.media.save(page.id, call, now)
        person = recipient_id_of(call)
        if message_id is not None:
            message = sent_message(message_id, now, call)
            if person is None:
                self.hidden.add(page.id, hidden_key(call), message)
            else:
                self.threads.add(page.id, person, message)
                self.webhooks.sent(page, person, message)
        elif person is not None:
            self._react(page, person, call)
        self.feed.chat(page.id, hidden_key(call) if person is None else person)
        fields = {
            "recipient_id": person,
            "message_id": message_id,
            "attachment_id": attachment_id,
        }
        return {name: value for name, value in fields.items() if value is not None}

    def write(self, page: Page, person: str, message: Message) -> Thread:
        """Let a message arrive that no call brought."""
        thread = self.threads.add(page.id, person, message)
        (self.webhooks.sent if message.from_page else self.webhooks.wrote)(page, person, message)
        self.webhooks.awaited(message.id)  # no call waits for this one
        self.feed.chat(page.id, person)
        return thread

    def throttled(self, page: Page, call: Call) -> Refused | None:
        """What the limits say to a call; asked once for each."""
        if self.limits is not NO_LIMITS:
            try:
                self.quotas.check(self.limits, page, call, self.clock.now())
            except Refused as refused:
                return refused
        return None

    def usage_headers(self, page: Page | None) -> list[tuple[bytes, bytes]]:
        """The usage headers for an answer to a page's request: as set, or as far as the limits are used up."""
        if self.limits is NO_LIMITS:
            return self.usage.headers(page)
        now = self.clock.now()
        ramped = self.usage.at_least_app(self.quotas.app_percent(self.limits, now))
        if page is not None:
            ramped = ramped.at_least_page(page.id, *self.quotas.page_percent(self.limits, page, now))
        return ramped.headers(page)

    def may_look(self, page: Page, *, everyone: bool) -> bool:
        """Count a read of a page's conversations, unless it is one too many in this second.

        Args:
            page: whose they are.
            everyone: all of them are listed, which a page over the brake cannot do.
        """
        limit = self.switches.conversations_per_second
        looks = self._looks.setdefault(page.id, Rate(1.0))
        now = self.clock.now()
        if everyone and self.quotas.braked(self.limits, page, now):
            return False
        if limit is not None and looks.count(now) >= limit:
            return False
        looks.add(now)
        return True

    def _react(self, page: Page, person: str, call: Call) -> None:
        thread = self.threads.find(page.id, person)
        payload = call.parameters.get("payload")
        if call.step in ("react", "unreact") and thread is not None and isinstance(payload, dict):
            thread.react(str(payload["message_id"]), "page", str(payload["reaction"]) if call.step == "react" else None)

    def _check_state(self, call: Call, page: Page) -> None:
        self.conversations.check_open(page.id, call)
        now = self.clock.now()
        if self.switches.window == "enforce" and call.recipient_kind == "id" and call.recipient_key is not None:
            thread = self.threads.find(page.id, call.recipient_key)
            inbound_at = None if thread is None else thread.inbound_at
            check_window(call, page, inbound_at, now, self.switches)
        self.media.check(page.id, call, now)


class Sandbox:
    """One running sandbox.

    Attributes:
        world: what it knows. A reset puts a new one in its place; a request stays in the one it arrived in, so that no
            late delivery shows up in a fresh ledger.
        waits: what is waiting, in any world.
        feed: tells those who watch what changed, in any world.
    """

    def __init__(self, start: Start) -> None:
        self.start = start
        self.waits = Waits()
        self.feed = Feed()
        self.world = World(start, self.feed)

    def reset(self) -> None:
        """Forget everything since the start."""
        self.world.ledger.close()
        self.world.webhooks.close()
        self.world = World(self.start, self.feed)
        self.feed.everything()

    def release(self) -> None:
        """Let go of held connections and of those who wait for the ledger, or watch."""
        self.feed.close()
        self.world.ledger.close()
        self.world.webhooks.close()
        self.waits.release()
