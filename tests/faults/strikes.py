"""Strikes: what a worker of the suite does to itself, at one exact place."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

# Every write to Redis and every call of an attempt, in order: each can be struck right before it and right after it.
STEPS = ("claim", "typing_on", "begin", "message", "keep", "typing_off", "settle")
PLACES = tuple(f"{side} {step}" for step in STEPS for side in ("before", "after"))


@dataclass(frozen=True, slots=True)
class Strike:
    """One strike.

    Attributes:
        place: one of :data:`PLACES`.
        number: at the n-th time that this place is reached.
        does: ``kill`` itself by SIGKILL, ``stop`` itself by SIGSTOP, or step its ``clock``.
        seconds: that the clock is put forward by; back if negative.
    """

    place: str
    number: int = 1
    does: Literal["kill", "stop", "clock"] = "kill"
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """As a nursery is told."""
        return asdict(self)

    @classmethod
    def load(cls, found: dict[str, Any]) -> Strike:
        """Read it.

        Raises:
            ValueError: there is no such place.
        """
        strike = cls(**found)
        if strike.place not in PLACES:
            raise ValueError(f"no such place: {strike.place}")
        return strike
