"""The typing bubble of a job: when it was put up, whether it may still show, how long it is to show first.

The queue keeps one time for it: when typing began. ``typing_on`` is repeated every 15 s from then, so the rest can be
reckoned by whoever goes on with the job.
"""

from __future__ import annotations

import math
from typing import Any

TYPING_FRESH = 15.0  # seconds after which typing_on is repeated (SEND_API 10: so does courier)
TYPING_LIFE = 20.0  # seconds after which the bubble ends by itself (SEND_API 10)
BLINK = 0.3  # seconds of typing that a slot waits for

AUTO_LEAST = 0.5  # seconds for the shortest text, with typing="auto"
AUTO_CHARACTER = 0.03  # seconds more for each character: a quick typist
AUTO_MOST = 10.0  # seconds: nobody likes to wait longer for a bot

_SOON = 0.001  # seconds: no pause is shorter, so no rounding of the clock makes an endless row of waits


def pause_of(job: dict[str, Any]) -> float | None:
    """Seconds that the bubble is to show before the message; None: no typing at all.

    Only a recipient given by ``id`` can be shown one (SEND_API 10).
    """
    typing = job.get("typing", False)  # an action has none
    if typing is False or "id" not in job["recipient"]:
        return None
    if typing is True:
        return 0.0
    if typing == "auto":
        return min(AUTO_MOST, AUTO_LEAST + AUTO_CHARACTER * len(job["message"].get("text") or ""))
    return float(typing)


class Bubble:
    """Times are seconds since the epoch.

    Args:
        pause: as of :func:`pause_of`.
        since: when typing began, as the queue knows it.
    """

    def __init__(self, pause: float | None, since: float | None) -> None:
        self.since = since if pause is not None else None
        self._pause = pause or 0.0
        self._wanted = pause is not None
        self._made: float | None = None  # the last typing_on, where we made it

    def due(self, now: float) -> bool:
        """Whether typing_on is to be made now: it never was, or it is getting old."""
        if not self._wanted or self.since is None:
            return self._wanted
        if self._made is None and 0 <= now - self.since < self._pause:
            return True  # we come back in the middle of the pause, which is when it has to be repeated
        return self._repeat_in(now) <= 0

    def put_up(self, now: float) -> None:
        """typing_on was made, or may have been."""
        if self.since is None or now - self.since >= self._pause:
            self.since = now if self.since is None else now - self._pause  # a pause that is over stays so
        self._made = now

    def put_down(self) -> None:
        """It shows no more, or never did: nothing is waited for either."""
        self.since = self._made = None
        self._pause = 0.0

    def rest(self, now: float) -> float:
        """Seconds until there is something to do: to go on with the message (0) or to repeat typing_on."""
        if self.since is None:
            return 0.0
        left = self._pause - max(0.0, now - self.since)  # another worker's clock may be ahead of ours
        return min(left, max(_SOON, self._repeat_in(now))) if left > _SOON else 0.0

    def shows(self, now: float) -> bool:
        """Whether the person may still see it."""
        return self.since is not None and self._repeat_in(now) > TYPING_FRESH - TYPING_LIFE

    def _repeat_in(self, now: float) -> float:
        return self._last(now) + TYPING_FRESH - now

    def _last(self, now: float) -> float:
        """When typing_on was last made: by us, or as those before us must have made it."""
        if self._made is not None:
            return self._made
        since = now if self.since is None else self.since
        repeated = math.ceil(min(now - since, self._pause) / TYPING_FRESH) - 1
        return since + TYPING_FRESH * max(0, repeated)
