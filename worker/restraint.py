"""What the usage headers ask for: that a page, or all pages of its app, hold or slow down.

The queue is told of a slowing only when it makes a noticeable difference: this process remembers what it has said, and
how far that has grown back since. So a page at 90 percent costs a command every few seconds, not one a job.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Literal

from envoi.queue.page_commands import HoldPage, SlowPage
from envoi.queue.slowing import regrown
from worker.usage import NOTHING, Quota, Usage

NOTICEABLE = 0.8  # of what is left now: what asks for more than this changes nothing

Restraint = HoldPage | SlowPage


class Restraints:
    """What this process has told the queue. Threads share it.

    Args:
        throttle_wait: seconds to hold where a quota is used up and no time is given.
        clock: monotonic seconds.
    """

    def __init__(self, throttle_wait: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._throttle_wait = throttle_wait
        self._clock = clock
        self._lock = threading.Lock()
        self._told: dict[str, tuple[float, float]] = {}  # page, or * and app: the part, and since when it grows

    def asked_by(self, usage: Usage, page: str, app: str | None) -> tuple[Restraint, ...]:
        """The restraints that one answer's headers ask for, as far as the queue need be told.

        Args:
            usage: of one answer.
            page: whose call it answers.
            app: the page's app; None: that of pages that name none.
        """
        if usage is NOTHING:
            return ()
        quotas: tuple[tuple[Literal["app", "page"], str, Quota], ...]
        quotas = (("app", f"*{app or ''}", usage.app), ("page", page, usage.page))
        found: list[Restraint] = []
        for scope, whose, quota in quotas:
            seconds = quota.hold(self._throttle_wait)
            if seconds > 0:
                found.append(HoldPage(page, seconds, scope))
            elif quota.part < 1 and self._tells(whose, quota):
                found.append(SlowPage(page, quota.part, scope))
        return tuple(found)

    def _tells(self, whose: str, quota: Quota) -> bool:
        """Whether that is news enough; then it is noted as told."""
        now = self._clock()
        with self._lock:
            part, since = self._told.get(whose, (1.0, now))
            if quota.part > NOTICEABLE * regrown(part, now - since):
                return False
            self._told[whose] = (quota.part, now)
            return True


def stronger(one: Restraint | None, other: Restraint) -> Restraint:
    """Of two restraints of one scope the one that holds back more."""
    match one, other:
        case None, _:
            return other
        case HoldPage(), HoldPage():
            return one if one.seconds >= other.seconds else other
        case SlowPage(), SlowPage():
            return one if one.part <= other.part else other
        case _:
            return one if isinstance(one, HoldPage) else other
