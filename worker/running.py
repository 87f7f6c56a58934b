"""An attempt on its way through the engine, and those who watch it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from envoi.queue.bell_list import Bell
from envoi.queue.claim import Claim, Claimed
from envoi.queue.commands import Command
from envoi.queue.done import Done
from envoi.queue.runner import Trip
from worker.asks import Walk
from worker.delivery import Delivery
from worker.recall import Told

log = structlog.get_logger()


class Watcher(Protocol):
    """Told of every attempt as it starts and ends, in the engine's thread: it must not block."""

    def started(self, delivery: Delivery) -> None:
        """An attempt begins."""

    def ended(self, delivery: Delivery, came_to: str, seconds: float) -> None:
        """An attempt is over: what it came to, and how long it took."""


class Watchers:
    """All who watch. What fails in one of them is logged, and stops no delivery."""

    def __init__(self, watchers: Sequence[Watcher]) -> None:
        self._watchers = watchers

    def started(self, delivery: Delivery) -> None:
        """Tell all of them."""
        for watcher in self._watchers:
            try:
                watcher.started(delivery)
            except Exception:
                log.exception("a watcher failed", action="watch", watcher=type(watcher).__name__)

    def ended(self, delivery: Delivery, came_to: str, seconds: float) -> None:
        """Tell all of them."""
        for watcher in self._watchers:
            try:
                watcher.ended(delivery, came_to, seconds)
            except Exception:
                log.exception("a watcher failed", action="watch", watcher=type(watcher).__name__)


@dataclass(slots=True)
class Running:
    """An attempt on its way.

    Attributes:
        held: what it holds.
        right_ends: monotonic seconds until which our lease lets a call start.
    """

    held: Claimed
    delivery: Delivery
    walk: Walk
    told: Told
    right_ends: float
    started: float = field(default_factory=time.monotonic)

    def may_start(self, by: float | None = None) -> bool:
        """Whether a call may start now that is to start no later than ``by``, monotonic seconds."""
        return time.monotonic() < (self.right_ends if by is None else min(self.right_ends, by))


@dataclass(slots=True)
class Wish:
    """A command that waits for the next trip, and whose it is; a claim is nobody's.

    Attributes:
        waits: whether the attempt waits for the answer.
    """

    command: Command
    running: Running | None = None
    waits: bool = True

    @property
    def ends(self) -> bool:
        """Whether it ends an attempt."""
        return isinstance(self.command, Done) and self.command.op != "keep"

    @property
    def claims(self) -> bool:
        """Whether it claims."""
        return isinstance(self.command, Claim)


@dataclass(slots=True)
class Asked:
    """Wishes that are on their way to Redis.

    Attributes:
        number: the file descriptor that can be read once there are answers; None: nothing tells.
        at: when they went, monotonic seconds.
        until: when an answer is not waited for any longer, monotonic seconds.
    """

    wishes: list[Wish]
    trip: Trip
    number: int | None
    at: float
    until: float


# What comes to the engine: an attempt and what its call came to; that the queue answers; another run of Redis, by its
# id; when the told one was seen last (monotonic seconds); or that something has changed.
News = tuple[Running, object] | Asked | Bell | str | float | None
