"""How long the sandbox takes before a step takes effect."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from pydantic import ConfigDict

from sandbox.call import APART, STEPS
from sandbox.faults import Seconds


@dataclass(frozen=True, slots=True)
class Uniform:
    """A time drawn evenly between two bounds, in seconds."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    low: Seconds
    high: Seconds

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError("low must not be above high")


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Latencies in seconds, fixed or drawn.

    Attributes:
        default: for steps not named, and for requests that are refused before a step is known.
        steps: by step: ``message``, a sender action, ``read`` or ``upload``.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    default: Seconds | Uniform = 0.0
    steps: Mapping[str, Seconds | Uniform] = field(default_factory=dict)

    def __post_init__(self) -> None:
        unknown = sorted(self.steps.keys() - {*STEPS, *APART})
        if unknown:
            raise ValueError(f"no such step: {', '.join(unknown)}")

    def seconds(self, step: str | None, source: random.Random) -> float:
        """The latency of one request."""
        chosen = self.steps.get(step, self.default) if step else self.default
        return source.uniform(chosen.low, chosen.high) if isinstance(chosen, Uniform) else chosen
