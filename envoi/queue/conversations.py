"""Whole conversations: held, released, cleared, opted out; what is known of one."""

from __future__ import annotations

from collections.abc import Iterator

from envoi.queue.conversation_questions import NO_END, Cleared, Held, Lined
from envoi.queue.runner import Runner

__all__ = ["NO_END", "Cleared", "Conversations", "Held", "Lined"]


class Conversations(Runner):
    """The queue's side of holds and opt-outs. Conversations are named by :func:`envoi.queue.keys.conversation_of`."""

    def hold(self, conversation: str, until: float | None = None) -> bool:
        """Hold a conversation, or move the end of its hold. Returns whether it was not held before."""
        return self.ask(self.questions.hold(conversation, until))

    def release(self, conversation: str) -> bool:
        """End a hold; what waits goes on ``ENVOI_LOSS_BOUND`` seconds later. Returns whether it was held."""
        return self.ask(self.questions.release(conversation))

    def opt_out(self, conversation: str) -> bool:
        """The person wants no messages. Returns whether that is news."""
        return self.ask(self.questions.opt_out(conversation))

    def opt_in(self, conversation: str) -> bool:
        """The person wants messages again. Returns whether that is news."""
        return self.ask(self.questions.opt_in(conversation))

    def restore_hold(self, hold: Held) -> None:
        """What the log knows of a hold."""
        until = NO_END if hold.until is None else f"{hold.until:.6f}"
        self.ask(self.questions.say_hold(hold.conversation, "restore", until, f"{hold.since:.6f}"))

    def restore_opt_out(self, conversation: str, since: float) -> None:
        """What the log knows of an opt-out."""
        self._run("optout", conversation, "restore", f"{since:.6f}")

    def holds(self, page: str) -> Iterator[Held]:
        """The held conversations of a page, in no order; what changes meanwhile may be missing or come twice."""
        cursor, more = 0, True
        while more:
            cursor, found = self.ask(self.questions.some_holds(page, cursor))
            yield from found
            more = cursor != 0

    def opt_outs(self, page: str) -> Iterator[tuple[str, float]]:
        """The conversations of a page whose persons have opted out, each with since when; as :meth:`holds`."""
        cursor, more = 0, True
        while more:
            cursor, found = self.ask(self.questions.some_opt_outs(page, cursor))
            yield from found
            more = cursor != 0

    def lined(self, conversation: str) -> Lined:
        """What waits in a conversation. Beyond the first 1000 of a line, jobs that were cancelled in it count too."""
        return self.ask(self.questions.lined(conversation))

    def clear(self, conversation: str) -> Cleared:
        """Cancel what waits in a conversation, in bounded steps; what is enqueued meanwhile may be cancelled too.

        Raises:
            Recovering: Redis has restarted, and what was being sent is not known yet.
        """
        return self.ask(self.questions.clear(conversation))

    def forget(self, conversation: str) -> bool:
        """Forget all that is said of a conversation. Returns False, and does nothing, where a job is in it."""
        return bool(self._run("erase", conversation))
