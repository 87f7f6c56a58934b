"""The log writer: copies the stream of events to SQL.

One writer is active, under a lease in Redis; but what makes every event count exactly once is the cursor, which moves
in the transaction that writes the rows, and only from where the batch began. Behind the committed cursor the stream is
trimmed, and the jobs that are settled there are deleted from Redis.

A Redis that has restarted may have forgotten its last moments, and number its next events below the cursor. Every
batch is read together with Redis's run id; in another run the stream is copied from its beginning. Since it is trimmed
from the front only, what is left of a job's events ends in the state that Redis holds it to be in, so telling some of
them twice does no harm (scheduler/log_changes.py).
"""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping

import structlog
from sqlalchemy import Engine

from envoi.log.milestones import Milestone, Milestones
from envoi.queue.queue import Queue
from scheduler.lease import Lease
from scheduler.log_copier import Copier
from scheduler.log_gather import QUIET, Gathering
from scheduler.log_sink import Cursor, LogSink
from scheduler.log_stream import EventStream, Reading, appended_at
from scheduler.rounds import STANDBY, go_round
from scheduler.troubles import Troubles

BATCH = 5000  # events in one transaction, at most; Redis reads them out in 2 ms
LEASE = 10.0  # seconds that a writer whose turn takes long stays the active one
_BLOCK = 1.0  # seconds of one wait for the next event; how long a stop may take
_MILESTONE = 1.0  # seconds between two milestones of how far the log is complete

log = structlog.get_logger()


class LogWriter:
    """Copies the events of one queue to one database. One thread at a time may run it; several processes may.

    Args:
        queue: whose events are copied.
        engine: the log's database.
        name: of the cursor, one for each queue that is copied into this database.
        troubles: told of outages; without one, the writer has its own.
    """

    name = "log_writer"

    def __init__(self, queue: Queue, engine: Engine, name: str = "main", troubles: Troubles | None = None) -> None:
        self._stream = EventStream(queue, LEASE)
        self._sink = LogSink(engine, name)
        self._milestones = Milestones(engine, name)
        self._marked = -math.inf
        self._troubles = troubles or Troubles()
        self._cursor: Cursor | None = None  # None: not the active writer, or not sure where the cursor is
        self._copier = Copier(self._stream, self._sink)
        self._gathering = Gathering(BATCH)

    @property
    def lease(self) -> Lease:
        """The right to be the active writer."""
        return self._stream.lease

    @property
    def active(self) -> bool:
        """Whether this is the writer that copies, as far as it knows."""
        return self._cursor is not None

    @property
    def copied(self) -> int:
        """Events copied by this writer so far."""
        return self._copier.copied

    @property
    def states(self) -> Mapping[str, int]:
        """How many of them said that a job entered a state, by state."""
        return self._copier.states.copy()

    @property
    def set_aside(self) -> int:
        """How many of them could not be read or stored; they are in the list ``ev:bad`` in Redis."""
        return self._copier.set_aside

    def run(self, stop: threading.Event) -> None:
        """Copy until told to stop."""
        go_round(self, self._round, stop, self._troubles)

    def turn(self, wait: float = 0.0) -> int:
        """Copy at most one batch.

        Args:
            wait: how long to wait for an event where there is none, seconds (well below 5).

        Returns:
            How many events were copied; 0 too where another writer is active.

        Raises:
            LogUnavailable, SchemaMissing: the database failed.
            QueueUnavailable: Redis did not answer.
        """
        known, self._cursor = self._cursor, None  # whatever fails below leaves it unknown
        cursor = known or self._open()
        if cursor is None:
            return 0
        reading = self._stream.read(cursor.position, BATCH)
        if reading is None:
            return 0
        if reading.run != cursor.run:
            self._cursor = self._restart(cursor, reading.run)
            return 0
        if reading.entries:
            self._cursor = self._copier.copy(cursor, reading.entries)
            if self._cursor:
                self._set_milestone(reading, appended_at(reading.entries[-1]))
            return len(reading.entries) if self._cursor else 0
        self._cursor = cursor
        self._set_milestone(reading, reading.at)
        if wait > 0:
            self._stream.wait(cursor.position, wait)
        return 0

    def lag(self) -> float:
        """How long the oldest event that is not in the log yet has waited, seconds; 0 where there is none.

        Raises:
            QueueUnavailable: Redis did not answer.
        """
        return self._stream.oldest_age()

    def release(self) -> None:
        """Stop being the active writer, so that another one need not wait for the lease's end.

        Raises:
            QueueUnavailable: Redis did not answer; the lease ends by itself.
        """
        self._cursor = None
        self._stream.release()

    def _set_milestone(self, reading: Reading, complete: float) -> None:
        """Now and then, record up to when the log is complete, so that a wiped queue can be recovered (envoi.recovery).

        Only of an open queue: after a wipe this must say how far the log had come before.
        """
        if reading.epoch == reading.run and not 0 <= reading.at - self._marked < _MILESTONE:
            self._milestones.set_complete(Milestone(reading.run, complete))
            self._marked = reading.at

    def _round(self) -> float:
        if self._gathering.on and self._gathering.go_on(self._stream.length()):
            return QUIET
        copied = self.turn(wait=_BLOCK)
        rest = self._gathering.begin(copied)
        return rest if self.active else STANDBY

    def _open(self) -> Cursor | None:
        """Become the active writer; None: somebody else is."""
        cursor = self._sink.cursor()
        reading = self._stream.read("0-0" if cursor is None else cursor.position, 1)
        if reading is None:
            return None
        if cursor is None or cursor.run != reading.run:
            return self._restart(cursor, reading.run)
        self._copier.clean_behind(cursor, BATCH)
        log.info("copying events", action="log_writer", run=cursor.run, position=cursor.position)
        return cursor

    def _restart(self, old: Cursor | None, run: str) -> Cursor | None:
        new = self._sink.restart(old, run)
        if new:
            was = None if old is None else old.run
            log.info("copying events of a new run of Redis", action="log_writer", run=run, was=was)
        return new
