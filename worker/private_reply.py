"""Private replies: Meta takes one to each comment or post (SEND_API 2), and says 10900 to a second.

Sent again after an answer that left it open whether the first was taken, 10900 is that answer: it was.
"""

from __future__ import annotations

from collections.abc import Generator

from envoi.events import GraphError
from envoi.queue.called import Called
from envoi.queue.claim import Claimed
from envoi.states import State
from worker.settlement import Settlement
from worker.verdicts import Refused, Throttled, TryLater, Verdict

KINDS = frozenset({"comment_id", "post_id"})
_REPLIED = 10900  # "already replied" (SEND_API 4)


class PrivateReply:
    """What one attempt knows of the calls before it; it asks nothing for other recipients."""

    def __init__(self, held: Claimed) -> None:
        self._held = held
        self._is_one = not KINDS.isdisjoint(held.job["recipient"])
        self._earlier = False

    def call(self) -> Generator[Called, bool, None]:
        """Right before the message call."""
        if self._is_one:
            self._earlier = yield Called("call", self._held.conversation, self._held.fence)

    def answered(self, verdict: Verdict) -> Generator[Called, bool, Settlement | None]:
        """Note what came of it.

        Returns:
            That it was sent before, if the verdict is evidence of that. Its message id is lost.
        """
        if not self._is_one:
            return None
        if isinstance(verdict, Refused) and verdict.error.code == _REPLIED and self._earlier:
            told = GraphError(f"sent by an earlier call: {verdict.error.message}", _REPLIED)
            return Settlement("settle", told, state=State.SENT)
        if isinstance(verdict, Refused | Throttled) or (isinstance(verdict, TryLater) and not verdict.answered):
            yield Called("clear", self._held.conversation, self._held.fence)
        return None
