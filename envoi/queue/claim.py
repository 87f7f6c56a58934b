"""Claim: what a worker takes, and how it is held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from envoi.json_text import loaded
from envoi.queue.lifetimes import times_to_live
from envoi.queue.refusal import Refusal
from envoi.settings import Settings


@dataclass(slots=True)  # not frozen: that takes three times as long to make
class Claimed:
    """A conversation's head, held under a lease.

    Attributes:
        expires: seconds since the epoch after which no message call is begun.
        attempts_allowed: None means the default.
        typed_at: when typing_on was last made for this job, seconds since the epoch.
        message_id: set when a fact says that the message was sent already.
        token_version: version of the page's token, to be used from this on.
        job: the job as enqueued.
        refusal: of an earlier job to the same person, if it is still in force.
        look_from: when a call was begun whose answer calls for a look before the next, seconds since the epoch.
        lean: the call budget has no room for courtesies.
        key_digest: of the key that the job was enqueued with; None: it had none.
        options: what scripts must know of the job (lua/job.lua).
        claimed_at: by Redis's clock, seconds since the epoch; ages go by it, since this host's may be wrong.
    """

    conversation: str
    fence: str
    job_id: str
    attempt: int
    expires: float
    attempts_allowed: int | None
    lane: Literal["replies", "bulk"]
    typed_at: float | None
    message_id: str | None
    token_version: int
    job: dict[str, Any]
    refusal: Refusal | None = None
    look_from: float | None = None
    claimed_at: float | None = None
    lean: bool = False
    key_digest: str | None = None
    options: str = ""


@dataclass(frozen=True, slots=True)
class Catch:
    """What a claim brought.

    Attributes:
        claimed: conversations, each held by us now.
        next_in: seconds until the first page with waiting conversations may send; None: nothing waits.
        gate_closed: `claim` is not loaded: Redis has restarted, and the scheduler has not looked the queue over yet.
    """

    claimed: list[Claimed]
    next_in: float | None
    gate_closed: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """Take up to ``want`` conversations. ``base`` makes the fences unique: never used twice by anyone."""

    script: ClassVar[str] = "claim"
    want: int
    base: str

    def args(self, settings: Settings) -> list[str | int | float]:
        """The script's arguments."""
        return [
            self.want,
            self.base,
            settings.lease,
            settings.limits,
            settings.page_cap,
            settings.bells_cap,
            *times_to_live(settings),
        ]

    def parse(self, reply: Sequence[Any]) -> Catch:
        """Read the script's answer."""
        soonest, now, *rows = reply
        return Catch([_claimed(float(now), *row) for row in rows], float(soonest) if soonest else None)

    def shut(self) -> Catch:
        """The answer where the script is not loaded."""
        return Catch([], None, gate_closed=True)


def _claimed(  # noqa: PLR0917  # the columns of claim.lua's answer
    claimed_at: float,
    conversation: str,
    fence: str,
    job_id: str,
    attempt: int,
    typed: str,
    mid: str,
    version: str,
    refusal: str,
    look_from: str,
    lean: str,
    text: str,
) -> Claimed:
    head, payload = text.split("\n", 1)
    _, lane, key, expires, attempts, _, *options = head.split(" ", 6)
    return Claimed(
        conversation=conversation,
        fence=fence,
        job_id=job_id,
        attempt=attempt,
        expires=float(expires),
        attempts_allowed=None if attempts == "-" else int(attempts),
        lane="replies" if lane == "r" else "bulk",
        typed_at=float(typed) if typed else None,
        message_id=mid or None,
        token_version=int(version),
        job=loaded(payload),
        refusal=Refusal.load(refusal) if refusal else None,
        look_from=float(look_from) if look_from else None,
        claimed_at=claimed_at,
        lean=bool(lean),
        key_digest=None if key == "-" else key,
        options=options[0] if options else "",
    )
