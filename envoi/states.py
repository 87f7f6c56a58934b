"""The states of a job, and who moves a job out of each (docs/job-lifecycle.md holds the diagram)."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """The state of a job."""

    SCHEDULED = "scheduled"  # has a time `at`; the scheduler moves it into its line
    QUEUED = "queued"  # in its line; a worker's claim moves it
    SENDING = "sending"  # held by a worker under a lease; that worker moves it, or the rescue of its lease
    RETRYING = "retrying"  # waits for a due time; the scheduler moves it back to the waiting list
    SETTLING = "settling"  # its message call has no answer that says; a fact moves it, or the end of the wait
    SENT = "sent"  # the API accepted it; final
    FAILED = "failed"  # refused, or out of attempts; final
    UNKNOWN = "unknown"  # nobody can say whether it was sent; final, but a later fact may correct it
    EXPIRED = "expired"  # its time ran out before the message call; final
    CANCELLED = "cancelled"  # by the caller, before the message call; final

    @property
    def final(self) -> bool:
        """Whether nothing moves a job out of this state, later facts aside."""
        return self in _FINAL


_FINAL = frozenset({State.SENT, State.FAILED, State.UNKNOWN, State.EXPIRED, State.CANCELLED})
