"""Whether an earlier message call of a job may have been taken (called.lua)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from envoi.settings import Settings


@dataclass(frozen=True, slots=True)
class Called:
    """Note a message call, or that it was surely not taken.

    Attributes:
        conversation, fence: as claimed.
    """

    script: ClassVar[str] = "called"
    op: Literal["call", "clear"]
    conversation: str
    fence: str

    def args(self, settings: Settings) -> list[str | int | float]:  # noqa: ARG002  # the signature of a command
        """The script's arguments."""
        return [self.op, self.conversation, self.fence]

    def parse(self, reply: int) -> bool:
        """Read the script's answer: whether an earlier call may have been taken."""
        return reply == 1
