"""What an answer of Graph asks of a page or its app: to be held, slowed or paused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from envoi.settings import Settings


@dataclass(frozen=True, slots=True)
class HoldPage:
    """Nothing is claimed or begun for a page, or all pages of its app, in the next seconds: it is throttled."""

    script: ClassVar[str] = "page"
    page: str
    seconds: float
    scope: Literal["page", "app"] = "page"

    def args(self, settings: Settings) -> list[str | int | float]:
        """The script's arguments."""
        op = "hold" if self.scope == "page" else "hold-app"
        return [self.page, op, self.seconds, "", settings.bells_cap]

    def parse(self, reply: str) -> bool:
        """Read the script's answer."""
        return reply == "ok"


@dataclass(frozen=True, slots=True)
class SlowPage:
    """A page, or all pages of its app, has only a part of its pace left (0.1 to 1); it grows back by itself."""

    script: ClassVar[str] = "page"
    page: str
    part: float
    scope: Literal["page", "app"] = "page"

    def args(self, settings: Settings) -> list[str | int | float]:
        """The script's arguments."""
        op = "slow" if self.scope == "page" else "slow-app"
        return [self.page, op, self.part, "", settings.bells_cap]

    def parse(self, reply: str) -> bool:
        """Read the script's answer."""
        return reply == "ok"


@dataclass(frozen=True, slots=True)
class PausePage:
    """A page waits for an operator, unless its token has been replaced since ``token_version``.

    Without a version it is an operator's own word, and takes the place of an earlier reason.
    """

    script: ClassVar[str] = "page"
    page: str
    reason: str
    token_version: int | None = None

    def args(self, settings: Settings) -> list[str | int | float]:
        """The script's arguments."""
        version = "" if self.token_version is None else self.token_version
        return [self.page, "pause", self.reason, version, settings.bells_cap]

    def parse(self, reply: str) -> bool:
        """Read the script's answer: whether this paused the page. So of many refusals one is told to an operator."""
        return reply == "ok"
