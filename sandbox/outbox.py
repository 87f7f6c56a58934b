"""Webhooks on their way: sent by tasks of their own, so that no call waits for one, again until they are taken."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from sandbox.subscription import Subscription
from sandbox.webhook_events import signature
from sandbox.webhook_post import Caller, NoAnswer

SENDERS = 8  # connections at a time; none waits for another
RECORDED = 100_000  # webhooks that are remembered
UNSUBSCRIBED_AFTER_SECONDS = 3600.0  # SEND_API 6: "unsubscribes the app after 1 h of failures"
_TAKEN = range(200, 300)


class Fate(StrEnum):
    """What became of a webhook."""

    WAITING = "waiting"  # for its time, or for a further attempt
    TAKEN = "taken"  # answered with 2xx
    LOST = "lost"  # no attempt is left
    DROPPED = "dropped"  # never sent, to order


@dataclass(slots=True, eq=False)
class Webhook:
    """One webhook, and what became of it.

    Attributes:
        number: counted from 1.
        page: id of the page.
        kind: ``message_echoes``, ``messages`` … as apps subscribe to them.
        body: what is signed and sent.
        fate: what became of it.
        attempts: each with ``at`` (Unix seconds) and ``status``, or ``problem`` where there was no answer.
        tried: set once there was an attempt, or none will be made.
    """

    number: int
    page: str
    kind: str
    body: bytes
    fate: Fate = Fate.WAITING
    attempts: list[dict[str, object]] = field(default_factory=list)
    tried: asyncio.Event = field(default_factory=asyncio.Event)

    def as_json(self) -> dict[str, object]:
        """The webhook for a JSON answer."""
        shown: dict[str, object] = {name: getattr(self, name) for name in ("number", "page", "kind", "attempts")}
        return shown | {"fate": self.fate.value, "body": self.body.decode("ascii")}


def _nobody(webhook: Webhook) -> None:
    """Take no notice."""


class Outbox:
    """The webhooks of one subscription.

    Attributes:
        record: the last of them, in the order of their making.
        subscribed: False once the address has failed for an hour.
    """

    def __init__(
        self,
        subscription: Subscription,
        app_secret: str,
        now: Callable[[], float],
        first: int = 1,
        watch: Callable[[Webhook], None] = _nobody,
    ) -> None:
        self.record: deque[Webhook] = deque(maxlen=RECORDED)
        self.subscribed = True
        self._watch = watch
        self._subscription = subscription
        self._app_secret = app_secret
        self._now = now
        self._number = first
        self._failing_since: float | None = None
        self._due: asyncio.Queue[Webhook] = asyncio.Queue()
        self._timers: set[asyncio.TimerHandle] = set()
        self._senders: list[asyncio.Task[None]] = []

    @property
    def next_number(self) -> int:
        """The number of the next webhook."""
        return self._number

    def put(self, page: str, kind: str, body: bytes, delay_seconds: float = 0.0, *, dropped: bool = False) -> Webhook:
        """Send a webhook later, or drop it."""
        webhook = Webhook(self._number, page, kind, body)
        self._number += 1
        self.record.append(webhook)
        self._watch(webhook)
        if dropped:
            self._end(webhook, Fate.DROPPED)
        else:
            self._send_after(delay_seconds, webhook)
        return webhook

    def close(self) -> None:
        """Send no more."""
        for timer in self._timers:
            timer.cancel()
        for sender in self._senders:
            sender.cancel()
        for webhook in self.record:
            webhook.tried.set()

    def _send_after(self, seconds: float, webhook: Webhook) -> None:
        if seconds <= 0:
            self._send(webhook)
            return

        def due() -> None:
            self._timers.discard(timer)
            self._send(webhook)

        timer = asyncio.get_running_loop().call_later(seconds, due)
        self._timers.add(timer)

    def _send(self, webhook: Webhook) -> None:
        self._due.put_nowait(webhook)
        if len(self._senders) < SENDERS:
            self._senders.append(asyncio.get_running_loop().create_task(self._work()))

    async def _work(self) -> None:
        caller = Caller(self._subscription.url or "")
        try:
            while True:
                await self._attempt(caller, await self._due.get())
        finally:
            caller.close()

    async def _attempt(self, caller: Caller, webhook: Webhook) -> None:
        if not self.subscribed:
            self._end(webhook, Fate.LOST)
            return
        headers = {
            "User-Agent": "facebookexternalua",
            "Accept": "*/*",
            "Content-Type": "application/json",
            "X-Hub-Signature-256": signature(self._app_secret, webhook.body),
        }
        attempt: dict[str, object] = {"at": self._now()}
        webhook.attempts.append(attempt)
        try:
            answered = await caller.call("POST", headers, webhook.body, self._subscription.answer_seconds)
        except NoAnswer as error:
            attempt["problem"] = str(error)
            self._failed(webhook)
            return
        attempt["status"] = answered.status
        if answered.status in _TAKEN:
            self._failing_since = None
            self._end(webhook, Fate.TAKEN)
        else:
            self._failed(webhook)

    def _failed(self, webhook: Webhook) -> None:
        now = self._now()
        if self._failing_since is None:
            self._failing_since = now
        self.subscribed = now - self._failing_since < UNSUBSCRIBED_AFTER_SECONDS
        waits = self._subscription.retry_seconds
        if not self.subscribed or len(webhook.attempts) > len(waits):
            self._end(webhook, Fate.LOST)
            return
        webhook.tried.set()
        self._watch(webhook)
        self._send_after(waits[len(webhook.attempts) - 1], webhook)

    def _end(self, webhook: Webhook, fate: Fate) -> None:
        webhook.fate = fate
        webhook.tried.set()
        self._watch(webhook)
