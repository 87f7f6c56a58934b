"""The one look before the attempt that follows an answered error.

Graph said that the call had failed, which is not always true (SEND_API 4: codes 1, -1, 2 and 1200 with a Graph body).
Only finding the message is of consequence: nothing else proves that it is not on its way. It comes before the
courtesies, so that nobody sees typing for a message that is there already, or that waits for its look.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, assert_never

from envoi.queue.claim import Claimed
from envoi.queue.glances import Glance, GlanceAnswer, LookIn, MayLook, SkipLooks
from envoi.settings import Settings
from worker.asks import Ask, Look, Wait
from worker.evidence import Evidence, Found, doubt_of, weigh
from worker.looks import Blind, Busy, Dead, Looked, Missed, Seen


class Precaution:
    """One such look.

    Attributes:
        told: what it brought, for the log; None: none was made.
    """

    def __init__(self, held: Claimed, rules: Settings) -> None:
        self.told: str | None = None
        self._held = held
        self._rules = rules

    def look(self, begun: float) -> Generator[Ask, Any, Evidence | LookIn | None]:
        """Ask for a look, and make it if it can be had.

        Args:
            begun: when the call before was begun, by the queue's clock, seconds since the epoch.

        Returns:
            What it proves; that the page's looks are used up for a while; or nothing.
        """
        held = self._held
        if not self._rules.looks or "id" not in held.job["recipient"] or "message" not in held.job:
            return None
        answer: GlanceAnswer = yield Glance(held.conversation, held.fence)
        if not isinstance(answer, MayLook):
            return answer if isinstance(answer, LookIn) else None
        if answer.wait > 0:
            yield Wait(answer.wait)
        looked: Looked = yield Look(answer.asked_at + answer.wait)
        match looked.sight:
            case Seen(thread):
                evidence = weigh(doubt_of(held.job, begun, answer.known, absence_counts=False), thread)
                self.told = "found" if isinstance(evidence, Found) else getattr(evidence, "why", "absent")
                return evidence
            case Blind(error):
                yield SkipLooks(held.conversation, "blind")
            case Busy(error, seconds):
                yield SkipLooks(held.conversation, "later", seconds)
            case Dead(error) | Missed(error):  # a dead token is the message call's to find
                pass
            case never:
                assert_never(never)
        self.told = error.message
        return None
