"""How a page whose quota is nearly used up is slowed, and gets its pace back (SEND_API 5: "slow at 80 %", ours).

The part of its pace that a page has left is a number from ``LEAST`` to 1. What slows it says the part at that moment;
from then on it doubles in every ``DOUBLING`` seconds. So with headers that keep saying the same the pace swings a
little below what they allow, and without news it comes back by itself. After a hold (a throttle) the pace starts again
from ``LEAST`` and doubles in a sixth of what the hold took, if that is sooner. lua/pages.lua does the same sums.
"""

from __future__ import annotations

import math

DOUBLING = 10.0  # seconds
LEAST = 0.1  # of the pace: a slowed page never stands still
SLOW_AT = 80.0  # percent of a quota from which a page is slowed
STOP_AT = 95.0  # percent at which it is held


def part_at(percent: float) -> float:
    """The part of the pace that so much of a quota used up leaves: 1 up to 80 percent, falling evenly to 0.1 at 95."""
    if percent <= SLOW_AT:
        return 1.0
    used = min(1.0, (percent - SLOW_AT) / (STOP_AT - SLOW_AT))
    return max(LEAST, 1.0 - used * (1.0 - LEAST))


def regrown(part: float, seconds: float, doubling: float = DOUBLING) -> float:
    """What has become of the part that was left, after so many seconds, in each ``doubling`` of which it doubles."""
    doublings = min(64.0, max(0.0, seconds) / doubling)  # more than enough; 2.0 ** 1024 would overflow
    return min(1.0, max(LEAST, part * math.exp2(doublings)))
