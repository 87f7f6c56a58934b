"""Changes: what events make of a job.

The events of one job in one batch are folded into one change (scheduler/log_digest.py), and the database merges the
change with the row (scheduler/log_upsert.py). Both follow the same rules, so it makes no difference where one batch
ends and the next begins:

* The state, its due time and its error are those of the last event that has a state.
* Message id, recipient id and the time of sending are the first ever told.
* A job that is ``sent`` stays so: later events only fill in what is empty. Any other state, final or not, gives way to
  a later event. That matters after a Redis that lost its last moments: it tells events again, and the row follows what
  Redis holds true, back to an open state and on to the outcome that it comes to; but that Meta accepted a message is
  not forgotten because Redis forgot it.
"""

from __future__ import annotations

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
        ended: whether an outcome was told of it.
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
    ended: bool = False

    def add(self, event: Event) -> None:
        """Fold the job's next event in."""
        state = event.state
        if event.attempt is None and (state is State.QUEUED or state is State.SCHEDULED):
            self.new = True
        self.message_id = self.message_id or event.message_id
        self.recipient_id = self.recipient_id or event.recipient_id
        if self.sent_at is None and (event.message_id or state is State.SENT):
            self.sent_at = event.accepted_at or event.at
        final = state is not None and state.final
        self.ended = self.ended or final
        if self.state is State.SENT:
            return
        self.attempts = event.attempt or self.attempts
        if state is None:
            return
        self.state = state
        self.due_at = event.due_at
        self.settled_at = event.at if final else None
        self.error = None if state is State.SENT else event.error or self.error
