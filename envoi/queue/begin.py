"""Begin: the last question before a message call, and its answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from envoi.events import CallRecord, dump_calls
from envoi.pace import classes_of
from envoi.queue.claim import Claimed
from envoi.queue.lifetimes import times_to_live
from envoi.settings import Settings
from envoi.window import window_rule


@dataclass(slots=True)  # not frozen: that takes three times as long to make
class Go:
    """The message call is marked as in flight: make it, after ``wait`` seconds.

    Attributes:
        slot: when that is, by Redis's clock, seconds since the epoch.
    """

    wait: float
    slot: float | None = None


@dataclass(frozen=True, slots=True)
class AlreadySent:
    """A fact was faster: the message was sent, with this id. Make no message call."""

    message_id: str


@dataclass(frozen=True, slots=True)
class No:
    """No message call now.

    Why: ``cancelled``, ``expired``, ``opted_out``, ``window``, ``held``, ``paused``, ``gate``; ``pace``, with seconds.

    ``gate``: Redis has restarted and the queue is not open yet. Best asked again in a moment, with the lease renewed; a
    job that is given back instead is in doubt if another worker stays away.
    """

    why: str
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Stale:
    """The lease ran out and the conversation is no longer ours. Do nothing more for it."""


BeginAnswer = Go | AlreadySent | No | Stale


@dataclass(slots=True)  # not frozen: that takes three times as long to make
class Begin:
    """The last question before a message call; marks it as in flight.

    Attributes:
        typed_at: when typing_on was made, seconds since the epoch; None if it was not.
        patience: the longest wait for the page's pace that the caller will sit through, seconds.
        settle_wait: how long absence proves nothing after this call, should it not be answered, seconds (its G, and V).
            None: whatever it carries.
        late: it was let go, and came too late to its slot: another one is taken.
        renew: the lease is to run anew; else it runs on from the claim, or from when it was renewed since.
    """

    script: ClassVar[str] = "begin"
    held: Claimed
    typed_at: float | None
    calls: list[CallRecord]
    patience: float = 0.2
    settle_wait: float | None = None
    late: bool = False
    renew: bool = True

    def args(self, settings: Settings) -> list[str | int | float]:
        """The script's arguments."""
        return [
            self.held.conversation,
            self.held.fence,
            self.held.job_id,
            settings.lease if self.renew else "",
            settings.limits,
            f"{self.held.expires:.6f}",
            "" if self.typed_at is None else f"{self.typed_at:.6f}",
            dump_calls(self.calls),
            self.patience,
            self.settle_wait or settings.settle_wait,
            (window_rule(self.held.job) if settings.window == "enforce" else None) or "",
            classes_of(self.held.job),
            int(self.late),
            int(bool(self.held.job.get("ignore_opt_out"))),
        ]

    def parse(self, reply: Sequence[str]) -> BeginAnswer:
        """Read the script's answer."""
        if reply[0] == "go":
            return Go(*map(float, reply[1:]))
        if reply[0] == "sent":
            return AlreadySent(reply[1])
        if reply[0] == "no":
            return No(reply[1], float(reply[2]) if len(reply) > 2 else 0.0)  # noqa: PLR2004  # only pace has a third
        return Stale()


@dataclass(frozen=True, slots=True)
class Begun:
    """The calls that were told with a begin, told again to a Redis that may have lost them."""

    script: ClassVar[str] = "begun"
    held: Claimed
    calls: list[CallRecord]

    def args(self, settings: Settings) -> list[str | int | float]:
        """The script's arguments."""
        held, calls = self.held, dump_calls(self.calls)
        names = (held.conversation, held.fence, held.job_id, held.attempt)
        return [*names, settings.lease, calls, *times_to_live(settings)]

    def parse(self, reply: int) -> bool:
        """Read the script's answer: whether they had been lost."""
        return reply == 1
