"""What a worker asks of the queue for the one look before it calls again after an answered error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from envoi.settings import Settings

_BOOKED_OUT = 60.0  # seconds: where a page's looks are booked out so far, the next attempt goes on without


@dataclass(frozen=True, slots=True)
class MayLook:
    """Look into the conversation, after ``wait`` seconds.

    Attributes:
        asked_at: the time by Redis's clock, seconds since the epoch.
        known: ids of messages in the thread that are not ours in doubt, and when we learned of each, as ``asked_at``.
    """

    wait: float
    asked_at: float
    known: dict[str, float]


@dataclass(frozen=True, slots=True)
class LookIn:
    """The page's looks are used up for the next so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class NoLook:
    """No look can be had."""


GlanceAnswer = MayLook | LookIn | NoLook


@dataclass(frozen=True, slots=True)
class Glance:
    """May the conversation be looked into now? Charged to the page's budget of looks.

    Attributes:
        fence: of the lease it is held under.
        patience: the longest wait for that budget that the caller will sit through, seconds.
    """

    script: ClassVar[str] = "glance"
    conversation: str
    fence: str
    patience: float = 0.2

    def args(self, settings: Settings) -> list[str | int | float]:
        """The script's arguments."""
        return [self.conversation, self.fence, 1 / settings.looks_pace, self.patience, _BOOKED_OUT]

    def parse(self, reply: Sequence[str]) -> GlanceAnswer:
        """Read the script's answer."""
        if reply[0] == "go":
            return MayLook(float(reply[1]), float(reply[2]), known_of(reply[3:]))
        return LookIn(float(reply[1])) if reply[0] == "wait" else NoLook()


@dataclass(frozen=True, slots=True)
class SkipLooks:
    """A look could not be had: the page is ``blind`` (nobody may look into it), or throttled (``later``).

    Attributes:
        seconds: how long a throttle lasts; with ``blind`` a setting says it.
    """

    script: ClassVar[str] = "nolook"
    conversation: str
    why: Literal["blind", "later"]
    seconds: float = 0.0

    def args(self, settings: Settings) -> list[str | int | float]:
        """The script's arguments."""
        return [self.conversation, self.why, settings.look_blind if self.why == "blind" else self.seconds]

    def parse(self, reply: str) -> bool:
        """Read the script's answer."""
        return reply == "ok"


def known_of(entries: Sequence[str]) -> dict[str, float]:
    """The known messages of a thread, as mids.lua keeps them: when we learned of each, seconds since the epoch."""
    pairs = [entry.split(" ", 1) for entry in entries]
    return {mid: float(at) for at, mid in pairs}
