"""One attempt of an action: one call, and whatever comes of it the line moves on."""

from __future__ import annotations

from typing import assert_never

from envoi.events import GraphError
from envoi.queue.claim import Claimed
from envoi.queue.done import Done
from envoi.settings import Settings
from envoi.states import State
from worker.asks import Walk
from worker.delivery import Delivery
from worker.steps import Step
from worker.verdicts import Accepted, Refused, Throttled, TryLater, Unknown, Verdict

_NO_CALL_WAIT = 1.0  # seconds until a call that could not be made is tried again


class Acting(Delivery):
    """An attempt of an action. It is a courtesy: its verdict changes nothing for the jobs behind it, nor for its page.

    There is no question before its call, as there is before a message call: it is in no one's doubt, so nothing is
    marked, and neither pace nor settling is for it. Cancelled, expired and paused were looked at when it was claimed.
    """

    def walk(self) -> Walk:
        """Make the call, and settle by its verdict."""
        held = self.held
        if held.refusal and held.refusal.stops(held.job):
            return (yield from self._over(State.FAILED, held.refusal.told()))
        outcome = self.message = yield from self._call(Step(held.job["sender_action"]))
        verdict = outcome.verdict
        if outcome.record is None and isinstance(verdict, TryLater | Throttled):  # no call was made
            wait = verdict.seconds if isinstance(verdict, Throttled) else _NO_CALL_WAIT
            self.error = verdict.error
            yield Done(held, "back", [], seconds=wait)
            return "back"
        error = _error_of(verdict)
        recipient_id = verdict.recipient_id if isinstance(verdict, Accepted) else None
        return (yield from self._over(State.FAILED if error else State.SENT, error, recipient_id))

    def _over(self, state: State, error: GraphError | None, recipient_id: str | None = None) -> Walk:
        self.error = error
        yield Done(self.held, "settle", self.records, state=state, recipient_id=recipient_id, error=error)
        yield from self._restrain()
        return state


def attempt(held: Claimed, rules: Settings) -> Delivery:
    """The walk that fits a job."""
    return (Acting if "sender_action" in held.job else Delivery)(held, rules)


def _error_of(verdict: Verdict) -> GraphError | None:
    match verdict:
        case Accepted():
            return None
        case TryLater(error=error) | Throttled(error=error) | Refused(error=error) | Unknown(error=error):
            return error
        case never:
            assert_never(never)
