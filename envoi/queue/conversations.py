"""Whole conversations: held, released, cleared, opted out; what is known of one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from envoi.queue.commands import times_to_live
from envoi.queue.connection import translated
from envoi.queue.runner import Runner

_STEP = 200  # jobs cancelled in one script: bounds the time that Redis does nothing else
_LOOKED_AT = 1000  # jobs of a line that are looked at one by one
_SCANNED = 500  # entries of a hash that are read at once

NO_END = "-"  # of a hold, as the scripts have it


@dataclass(frozen=True, slots=True)
class Held:
    """A hold. Seconds since the epoch.

    Attributes:
        until: None: until it is released.
    """

    conversation: str
    since: float
    until: float | None


@dataclass(frozen=True, slots=True)
class Cleared:
    """What a clearing came to.

    Attributes:
        cancelled: how many jobs.
        going_on: the job that could not be cancelled at once: a worker holds it, and decides before its message call,
            or it settles; None: there is none.
        doubted: jobs behind it that may have been begun in moments that a restarted Redis lost; they go on too.
    """

    cancelled: int
    going_on: str | None
    doubted: int


@dataclass(frozen=True, slots=True)
class Lined:
    """What waits in a conversation. Seconds since the epoch.

    Attributes:
        waiting: jobs in line, the head included.
        head: the id of the first.
        scheduled: jobs whose time to enter the line has not come.
        opted_out: since when the person wants no messages.
    """

    waiting: int
    head: str | None
    scheduled: int
    hold: Held | None
    opted_out: float | None


class Conversations(Runner):
    """The queue's side of holds and opt-outs. Conversations are named by :func:`envoi.queue.keys.conversation_of`."""

    def hold(self, conversation: str, until: float | None = None) -> bool:
        """Hold a conversation, or move the end of its hold. Returns whether it was not held before."""
        return self._hold(conversation, "hold", NO_END if until is None else f"{until:.6f}", "")

    def release(self, conversation: str) -> bool:
        """End a hold; what waits goes on ``ENVOI_LOSS_BOUND`` seconds later. Returns whether it was held."""
        return self._hold(conversation, "release", "", "")

    def opt_out(self, conversation: str) -> bool:
        """The person wants no messages. Returns whether that is news."""
        return bool(self._run("optout", conversation, "out", ""))

    def opt_in(self, conversation: str) -> bool:
        """The person wants messages again. Returns whether that is news."""
        return bool(self._run("optout", conversation, "in", ""))

    def restore_hold(self, hold: Held) -> None:
        """What the log knows of a hold."""
        until = NO_END if hold.until is None else f"{hold.until:.6f}"
        self._hold(hold.conversation, "restore", until, f"{hold.since:.6f}")

    def restore_opt_out(self, conversation: str, since: float) -> None:
        """What the log knows of an opt-out."""
        self._run("optout", conversation, "restore", f"{since:.6f}")

    def _hold(self, conversation: str, op: str, until: str, since: str) -> bool:
        return bool(self._run("hold", conversation, op, until, since, self.settings.loss_bound))

    def holds(self, page: str) -> Iterator[Held]:
        """The held conversations of a page, in no order; what changes meanwhile may be missing or come twice."""
        with translated():
            for name, text in self.redis.hscan_iter(self.keys.held(page), count=_SCANNED):
                yield _held(name, text)

    def opt_outs(self, page: str) -> Iterator[tuple[str, float]]:
        """The conversations of a page whose persons have opted out, each with since when; as :meth:`holds`."""
        with translated():
            for name, since in self.redis.hscan_iter(self.keys.opt_outs(page), count=_SCANNED):
                yield name, float(since)

    def lined(self, conversation: str) -> Lined:
        """What waits in a conversation. Beyond the first 1000 of a line, jobs that were cancelled in it count too."""
        waiting, head, scheduled, hold, since, _ = self._run("conversation", conversation, _LOOKED_AT)
        held = _held(conversation, hold) if hold else None
        return Lined(waiting, head or None, scheduled, held, float(since) if since else None)

    def clear(self, conversation: str) -> Cleared:
        """Cancel what waits in a conversation, in bounded steps; what is enqueued meanwhile may be cancelled too.

        Raises:
            Recovering: Redis has restarted, and what was being sent is not known yet.
        """
        cancelled, more = 0, 1
        while more:
            count, more, head, doubted = self._run("clear", conversation, _STEP, *times_to_live(self.settings))
            cancelled += count
        return Cleared(cancelled, head or None, doubted)

    def forget(self, conversation: str) -> bool:
        """Forget all that is said of a conversation. Returns False, and does nothing, where a job is in it."""
        return bool(self._run("erase", conversation))


def _held(conversation: str, text: str) -> Held:
    since, until = text.split(" ")
    return Held(conversation, float(since), None if until == NO_END else float(until))
