"""What an attempt without acceptance comes to: a pure function of the verdict, the job and the time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, assert_never

from envoi.events import GraphError
from envoi.queue.begin import No
from envoi.queue.claim import Claimed
from envoi.queue.page_commands import HoldPage, PausePage
from envoi.queue.refusal import Refusal
from envoi.settings import Settings
from envoi.states import State
from worker.backoff import Backoff
from worker.codes import refuses_untagged_only
from worker.steps import is_media
from worker.verdicts import Refused, Throttled, TryLater, Unknown

_FINAL = {  # what begin says no to for good
    "cancelled": State.CANCELLED,
    "expired": State.EXPIRED,
    "opted_out": State.FAILED,
    "window": State.FAILED,
}
_WHY = {  # where the word itself does not say enough
    "window": "no call made: the window has closed, the person was last heard of too long ago",
    "opted_out": "no call made: the person has opted out",
}


@dataclass(frozen=True, slots=True)
class Settlement:
    """What `done` is told, and what happens to the page before it.

    Attributes:
        op: as in done.lua.
        seconds: the wait of ``retry``, ``unsure`` or ``back``.
        state: the final state of ``settle``.
        answered: Graph itself said that the call failed, which is not always true: a look comes before the next call.
        refusal: what later jobs to the same person are refused for, until the person writes again. A closed window
            (10/2018278 and its like) stops only those without a tag, since one with a tag may pass.
    """

    op: Literal["settle", "retry", "unsure", "back"]
    error: GraphError
    seconds: float = 0.0
    state: State | None = None
    page: HoldPage | PausePage | None = None
    refusal: Refusal | None = None
    answered: bool = False


def not_begun(answer: No) -> Settlement:
    """The consequence of begin's no: nothing was sent. Where it is no for good, the job has its outcome."""
    why = _WHY.get(answer.why, f"{answer.why} before the message call")
    final = _FINAL.get(answer.why)
    return Settlement("settle" if final else "back", GraphError(why), state=final)


def settlement(
    verdict: TryLater | Throttled | Refused | Unknown, held: Claimed, now: float, rules: Settings
) -> Settlement:
    """The consequence of a verdict (DESIGN 4).

    Args:
        verdict: of the message call.
        held: the job and its attempt.
        now: seconds since the epoch.
        rules: attempts, waits, G and V.
    """
    page = held.job["page"]
    match verdict:
        case TryLater():
            return _try_later(verdict, held, now, rules)
        case Throttled(error=error, scope="recipient", seconds=seconds):
            return Settlement("back", error, seconds=seconds)
        case Throttled(error=error, scope=scope, seconds=seconds):
            return Settlement("back", error, page=HoldPage(page, seconds, "app" if scope == "app" else "page"))
        case Refused(error=error, scope="page"):
            return Settlement("back", error, page=PausePage(page, reason_of(error), held.token_version))
        case Refused(error=error, scope=scope):
            later = Refusal(error, refuses_untagged_only(error.code, error.subcode)) if scope == "recipient" else None
            return Settlement("settle", error, state=State.FAILED, refusal=later)
        case Unknown(error=error):
            return Settlement("unsure", error, seconds=rules.settle_wait_of(media=is_media(held.job)))
        case never:
            assert_never(never)


def _try_later(verdict: TryLater, held: Claimed, now: float, rules: Settings) -> Settlement:
    """Again after a wait, bounded by attempts and by age."""
    allowed = held.attempts_allowed or rules.max_attempts
    if held.attempt >= min(allowed, verdict.tries or allowed):
        return Settlement("settle", verdict.error, state=State.FAILED)
    # An answered error may hide a delivery that is still on its way: not at once.
    at_least = rules.answered_wait if verdict.answered else 0.0
    wait = Backoff(rules.backoff_first, rules.backoff_cap).wait(held.attempt, at_least=at_least)
    if now + wait >= held.expires:
        late = replace(verdict.error, message=f"expired while it was tried again: {verdict.error.message}")
        return Settlement("settle", late, state=State.EXPIRED)
    return Settlement("retry", verdict.error, seconds=wait, answered=verdict.answered)


def reason_of(error: GraphError) -> str:
    """An error in a line, as a page is paused for it: ``190/460: …``."""
    code = "" if error.code is None else f"{error.code}/{error.subcode}: " if error.subcode else f"{error.code}: "
    return code + error.message
