"""What a worker asks of the queue on its way: claim, begin, done. A drain sends many in one trip to Redis.

Each command knows its script, its arguments and how to read the answer; the answers are closed types.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, Literal

from envoi.events import CallRecord, GraphError, dump_calls, dump_error
from envoi.json_text import loaded
from envoi.pace import classes_of
from envoi.queue.called import Called
from envoi.queue.glances import Glance, SkipLooks
from envoi.queue.refusal import Refusal
from envoi.queue.reuse import Reuse
from envoi.settings import Settings
from envoi.states import State
from envoi.window import window_rule


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
    _, lane, _, expires, attempts = head.split(" ", 5)[:5]
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
    )


@dataclass(slots=True)  # not frozen: that takes three times as long to make
class Go:
    """The message call is marked as in flight: make it, after ``wait`` seconds.

    Attributes:
        slot: when that is, by Redis's clock, seconds since the epoch.
    """

    wait: float
    slot: float | None = None


@dataclass(frozen=True, slots=True)
class AlreadySent:
    """A fact was faster: the message was sent, with this id. Make no message call."""

    message_id: str


@dataclass(frozen=True, slots=True)
class No:
    """No message call now.

    Why: ``cancelled``, ``expired``, ``opted_out``, ``window``, ``held``, ``paused``, ``gate``; ``pace``, with seconds.

    ``gate``: Redis has restarted and the queue is not open yet. Best asked again in a moment, with the lease renewed; a
    job that is given back instead is in doubt if another worker stays away.
    """

    why: str
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Stale:
    """The lease ran out and the conversation is no longer ours. Do nothing more for it."""


BeginAnswer = Go | AlreadySent | No | Stale


@dataclass(slots=True)  # not frozen: that takes three times as long to make
class Begin:
    """The last question before a message call; marks it as in flight.

    Attributes:
        typed_at: when typing_on was made, seconds since the epoch; None if it was not.
        patience: the longest wait for the page's pace that the caller will sit through, seconds.
        settle_wait: how long absence proves nothing after this call, should it not be answered, seconds (its G, and V).
            None: whatever it carries.
        late: it was let go, and came too late to its slot: another one is taken.
    """

    script: ClassVar[str] = "begin"
    held: Claimed
    typed_at: float | None
    calls: list[CallRecord]
    patience: float = 0.2
    settle_wait: float | None = None
    late: bool = False

    def args(self, settings: Settings) -> list[str | int | float]:
        """The script's arguments."""
        return [
            self.held.conversation,
            self.held.fence,
            self.held.job_id,
            settings.lease,
            settings.limits,
            f"{self.held.expires:.6f}",
            "" if self.typed_at is None else f"{self.typed_at:.6f}",
            dump_calls(self.calls),
            self.patience,
            self.settle_wait or settings.settle_wait,
            (window_rule(self.held.job) if settings.window == "enforce" else None) or "",
            classes_of(self.held.job),
            int(self.late),
            int(bool(self.held.job.get("ignore_opt_out"))),
        ]

    def parse(self, reply: Sequence[str]) -> BeginAnswer:
        """Read the script's answer."""
        if reply[0] == "go":
            return Go(*map(float, reply[1:]))
        if reply[0] == "sent":
            return AlreadySent(reply[1])
        if reply[0] == "no":
            return No(reply[1], float(reply[2]) if len(reply) > 2 else 0.0)  # noqa: PLR2004  # only pace has a third
        return Stale()


@dataclass(frozen=True, slots=True)
class Begun:
    """The calls that were told with a begin, told again to a Redis that may have lost them; none is noted twice."""

    script: ClassVar[str] = "begun"
    held: Claimed
    calls: list[CallRecord]

    def args(self, settings: Settings) -> list[str | int | float]:
        """The script's arguments."""
        held, calls = self.held, dump_calls(self.calls)
        names = (held.conversation, held.fence, held.job_id, held.attempt)
        return [*names, settings.lease, calls, *times_to_live(settings)]

    def parse(self, reply: int) -> bool:
        """Read the script's answer: whether they had been lost."""
        return reply == 1


@dataclass(slots=True)  # not frozen: that takes three times as long to make
class Done:
    """What became of an attempt; done.lua says what each op means.

    Attributes:
        seconds: the wait of ``retry``, ``unsure`` or ``back``.
        state: the final state of ``settle``.
        typed_at: with ``back``, since when the typing bubble shows, seconds since the epoch; None: it does not.
        answered: with ``keep`` or ``retry``, Graph itself said that the call failed: a look comes before the next.
        refusal: with ``settle``, why later jobs to this person are refused for ``refusal_ttl``.
    """

    script: ClassVar[str] = "done"
    held: Claimed
    op: Literal["keep", "settle", "retry", "unsure", "back"]
    calls: list[CallRecord]
    state: State | None = None
    message_id: str | None = None
    recipient_id: str | None = None
    error: GraphError | None = None
    seconds: float = 0.0
    typed_at: float | None = None
    refusal: Refusal | None = None
    answered: bool = False

    def args(self, settings: Settings) -> list[str | int | float]:
        """The script's arguments."""
        return [
            self.held.conversation,
            self.held.fence,
            self.held.job_id,
            self.op,
            self.message_id or "",
            self.recipient_id or "",
            dump_error(self.error),
            dump_calls(self.calls),
            self.seconds,
            self.state or ("answered" if self.answered else ""),
            self.held.attempt,
            settings.lease,
            "" if self.typed_at is None else f"{self.typed_at:.6f}",
            self.refusal.dump() if self.refusal else "",
            max(1, round(settings.refusal_ttl)),
            *times_to_live(settings),
        ]

    def parse(self, reply: str) -> str:
        """Read the script's answer: ``ok``, or what a stale holder's fact came to."""
        return reply


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


Command = Claim | Begin | Begun | Done | HoldPage | SlowPage | PausePage | Glance | SkipLooks | Reuse | Called


def times_to_live(settings: Settings) -> tuple[int, int]:
    """How long a settled job's status and its key are kept, whole seconds: the last arguments of what settles."""
    return _whole_seconds(settings.status_ttl, settings.key_ttl)


@lru_cache(8)
def _whole_seconds(status_ttl: float, key_ttl: float) -> tuple[int, int]:
    return max(1, round(status_ttl)), max(1, round(key_ttl))
