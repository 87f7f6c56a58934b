"""How a sandbox was started."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sandbox.latency import Latency
from sandbox.pages import Page


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """How the sandbox was started, and what a reset goes back to.

    Attributes:
        pages: each page with a token of it.
        latency: of all steps.
        seed: of everything drawn by lot.
        app_secret: key of ``appsecret_proof`` for pages that bring none of their own.
    """

    pages: Sequence[tuple[Page, str]] = field(default=(), repr=False)
    latency: Latency = field(default_factory=Latency)
    seed: int = 0
    app_secret: str | None = field(default=None, repr=False)
