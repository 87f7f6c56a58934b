"""Strikes: what a worker of the suite does to itself, at one exact place.

The hook is nowhere in the product. A test's own launcher (striking_worker.py) puts it around the queue's trips and the
calls' bytes, and only that launcher reads the variable.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Literal

VARIABLE = "FAULTS_STRIKE"

# Every write to Redis and every call of an attempt, in order: each is struck right before it and right after it.
WRITES = ("claim", "begin", "keep", "settle")
CALLS = ("typing_on", "message", "typing_off")
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

    def environment(self) -> dict[str, str]:
        """The variable that a striking worker reads."""
        return {VARIABLE: json.dumps(asdict(self))}

    @classmethod
    def load(cls, text: str) -> Strike:
        """Read it.

        Raises:
            ValueError: there is no such place.
        """
        strike = cls(**json.loads(text))
        if strike.place not in PLACES:
            raise ValueError(f"no such place: {strike.place}")
        return strike
