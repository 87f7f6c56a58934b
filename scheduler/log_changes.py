"""Changes: what events make of a job.

The events of one job in one batch are folded into one change, and the database merges the change with the row
(scheduler/log_upsert.py). Both follow the same rules, so it makes no difference where one batch ends and the next
begins:

* The state, its due time and its error are those of the last event that has a state.
* Message id, recipient id and the time of sending are the first ever told.
* A job that is ``sent`` stays so: later events only fill in what is empty. Any other state, final or not, gives way to
  a later event. That matters after a Redis that lost its last moments: it tells events again, and the row follows what
  Redis holds true, back to an open state and on to the outcome that it comes to; but that Meta accepted a message is
  not forgotten because Redis forgot it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from envoi.events import Event, GraphError
from envoi.states import State


@dataclass(slots=True)
class Change:
    """What the events of one batch make of one job.

    Attributes:
        first_at: when its first event happened, seconds since the epoch; so are all times here.
        state: None where no event has one (notes).
        attempts: 0 where no event says.
        new: whether it was enqueued just now, so that its payload is still to be read.
    """

    job_id: str
    first_at: float
    state: State | None = None
    attempts: int = 0
    message_id: str | None = None
    recipient_id: str | None = None
    error: GraphError | None = None
    due_at: float | None = None
    sent_at: float | None = None
    settled_at: float | None = None
    new: bool = False

    def add(self, event: Event) -> None:
        """Fold the job's next event in."""
        self.new = self.new or (event.attempt is None and event.state in {State.QUEUED, State.SCHEDULED})
        self.message_id = self.message_id or event.message_id
        self.recipient_id = self.recipient_id or event.recipient_id
        if self.sent_at is None and (event.message_id or event.state is State.SENT):
            self.sent_at = event.accepted_at or event.at
        if self.state is State.SENT:
            return
        self.attempts = event.attempt or self.attempts
        if event.state is None:
            return
        self.state = event.state
        self.due_at = event.due_at
        self.settled_at = event.at if event.state.final else None
        self.error = None if event.state is State.SENT else event.error or self.error


def fold(events: Iterable[Event]) -> list[Change]:
    """One change a job, by job id."""
    changes: dict[str, Change] = {}
    for event in events:
        change = changes.get(event.job_id)
        if change is None:
            change = changes[event.job_id] = Change(event.job_id, event.at)
        change.add(event)
    return [changes[job_id] for job_id in sorted(changes)]
