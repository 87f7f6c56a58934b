"""What a worker asks of the queue about media that Meta has fetched before: its attachment id (reuse.lua)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from envoi.settings import Settings

_UNUSED = 604_800.0  # seconds that an attachment id is kept until it is used: each job may have an address of its own


@dataclass(frozen=True, slots=True)
class Kept:
    """Meta has the media: send it by this attachment id."""

    attachment_id: str


@dataclass(frozen=True, slots=True)
class Fetch:
    """Send the address, and ask for an attachment id; the others wait for it."""


@dataclass(frozen=True, slots=True)
class FetchedNow:
    """Another job has the media fetched; it takes so many seconds at most."""

    seconds: float


ReuseAnswer = Kept | Fetch | FetchedNow | None


@dataclass(frozen=True, slots=True)
class Reuse:
    """A question or a word about one page's media; reuse.lua says what each op means.

    Attributes:
        conversation, fence, job_id: who asks, as claimed.
        digest: of the media's type and address.
        fetch_time: seconds that Meta may take to fetch it, with what comes before.
        attachment_id: with ``keep`` and ``forget``.
    """

    script: ClassVar[str] = "reuse"
    op: Literal["ask", "keep", "forget", "free"]
    conversation: str
    fence: str
    job_id: str
    page: str
    digest: str
    fetch_time: float
    attachment_id: str = ""

    def args(self, settings: Settings) -> list[str | int | float]:
        """The script's arguments."""
        return [
            self.op,
            self.conversation,
            self.fence,
            self.job_id,
            self.page,
            self.digest,
            self.attachment_id,
            self.fetch_time,
            settings.attachment_life,
            _UNUSED,
        ]

    def parse(self, reply: Sequence[str]) -> ReuseAnswer:
        """Read the script's answer; None: the word was taken."""
        if reply[0] == "id":
            return Kept(reply[1])
        if reply[0] == "wait":
            return FetchedNow(max(0.0, float(reply[1])))
        return Fetch() if reply[0] == "fetch" else None
