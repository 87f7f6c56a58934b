"""The front of the waiting lists: the conversations that may have been claimed after the log's last word.

Workers claim from the front of a page's waiting lists, no faster than its pace and no more at once than its cap. So of
what the log holds as waiting, only so many conversations can have been begun in the moments that it does not know. A
conversation waits since the job before its head had its outcome, or since its head entered the line; where the log
cannot tell the two apart, it counts as in front if either would put it there.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from envoi.queue.keys import conversation_of
from envoi.recovery.heads import Head
from envoi.settings import Settings
from envoi.states import State

_PATIENCE = 0.2  # seconds that a begin may wait for its slot


@dataclass(frozen=True, slots=True)
class Reach:
    """How far workers may have come on one page.

    Attributes:
        calls: message calls that may have begun.
        conversations: of each waiting list, that may have been claimed.
    """

    calls: int
    conversations: int


def reach(
    lost: float, settings: Settings, pace: float | None = None, cap: int | None = None, *, instagram: bool = False
) -> Reach:
    """How far workers may have come in ``lost`` seconds on a page with this pace and cap (None: the defaults)."""
    if lost <= 0:
        return Reach(0, 0)
    default = settings.instagram_pace if instagram else settings.page_pace
    calls = math.ceil(max(default, pace or 0.0) * (lost + _PATIENCE)) + 1
    return Reach(calls, calls + (cap or settings.page_cap))


@dataclass(slots=True)
class _List:
    """One waiting list: of the conversations met so far, those that may be in front."""

    size: int
    latest: list[float] = field(default_factory=list)  # a heap of the `size` earliest times, negated
    near: dict[str, float] = field(default_factory=dict)

    @property
    def end(self) -> float:
        """No conversation that has waited since a later time is in front."""
        return -self.latest[0] if len(self.latest) == self.size else math.inf

    def meet(self, conversation: str, earliest: float, latest: float) -> None:
        """A conversation that has waited since some time between the two."""
        if not self.size:
            return
        if len(self.latest) < self.size:
            heapq.heappush(self.latest, -latest)
        elif latest < self.end:
            heapq.heapreplace(self.latest, -latest)
        if earliest <= self.end:
            self.near[conversation] = earliest
        if len(self.near) > 4 * self.size:
            self.near = self.front()

    def front(self) -> dict[str, float]:
        """Those that may be in front."""
        return {name: since for name, since in self.near.items() if since <= self.end}


def in_front(
    heads: Iterable[Head],
    horizon: datetime,
    reaches: Mapping[str, Reach],
    default: Reach,
    held: Container[str] = frozenset(),
    *,
    released: bool = False,
    uncounted: Container[str] = frozenset(),
) -> set[str]:
    """The conversations whose waiting head may have been begun.

    Args:
        heads: of all lines.
        horizon: nothing was begun later.
        reaches: by page.
        default: of pages that are not among them.
        held: conversations that an operator holds: a claim passes them by, and the page is not charged.
        released: whether they may have been released since, and begun.
        uncounted: conversations of persons who have opted out, whom a claim passes by, and those that were held until
            lately, which may wait at the end: they take nobody's place in front.
    """
    lists: dict[tuple[str, str, bool], _List] = {}
    surely: set[str] = set()  # may have been begun, wherever the front ends
    for head in heads:
        if head.state in {State.SENDING, State.SETTLING}:
            continue  # in doubt anyway
        if head.state is State.RETRYING and head.due_at and head.due_at > horizon:
            continue  # its time had not come
        page = reaches.get(head.page, default)
        name = conversation_of(head.page, head.kind, head.recipient)
        if name in held:
            surely |= {name} if released else set()
            continue
        if head.state is State.QUEUED and head.attempts:
            surely.add(name)  # given back: at the very front again
            continue
        unsure = _unsure(head)
        # A reply lifts its conversation to the other list; one that left the line again is not known here.
        for lifted in (False, True) if unsure else (head.first_reply is not None,):
            waiting = lists.setdefault((head.page, _class(head), lifted), _List(page.conversations))
            earliest, latest = _since(head)
            waiting.meet(name, earliest, math.inf if unsure or _uncounted(head, name, uncounted, horizon) else latest)
    return surely.union(*(waiting.front() for waiting in lists.values()))


def _class(head: Head) -> str:
    """Private replies and media wait in lists of their own (envoi/queue/lua/pages.lua)."""
    return "p" if head.kind in {"comment_id", "post_id"} else "m" if head.media else ""


def _unsure(head: Head) -> bool:
    """Whether its conversation may have begun to wait later, or in the other list, than its jobs that are left tell."""
    if head.replanned:
        return True
    return head.moved_perhaps is not None and (head.moved is None or head.moved < head.moved_perhaps)


def _uncounted(head: Head, name: str, uncounted: Container[str], horizon: datetime) -> bool:
    """Whether it leaves room for one more in front: a claim passes it by for free, or it may not stand there."""
    return name in uncounted or (head.expires_at is not None and head.expires_at <= horizon)


def _since(head: Head) -> tuple[float, float]:
    """The earliest and the latest time, seconds, since which its conversation may have waited."""
    if head.state is State.RETRYING:  # due then; whoever moves what is due may have been away
        return _seconds(head.due_at), math.inf
    entered = max(_seconds(head.entered), -math.inf if _unsure(head) else _seconds(head.first_reply))
    return max(entered, _seconds(head.moved)), max(entered, _seconds(head.moved_perhaps))


def _seconds(moment: datetime | None) -> float:
    return -math.inf if moment is None else moment.timestamp()
