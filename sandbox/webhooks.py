"""Which webhooks there are of what happens (SEND_API 7)."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping

from sandbox.outbox import Outbox, Webhook
from sandbox.pages import Page, Platform
from sandbox.subscription import Echoes, Subscription
from sandbox.threads import Message
from sandbox.webhook_events import Event, delivery, echo, envelope, from_person, inbound, read

ECHOES, MESSAGES, DELIVERIES, READS = "message_echoes", "messages", "message_deliveries", "message_reads"
SEEN = "messaging_seen"  # Instagram's READS


class Webhooks:
    """The webhooks of one world: none, until an app subscribes.

    Attributes:
        subscription: what is sent where.
        outbox: what was and is to be sent; None without a subscription.
    """

    def __init__(self, now: Callable[[], float], seed: int, watch: Callable[[Webhook], None]) -> None:
        self._watch = watch
        self.subscription = Subscription()
        self.outbox: Outbox | None = None
        self._now = now
        self._draw = random.Random(f"{seed}/webhooks")  # noqa: S311  # not for secrets: the seed is there to repeat a run
        self._awaited: dict[str, asyncio.Event] = {}

    def subscribe(self, subscription: Subscription, app_secret: str) -> None:
        """Send from now on to another address, or in another way; what was not yet sent is not."""
        first = 1 if self.outbox is None else self.outbox.next_number
        self.close()
        self.subscription = subscription
        self.outbox = (
            None if subscription.url is None else Outbox(subscription, app_secret, self._now, first, self._watch)
        )

    def close(self) -> None:
        """Send no more."""
        if self.outbox is not None:
            self.outbox.close()

    def sent(self, page: Page, person: str, message: Message) -> None:
        """A message of the page took effect; of one to somebody unknown there is no webhook (SEND_API 0.6)."""
        if self.outbox is None:
            return
        if self.subscription.echo is not None:
            self._echo(self.outbox, page, person, message, self.subscription.echo)
        self._receipts(self.outbox, page, person, message)

    def wrote(self, page: Page, person: str, message: Message) -> None:
        """A person wrote."""
        self._put(page, MESSAGES, inbound(page, person, message))

    def did(self, page: Page, kind: str, person: str | None, at: float, content: Mapping[str, object]) -> None:
        """A person did something else."""
        self._put(page, kind, from_person(page, person, at, content))

    def confirmed(self, page: Page, kind: str, person: str, message_id: str | None, at: float) -> None:
        """A receipt to order, of all messages up to now or of one."""
        if kind == DELIVERIES:
            self._put(page, kind, delivery(page, person, message_id, at))
        else:
            self._put(page, _reads(page), read(page, person, message_id, at))

    def awaited(self, message_id: object) -> asyncio.Event | None:
        """What the answer to a message call has to wait for, if anything."""
        return self._awaited.pop(message_id, None) if isinstance(message_id, str) and self._awaited else None

    def _echo(self, outbox: Outbox, page: Page, person: str, message: Message, how: Echoes) -> None:
        # Instagram has its echoes inside `messages`.
        kind = MESSAGES if page.platform is Platform.INSTAGRAM else ECHOES
        body = envelope(page, echo(page, person, message), self._now(), standby=how.standby)
        dropped = self._draw.random() < how.drop
        twice = self._draw.random() < how.duplicate
        first: Webhook = outbox.put(page.id, kind, body, how.delay_seconds, dropped=dropped)
        if twice and not dropped:
            outbox.put(page.id, kind, body, how.delay_seconds)
        if how.before_answer:
            self._awaited[message.id] = first.tried

    def _receipts(self, outbox: Outbox, page: Page, person: str, message: Message) -> None:
        deliveries, reads = self.subscription.deliveries, self.subscription.reads
        if deliveries is not None and page.platform is Platform.MESSENGER:
            at = message.created_at + deliveries.delay_seconds
            event = delivery(page, person, message.id if deliveries.with_mids else None, at)
            outbox.put(page.id, DELIVERIES, envelope(page, event, at), deliveries.delay_seconds)
        if reads is not None:
            at = message.created_at + reads.delay_seconds
            body = envelope(page, read(page, person, message.id, at), at)
            outbox.put(page.id, _reads(page), body, reads.delay_seconds)

    def _put(self, page: Page, kind: str, event: Event) -> None:
        if self.outbox is not None:
            self.outbox.put(page.id, kind, envelope(page, event, self._now()))


def _reads(page: Page) -> str:
    return SEEN if page.platform is Platform.INSTAGRAM else READS
