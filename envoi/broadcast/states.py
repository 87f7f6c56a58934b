"""The states of a broadcast, and of each of its recipients."""

from __future__ import annotations

from enum import StrEnum

from envoi.states import State


class BroadcastState(StrEnum):
    """Where a broadcast is.

    Attributes:
        LOADING: its recipients are being written to SQL; nobody is sent anything yet.
        RUNNING: a scheduler feeds it into the queue.
        PAUSED: nothing more is enqueued; what was goes on.
        CANCELLING: what was not begun is being taken back.
        CANCELLED: that is done, and everyone has an outcome.
        FINISHED: everyone has an outcome.
    """

    LOADING = "loading"
    RUNNING = "running"
    PAUSED = "paused"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    FINISHED = "finished"

    @property
    def ended(self) -> bool:
        """Whether nothing happens to it any more."""
        return self in {BroadcastState.CANCELLED, BroadcastState.FINISHED}


# Of a recipient, beside the outcomes of its job (envoi.states.State):
PENDING = "pending"  # not enqueued
FEEDING = "feeding"  # is being enqueued: it may or may not be, and the job id keeps it from happening twice
FED = "fed"  # enqueued; its outcome is waited for
RECALLED = "recalled"  # the queue was told to cancel it; its outcome is waited for
REFUSED = "refused"  # at the door of the queue; nothing was enqueued

ENQUEUED = (FEEDING, FED, RECALLED)
OPEN = (PENDING, *ENQUEUED)
OUTCOMES = tuple(state.value for state in State if state.final)
PEOPLE = (*OPEN, REFUSED, *OUTCOMES)
