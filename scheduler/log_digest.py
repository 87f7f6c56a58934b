"""A digest: what some entries of the stream come to, taken in one pass.

Each event is read, folded and forgotten before the next one: thousands of objects that are kept from one step to the
next leave the processor's caches in between, and cost twice as much.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from envoi.events import Event, parse_event
from scheduler.log_changes import Change
from scheduler.log_rows import Batch, Row, as_enqueued, call_rows, job_row
from scheduler.log_stream import Entry, fields_of


class Digest:
    """What entries come to.

    Attributes:
        changes: by job id, what becomes of each job.
        calls: rows of calls, in the order of the events.
        states: how many events said that a job entered a state, by state.
        unread: entries that could not be read.
    """

    __slots__ = ("calls", "changes", "states", "unread")

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self.changes: dict[str, Change] = {}
        self.calls: list[Row] = []
        self.states: Counter[str] = Counter()
        self.unread: list[Entry] = []
        for entry in entries:
            try:
                event = parse_event(entry[0], fields_of(entry))
                calls = call_rows(event)
            except (KeyError, ValueError, TypeError, AttributeError):
                self.unread.append(entry)
            else:
                self.calls += calls
                self.add(event)

    def add(self, event: Event) -> None:
        """Take in the next event, but for its calls."""
        job_id = event.job_id
        change = self.changes.get(job_id)
        if change is None:
            change = self.changes[job_id] = Change(job_id, event.at)
        change.add(event)
        if event.state is not None:
            self.states[str(event.state)] += 1

    @property
    def new(self) -> list[str]:
        """Ids of the jobs that were enqueued just now, so that they are still to be read."""
        return [change.job_id for change in self.changes.values() if change.new]

    @property
    def settled(self) -> list[str]:
        """Ids of the jobs of which an outcome was told."""
        return [change.job_id for change in self.changes.values() if change.ended]

    def batch(self, jobs: Mapping[str, str]) -> Batch:
        """The rows to be written.

        Args:
            jobs: by id, new jobs as Redis keeps them (envoi/queue/lua/job.lua).

        Raises:
            ValueError: a job or a time cannot be read.
        """
        batch = Batch([], [], [], self.calls)
        for job_id in sorted(self.changes):
            change = self.changes[job_id]
            row = job_row(change)
            if change.state is None:
                batch.noted.append(row)
            elif (job := jobs.get(job_id)) is not None:
                batch.read.append(row + as_enqueued(job))
            else:
                batch.changed.append(row)
        return batch
