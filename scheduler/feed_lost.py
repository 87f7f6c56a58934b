"""Lost jobs of broadcasts: they were enqueued, and neither a complete log nor Redis knows them after a restart."""

from __future__ import annotations

import structlog

from envoi.broadcast.states import FED, RECALLED
from envoi.broadcast.template import Template
from envoi.errors import InvalidJob
from envoi.states import State
from scheduler.fed import Active, Fed, Round
from scheduler.feed_door import FeedDoor
from scheduler.feed_rows import FeedRows

LOGGED_BY = 15.0  # seconds after which a job that was enqueued is in a log that is complete
_BATCH = 500  # recipients looked at in one turn

log = structlog.get_logger()


class LostJobs:
    """Finds lost jobs, and sees that nobody is sent one again blindly.

    Args:
        rows: of the broadcasts.
        door: of their queue.
        keep: seconds that the log keeps jobs.
    """

    def __init__(self, rows: FeedRows, door: FeedDoor, keep: float) -> None:
        self._rows = rows
        self._door = door
        self._keep = keep
        self._checked_to: dict[str, int] = {}  # by broadcast, how far the recipients were looked at

    def forget(self, broadcast_id: str) -> None:
        """This broadcast has ended."""
        self._checked_to.pop(broadcast_id, None)

    def find(self, broadcast: Active, template: Template, this: Round) -> None:
        """Look at some recipients of a broadcast.

        Raises:
            LogUnavailable, SchemaMissing, QueueUnavailable: a server failed.
        """
        if this.complete is None:
            return
        before = min(this.complete, this.now) - LOGGED_BY
        found = self._rows.unlogged(broadcast.id, before, self._checked_to.get(broadcast.id, 0), _BATCH)
        self._checked_to[broadcast.id] = found[-1].number if len(found) == _BATCH else 0
        known = self._door.known([one.job_id for one in found]) if found else set()
        for person in found:
            if person.job_id not in known:
                self._settle(broadcast, template, person, this)

    def _settle(self, broadcast: Active, template: Template, person: Fed, this: Round) -> None:
        """It may have been sent: facts are waited for, and it is not sent again blindly."""
        if person.state == RECALLED and person.memory == this.memory:
            self._outcome(broadcast, person, State.CANCELLED, "cancelled before it was enqueued")
            return
        old = this.now - person.fed_at.timestamp() > self._keep / 2
        if person.state == RECALLED or old:
            self._outcome(broadcast, person, State.UNKNOWN, "Redis lost it, and the log does not know it")
            return
        try:
            became = self._door.put_back(broadcast.id, template, person)
        except InvalidJob as error:
            self._outcome(broadcast, person, State.UNKNOWN, f"Redis lost it: {error}")
            return
        log.warning(
            "Redis lost a job of a broadcast: it is looked for",
            action="broadcast_lost",
            broadcast=broadcast.id,
            job=person.job_id,
            now=became,
        )

    def _outcome(self, broadcast: Active, person: Fed, outcome: State, why: str) -> None:
        told = {"error_message": why, "memory": None}
        self._rows.move(broadcast.id, [person.number], (FED, RECALLED), outcome.value, **told)
