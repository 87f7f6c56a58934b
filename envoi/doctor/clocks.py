"""The clock of a server, compared with this host's over a round trip."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from envoi.doctor.finding import Finding, graded

_APART = (2.0, 60.0)  # seconds between two clocks: an operator should know; calls and times go wrong


class Trip(NamedTuple):
    """A round trip to a server. The least of several tells the time best: it is the shortest.

    Attributes:
        took: seconds.
        ahead: seconds by which the clock there is ahead of this host's.
    """

    took: float
    ahead: float


def trip(ask: Callable[[], float]) -> Trip:
    """Make one.

    Args:
        ask: asks the server for its time, seconds since the epoch.
    """
    began, clock = time.perf_counter(), time.time()
    there = ask()
    took = time.perf_counter() - began
    return Trip(took, there - (clock + took / 2))


def agreement(whose: str, ahead: float, why: str) -> Finding:
    """Whether a server and this host agree on the time.

    Args:
        whose: the clock there.
        ahead: seconds by which it is ahead.
        why: what depends on it.
    """
    text = f"the clock of {whose} is {abs(ahead):.2f} s {'ahead of' if ahead > 0 else 'behind'} this host's"
    return graded(abs(ahead), _APART, text, f"let NTP set both clocks: {why}")
