"""The simple model that the queue is held against: who was called when, what is known of it, who holds what."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Literal

from envoi.events import CallRecord
from envoi.queue.claim import Claimed
from envoi.queue.done import Done

Answer = Literal["accepted", "not sent", "silence, delivered", "silence, lost"]


@dataclass
class Call:
    """One message call, as Graph saw it."""

    job_id: str
    conversation: str
    fence: str
    started: float
    answer: Answer
    answered: bool = False  # its worker has read the answer
    over: bool = False  # it has landed: somebody has seen the message
    not_sent: bool = False  # known to everybody: never delivered, and never will be

    @property
    def delivered(self) -> bool:
        return self.answer in {"accepted", "silence, delivered"}


@dataclass
class Hold:
    """What a worker holds, or held a moment ago."""

    held: Claimed
    granted: float
    marked: bool = False
    call: Call | None = None
    typing: list[CallRecord] = field(default_factory=list)
    dones: list[Done] = field(default_factory=list)
    ended: float | None = None


@dataclass
class Hand:
    """A worker process."""

    name: str
    holds: list[Hold] = field(default_factory=list)
    recent: list[Hold] = field(default_factory=list)
    told_run: str = "run0"
    claims: int = 0


class Graph:
    """Takes message calls and knows what must never happen.

    Args:
        longest: seconds after which a call without an answer has surely landed or never will.
    """

    def __init__(self, longest: float) -> None:
        self.longest = longest
        self.calls: list[Call] = []
        self.order: dict[str, list[str]] = defaultdict(list)  # job ids of a conversation as they entered its line
        self.cancelled: set[str] = set()
        self.wished: set[str] = set()  # while they were held: they leave their lines when their holders let go

    def entered(self, conversation: str, ids: list[str]) -> None:
        """See a line: ids not seen before have entered it in this order."""
        seen = self.order[conversation]
        for job_id in self.wished.intersection(seen):
            seen.remove(job_id)
        for place, job_id in enumerate(ids):
            if job_id in self.wished and place:
                seen.insert(seen.index(ids[place - 1]) + 1, job_id)
            elif job_id in self.wished:
                later = [other for other in ids[1:] if other in seen]
                seen.insert(seen.index(later[0]) if later else len(seen), job_id)
            elif job_id not in seen:
                seen.append(job_id)

    def left(self, job_id: str) -> None:
        """A job has left its line: it may enter it again, behind others."""
        for order in self.order.values():
            if job_id in order:
                order.remove(job_id)

    def of(self, job_id: str) -> list[Call]:
        return [call for call in self.calls if call.job_id == job_id]

    def start(self, call: Call) -> None:
        """A call starts: the moment of truth."""
        earlier = [other for other in self.calls if other.conversation == call.conversation]
        for other in earlier:
            over = other.answered or other.over or other.not_sent or call.started >= other.started + self.longest
            assert over, f"two live calls of one conversation: {other} and {call}"
            if other.job_id == call.job_id:
                assert other.not_sent, f"repeated without a proof that it was not sent: {other} and {call}"
        order = self.order[call.conversation]
        behind = order[order.index(call.job_id) + 1 :]
        assert not [other for other in earlier if other.job_id in behind], f"out of order: {call}"
        assert call.job_id not in self.cancelled, f"called after it was cancelled: {call}"
        self.calls.append(call)
