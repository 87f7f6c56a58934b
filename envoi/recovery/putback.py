"""Putting back: the queue's side of a recovery. One at a time, under a lease in Redis."""

from __future__ import annotations

import math
import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from envoi.errors import EnvoiError
from envoi.queue.connection import translated
from envoi.queue.conversations import Held
from envoi.queue.lifetimes import times_to_live
from envoi.queue.queue import Queue
from envoi.queue.scripts import script
from envoi.recovery.stored import StoredJob
from envoi.standing import Hold, OptOut
from envoi.window import KEPT

_LEASE = 60.0  # seconds that a recovery keeps the work to itself without a sign of life: sorting may take long
_BATCH = 1000  # events looked at in one trip

Place = Literal["w", "d", "a", "s", "x"]  # recover.lua says what each means


class RecoveryError(EnvoiError):
    """The base of what stops a recovery. What was put back so far stays, and the next run goes on."""


class NotWiped(RecoveryError):  # noqa: N818  # says what is wrong, as its siblings do
    """This Redis has an epoch: there is nothing to recover, or it is done."""


class RecoveryBusy(RecoveryError):  # noqa: N818  # as above
    """Another recovery is under way, or Redis has restarted meanwhile."""


class OtherQueue(RecoveryError):  # noqa: N818  # as above
    """The queue of another Redis writes to this log: what would be put back here is sent there."""


@dataclass(frozen=True, slots=True)
class Returning:
    """A job that goes back.

    Attributes:
        place: where it goes.
        due: seconds since the epoch, of the places d and a.
        behind: how many jobs behind it may have been begun too, if it is in doubt.
    """

    job: StoredJob
    place: Place
    attempts: int
    due: float | None = None
    behind: int = 0

    def args(self) -> list[str | int | float]:
        """As recover.lua takes it."""
        due = "" if self.due is None else f"{self.due:.6f}"
        key, content = self.job.key()
        text = "" if self.place == "x" else self.job.text()
        where = self.job.conversation
        begun = f"{self.job.enqueued_at.timestamp():.6f}"  # no call of it was begun earlier
        head: list[str | int | float] = [
            self.job.id,
            self.place,
            due,
            self.attempts,
            self.job.error,
            self.behind,
            begun,
        ]
        return [*head, key, content, where, text]


class PutBack:
    """The scripts that put back, in one run of Redis.

    Every method raises ``QueueUnavailable`` where Redis does not answer, and the errors above.

    Args:
        queue: an empty one, or one that a recovery has left half done.
    """

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._token = secrets.token_hex(8)
        self.run = queue.run_id()

    def begin(self) -> None:
        """Take the lease."""
        self._recover("begin")

    def put(self, jobs: Sequence[Returning]) -> tuple[int, int]:
        """Put jobs back, some hundred at once. Returns how many were not there yet, and how many heads are in doubt."""
        args = [part for job in jobs for part in job.args()]
        settings = self._queue.settings
        found = self._recover("put", settings.settle_wait, *args, *times_to_live(settings))
        return int(found[1]), int(found[2])

    def finish(self) -> None:
        """Let producers in; a scheduler opens the gate."""
        self._recover("finish")

    def release(self) -> None:
        """Let go, so that the next run need not wait."""
        with translated():
            if self._queue.redis.get(self._lease) == self._token:
                self._queue.redis.delete(self._lease)

    def remember(self, jobs: Sequence[StoredJob], now: float) -> int:
        """Put back the statuses and keys of settled jobs. Returns how many keys."""
        settings = self._queue.settings
        args: list[str | int] = []
        for job in jobs:
            age = now - job.settled_at.timestamp() if job.settled_at else 0.0
            kept, taken = (max(0, round(ttl - age)) for ttl in times_to_live(settings))
            key, content = job.key()
            learned = f"{job.settled_at.timestamp():.6f}" if job.settled_at else ""
            args += [job.id, job.page or "", job.status(), kept, key, content, taken]
            args += [job.conversation, job.message_id or "", learned]
        return int(self._eval("remember", *args))

    def hear(self, people: Sequence[tuple[str, float]], now: float) -> None:
        """Put back when people were last heard of; a webhook that came since the wipe knows better."""
        with translated(), self._queue.redis.pipeline(transaction=False) as pipe:
            for conversation, at in people:
                left = max(1, math.ceil(at + KEPT - now))
                pipe.set(self._queue.keys.heard(conversation), f"{at:.6f}", ex=left, nx=True)
            pipe.execute()

    def restore_standings(self, holds: Iterable[Hold], opt_outs: Iterable[OptOut]) -> None:
        """Who is held and who has opted out; before their jobs, which come under it."""
        for hold in holds:
            self._queue.restore_hold(Held(hold.conversation, hold.since or self._queue.time(), hold.until))
        for opted_out in opt_outs:
            self._queue.restore_opt_out(opted_out.conversation, opted_out.since or self._queue.time())

    def told(self) -> Iterator[tuple[str, str, str | None]]:
        """Facts that came since the wipe and wait to be logged: job id, message id, recipient id."""
        after = "-"
        while True:
            with translated():
                found: Any = self._queue.redis.xrange(self._queue.keys.events, min=after, count=_BATCH)
            for position, fields in found:
                if "m" in fields and "j" in fields:
                    yield fields["j"], fields["m"], fields.get("r")
                after = f"({position}"
            if len(found) < _BATCH:
                return

    @property
    def _lease(self) -> str:
        return self._queue.keys.recovery

    def _recover(self, op: str, *args: str | float) -> list[Any]:
        found: list[Any] = self._eval("recover", op, self._token, round(_LEASE * 1000), self.run, *args)
        if found[0] == "open":
            raise NotWiped("this queue has an epoch: there is nothing to recover, or it is done")
        if found[0] == "busy":
            raise RecoveryBusy(
                "another `envoi recover` is under way, was interrupted less than a minute ago, or Redis has "
                "restarted meanwhile: run it again"
            )
        return found

    def _eval(self, name: str, *args: str | float) -> Any:  # noqa: ANN401  # each script answers in its own shape
        text = script(name).shut_text or ""
        with translated():
            return self._queue.redis.eval(text, 1, self._queue.keys.base, *args)


def moment(seconds: float) -> datetime:
    """Seconds since the epoch as an aware datetime."""
    return datetime.fromtimestamp(seconds, UTC)
