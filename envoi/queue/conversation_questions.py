"""What is asked and said about whole conversations: held, released, cleared, opted out; what is known of one."""

from __future__ import annotations

from dataclasses import dataclass

from envoi.queue.job_questions import JobQuestions
from envoi.queue.lifetimes import times_to_live
from envoi.queue.question import Asking, command, run

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


class Questions(JobQuestions):
    """Everything that a client asks. Conversations are named by :func:`envoi.queue.keys.conversation_of`."""

    def hold(self, conversation: str, until: float | None = None) -> Asking[bool]:
        """Hold a conversation, or move the end of its hold. Answers whether it was not held before."""
        return self.say_hold(conversation, "hold", NO_END if until is None else f"{until:.6f}")

    def release(self, conversation: str) -> Asking[bool]:
        """End a hold; what waits goes on ``ENVOI_LOSS_BOUND`` seconds later. Answers whether it was held."""
        return self.say_hold(conversation, "release", "")

    def say_hold(self, conversation: str, op: str, until: str, since: str = "") -> Asking[bool]:
        """What hold.lua knows."""
        return bool((yield from run("hold", conversation, op, until, since, self.settings.loss_bound)))

    def opt_out(self, conversation: str) -> Asking[bool]:
        """The person wants no messages. Answers whether that is news."""
        return bool((yield from run("optout", conversation, "out", "")))

    def opt_in(self, conversation: str) -> Asking[bool]:
        """The person wants messages again. Answers whether that is news."""
        return bool((yield from run("optout", conversation, "in", "")))

    def some_holds(self, page: str, cursor: int) -> Asking[tuple[int, list[Held]]]:
        """Some of a page's holds, and the cursor of the next; 0 begins and ends."""
        after, found = yield from command("HSCAN", self.keys.held(page), cursor, "COUNT", _SCANNED)
        return int(after), [_held(name, text) for name, text in found.items()]

    def some_opt_outs(self, page: str, cursor: int) -> Asking[tuple[int, list[tuple[str, float]]]]:
        """Some of a page's opt-outs, each with since when; as :meth:`some_holds`."""
        after, found = yield from command("HSCAN", self.keys.opt_outs(page), cursor, "COUNT", _SCANNED)
        return int(after), [(name, float(since)) for name, since in found.items()]

    def lined(self, conversation: str) -> Asking[Lined]:
        """What waits in a conversation. Beyond the first 1000 of a line, jobs that were cancelled in it count too."""
        waiting, head, scheduled, hold, since, _ = yield from run("conversation", conversation, _LOOKED_AT)
        held = _held(conversation, hold) if hold else None
        return Lined(waiting, head or None, scheduled, held, float(since) if since else None)

    def clear(self, conversation: str) -> Asking[Cleared]:
        """Cancel what waits in a conversation, in bounded steps; what is enqueued meanwhile may be cancelled too."""
        cancelled = 0
        while True:
            count, more, head, doubted = yield from run("clear", conversation, _STEP, *times_to_live(self.settings))
            cancelled += count
            if not more:
                return Cleared(cancelled, head or None, doubted)


def _held(conversation: str, text: str) -> Held:
    since, until = text.split(" ")
    return Held(conversation, float(since), None if until == NO_END else float(until))
