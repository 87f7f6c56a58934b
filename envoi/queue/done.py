"""Done: what became of an attempt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from envoi.events import CallRecord, GraphError, dump_calls, dump_error
from envoi.queue.claim import Claimed
from envoi.queue.lifetimes import times_to_live
from envoi.queue.refusal import Refusal
from envoi.settings import Settings
from envoi.states import State


@dataclass(slots=True)  # not frozen: that takes three times as long to make
class Done:
    """What became of an attempt; done.lua says what each op means.

    Attributes:
        seconds: the wait of ``retry``, ``unsure`` or ``back``.
        state: the final state of ``settle``.
        typed_at: with ``back``, since when the typing bubble shows, seconds since the epoch; None: it does not.
        answered: with ``keep`` or ``retry``, Graph itself said that the call failed: a look comes before the next.
        refusal: with ``settle``, why later jobs to this person are refused for ``refusal_ttl``.
    """

    script: ClassVar[str] = "done"
    held: Claimed
    op: Literal["keep", "settle", "retry", "unsure", "back"]
    calls: list[CallRecord]
    state: State | None = None
    message_id: str | None = None
    recipient_id: str | None = None
    error: GraphError | None = None
    seconds: float = 0.0
    typed_at: float | None = None
    refusal: Refusal | None = None
    answered: bool = False

    def args(self, settings: Settings) -> list[str | int | float]:
        """The script's arguments."""
        return [
            self.held.conversation,
            self.held.fence,
            self.held.job_id,
            self.op,
            self.message_id or "",
            self.recipient_id or "",
            dump_error(self.error),
            dump_calls(self.calls),
            self.seconds,
            self.state or ("answered" if self.answered else ""),
            self.held.attempt,
            settings.lease,
            "" if self.typed_at is None else f"{self.typed_at:.6f}",
            self.refusal.dump() if self.refusal else "",
            max(1, round(settings.refusal_ttl)),
            "r" if self.held.lane == "replies" else "b",
            self.held.key_digest or "-",
            self.held.options,
            *times_to_live(settings),
        ]

    def parse(self, reply: str) -> str:
        """Read the script's answer: ``ok``, or what a stale holder's fact came to."""
        return reply
