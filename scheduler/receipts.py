"""Receipts: brings what webhooks tell of deliveries, reads and signs of life into the log; holds and opt-outs too.

It waits for SQL, so it has a thread of its own. A receipt may be faster than the answer of its call, and than the log
writer: it is written once the log holds every event that was there when it was looked at, and once more later while its
conversation has a job without outcome.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import Engine

from envoi.errors import EnvoiError
from envoi.notices import Logged, Receipt
from envoi.queue.keys import conversation_of
from envoi.queue.queue import Queue
from envoi.standing import Hold, OptOut
from scheduler.lease import Lease
from scheduler.receipt_sink import ReceiptSink, TakenOverError
from scheduler.receipt_stream import ReceiptStream, Waiting
from scheduler.rounds import BLOCK, STANDBY, go_round
from scheduler.troubles import Troubles

BATCH = 500  # notices in one transaction, at most
LEASE = 10.0  # seconds that a writer whose turn takes long stays the active one
_GATHER = 0.1  # seconds between two batches: fewer, larger transactions
_AGAIN = 5.0  # seconds until a receipt is looked at again while its conversation has an open job
_FRESH = 20.0  # seconds; one that has waited for longer is looked at less and less often

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Look:
    """Notices, and what was true when they were looked at.

    Attributes:
        busy: conversations that had a job without outcome.
        last_event: of the queue's events, the last.
    """

    waiting: list[Waiting]
    busy: set[str]
    last_event: str


class ReceiptWriter:
    """Writes the receipts of one queue to one database. One thread at a time may run it; several processes may.

    Args:
        queue: whose receipts.
        engine: the log's database.
        troubles: told of outages.
        again: seconds until a receipt that may be too early is looked at again.
        clock: seconds since the epoch.

    Attributes:
        odd: how many notices could not be read so far.
    """

    name = "receipts"

    def __init__(
        self,
        queue: Queue,
        engine: Engine,
        troubles: Troubles | None = None,
        *,
        again: float = _AGAIN,
        clock: Callable[[], float] = time.time,
    ) -> None:
        settings = queue.settings
        self._clock = clock
        self._look: _Look | None = None  # waits for the log writer
        self._term = 0  # of the lease, when the log was told that this is the writer
        self._stream = ReceiptStream(queue, LEASE, clock)
        self._sink = ReceiptSink(engine)
        self._troubles = troubles or Troubles()
        self._again = again
        # No call that a receipt could be of is without answer or evidence for longer.
        self._longest = settings.media_timeout + settings.settle_wait + settings.settle_longest + settings.lease
        self.odd = 0

    @property
    def lease(self) -> Lease:
        """The right to be the active writer."""
        return self._stream.lease

    def run(self, stop: threading.Event) -> None:
        """Write until told to stop."""
        go_round(self, self._round, stop, self._troubles)

    def release(self) -> None:
        """Let another scheduler write at once.

        Raises:
            QueueUnavailable: Redis did not answer; the lease ends by itself.
        """
        self._stream.release()

    def turn(self, wait: float = 0.0) -> int:
        """Write what waits, at most 500 notices of each kind.

        Args:
            wait: how long to wait for one where there is none, seconds (well below 5).

        Returns:
            How many were written; 0 too while the log is behind, or where another writer is active.

        Raises:
            LogUnavailable, SchemaMissing: the database failed; nothing is lost.
            QueueUnavailable: Redis did not answer.
        """
        look, self._look = self._look, None  # whatever fails below, it is made anew
        look = look or self._new_look(wait)
        if look is None or not self._stream.keep():
            return 0
        if self._term != self.lease.term:
            term = self.lease.term
            self._sink.take_over()
            self._term, look = term, self._new_look(0.0)  # what is read from here on no other writer writes
            if look is None:
                return 0
        if not self._stream.is_logged(look.last_event):
            self._look = look
            return 0
        try:
            self._write([one.notice for one in look.waiting if one.notice])
        except TakenOverError:
            self._term = 0
            return 0
        if not self.lease.mine:  # whoever goes on finishes them
            return 0
        self._finish(look)
        self._count_odd(look.waiting)
        return len(look.waiting)

    def _finish(self, look: _Look) -> None:
        done: list[Waiting] = []
        early: list[tuple[Waiting, float]] = []
        for one in look.waiting:
            age = self._clock() - one.since
            if self._may_be_early(one, age, look.busy):
                early.append((one, self._again * max(1.0, age / _FRESH)))
            else:
                done.append(one)
        self._stream.finish(done, early)

    def _write(self, notices: Sequence[Logged]) -> None:
        """Write all; one that the database refuses is left out, and told."""
        try:
            self._sink.write(notices)
        except (EnvoiError, TakenOverError):
            raise
        except Exception:  # a fault of ours in one notice: it must not stop the others
            if len(notices) > 1:
                half = len(notices) // 2
                self._write(notices[:half])
                self._write(notices[half:])
                return
            self.odd += 1
            log.exception("a notice cannot be logged", action="webhook_odd")

    def _round(self) -> float:
        handled = self.turn(BLOCK)
        if not self.lease.mine:
            return STANDBY
        return _GATHER if self._look or 0 < handled < BATCH else 0.0

    def _new_look(self, wait: float) -> _Look | None:
        waiting = self._stream.read(BATCH, wait)
        if not waiting:
            return None
        busy, last = self._stream.look(sorted({_conversation(one.notice) for one in waiting if one.notice}))
        return _Look(waiting, busy, last)

    def _may_be_early(self, one: Waiting, age: float, busy: set[str]) -> bool:
        """Whether it may be of a job that the log does not know to be sent: one that has no outcome yet."""
        if not isinstance(one.notice, Receipt) or age > self._longest:
            return False
        return _conversation(one.notice) in busy

    def _count_odd(self, waiting: Sequence[Waiting]) -> None:
        odd = sum(one.notice is None for one in waiting)
        if odd:
            self.odd += odd
            log.warning("a notice for the log cannot be read", action="webhook_odd", times=odd)


def _conversation(notice: Logged) -> str:
    if isinstance(notice, Hold | OptOut):
        return notice.conversation
    return conversation_of(notice.page, "id", notice.person)
