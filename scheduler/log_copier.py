"""The copier: brings entries of the stream into the log, and does not stop at one that cannot be read or stored."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

import structlog

from scheduler.log_digest import Digest
from scheduler.log_sink import Cursor, LogSink, UnstorableError
from scheduler.log_stream import Entry, EventStream, fields_of

_AT_ONCE = 500  # jobs that are asked for in one command: Redis does nothing else meanwhile
_MOST_TEXT = 8_000_000  # characters of jobs in one transaction: bounds the memory

log = structlog.get_logger()


class Copier:
    """Copies from one stream to one log.

    Every method raises ``LogUnavailable``, ``SchemaMissing`` or ``QueueUnavailable`` where a server fails.

    Attributes:
        copied: entries copied so far.
        states: how many of them said that a job entered a state, by state.
        set_aside: how many of them could not be read or stored.
    """

    def __init__(self, stream: EventStream, sink: LogSink) -> None:
        self._stream = stream
        self._sink = sink
        self._aside: list[str] = []  # entries not in ev:bad yet
        self.copied = 0
        self.states: Counter[str] = Counter()
        self.set_aside = 0

    def clean_behind(self, cursor: Cursor, count: int) -> None:
        """Clean up, so many entries at once, what a writer has committed that died before it could do so."""
        while entries := self._stream.read_behind(cursor.position, count):
            if not self._stream.clean(cursor.run, entries[-1][0], Digest(entries).settled, []):
                return

    def copy(self, cursor: Cursor, entries: Sequence[Entry]) -> Cursor | None:
        """Copy entries that follow the cursor: in halves where the database refuses something, or they are too much.

        Returns:
            The cursor behind them; None: another writer was faster.
        """
        try:
            return self._write(cursor, entries, Digest(entries))
        except UnstorableError as error:
            if len(entries) == 1:
                return self._copy_without(cursor, entries[0], str(error))
        half = len(entries) // 2
        middle = self.copy(cursor, entries[:half])
        return middle and self.copy(middle, entries[half:])

    def _copy_without(self, cursor: Cursor, entry: Entry, why: str) -> Cursor | None:
        """Copy one entry without its job as it was enqueued; if that is no help, keep it out of the log."""
        try:
            moved = self._write(cursor, [entry], Digest([entry]), with_jobs=False)
        except UnstorableError as error:
            self._put_aside(entry, str(error))
            return self._write(cursor, [entry], Digest())
        job = fields_of(entry).get("j")
        log.error("a job's content cannot be stored", action="job_unstorable", job=job, why=why)
        return moved

    def _write(
        self, cursor: Cursor, entries: Sequence[Entry], digest: Digest, *, with_jobs: bool = True
    ) -> Cursor | None:
        """Write what entries come to, and clean up behind them, in this order."""
        jobs = self._jobs(digest.new, alone=len(entries) == 1) if with_jobs else {}
        try:
            batch = digest.batch(jobs)
        except ValueError as error:
            raise UnstorableError(type(error).__name__) from None
        new = Cursor(cursor.run, entries[-1][0])
        if not self._sink.write(cursor, new, batch):
            return None
        self.copied += len(entries)
        self.states.update(digest.states)
        for entry in digest.unread:
            self._put_aside(entry, "not an event")
        if self._stream.clean(new.run, new.position, digest.settled, self._aside):
            self._aside = []
        return new

    def _jobs(self, ids: Sequence[str], *, alone: bool) -> dict[str, str]:
        """Jobs as they were enqueued, those that Redis still has.

        Raises:
            UnstorableError: they are too much for one transaction.
        """
        found: dict[str, str] = {}
        size = 0
        for begin in range(0, len(ids), _AT_ONCE):
            part = self._stream.jobs(ids[begin : begin + _AT_ONCE])
            found |= part
            size += sum(map(len, part.values()))
            if size > _MOST_TEXT and not alone:
                raise UnstorableError("too much at once")
        return found

    def _put_aside(self, entry: Entry, why: str) -> None:
        self.set_aside += 1
        position, fields = entry[0], fields_of(entry)
        self._aside.append(json.dumps({"position": position, "why": why, "fields": fields}))
        # The names of its fields only: what cannot be read may hold anything.
        log.error("event set aside", action="event_set_aside", position=position, why=why, fields=sorted(fields))
