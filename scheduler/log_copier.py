"""The copier: brings entries of the stream into the log, and does not stop at one that cannot be read or stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import structlog

from envoi.events import Event, parse_event
from scheduler.log_changes import fold
from scheduler.log_rows import batch_of
from scheduler.log_sink import Cursor, LogSink, UnstorableError
from scheduler.log_stream import Entry, EventStream

Item = tuple[Entry, Event | None]  # None: not understood

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
            events = [event for entry in entries if (event := _parsed(entry)[1])]
            if not self._stream.clean(cursor.run, entries[-1].position, _settled(events), []):
                return

    def copy(self, cursor: Cursor, entries: Sequence[Entry]) -> Cursor | None:
        """Copy entries that follow the cursor.

        Returns:
            The cursor behind them; None: another writer was faster.
        """
        items = [_parsed(entry) for entry in entries]
        for entry, event in items:
            if event is None:
                self._put_aside(entry, "not an event")
        return self._store(cursor, items)

    def _store(self, cursor: Cursor, items: Sequence[Item]) -> Cursor | None:
        """Write items; where the database refuses something, in ever smaller parts until it is found."""
        try:
            return self._write(cursor, items)
        except UnstorableError as error:
            if len(items) == 1:
                return self._store_without(cursor, items[0], str(error))
        half = len(items) // 2
        middle = self._store(cursor, items[:half])
        return middle and self._store(middle, items[half:])

    def _store_without(self, cursor: Cursor, item: Item, why: str) -> Cursor | None:
        """Write one event without its job as it was enqueued; if that is no help, keep it out of the log."""
        entry, event = item
        try:
            moved = self._write(cursor, [item], with_jobs=False)
        except UnstorableError as error:
            self._put_aside(entry, str(error))
            return self._write(cursor, [(entry, None)])
        log.error("a job's content cannot be stored", action="job_unstorable", job=event and event.job_id, why=why)
        return moved

    def _write(self, cursor: Cursor, items: Sequence[Item], *, with_jobs: bool = True) -> Cursor | None:
        """Write items and clean up behind them, in this order."""
        events = [event for _, event in items if event]
        changes = fold(events)
        jobs = self._stream.jobs([change.job_id for change in changes if change.new]) if with_jobs else {}
        try:
            batch = batch_of(events, changes, jobs)
        except ValueError as error:
            raise UnstorableError(type(error).__name__) from None
        new = Cursor(cursor.run, items[-1][0].position)
        if not self._sink.write(cursor, new, batch):
            return None
        self.copied += len(items)
        self.states.update(event.state.value for event in events if event.state)
        if self._stream.clean(new.run, new.position, _settled(events), self._aside):
            self._aside = []
        return new

    def _put_aside(self, entry: Entry, why: str) -> None:
        self.set_aside += 1
        self._aside.append(entry.aside(why))
        # The names of its fields only: what cannot be read may hold anything.
        log.error(
            "event set aside", action="event_set_aside", position=entry.position, why=why, fields=sorted(entry.fields)
        )


def _parsed(entry: Entry) -> Item:
    try:
        return entry, parse_event(entry.position, entry.fields)
    except (KeyError, ValueError, TypeError):
        return entry, None


def _settled(events: Sequence[Event]) -> list[str]:
    return [event.job_id for event in events if event.state and event.state.final]
