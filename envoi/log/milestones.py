"""Milestones: up to when the log was known to be complete, and when its Redis was found wiped.

What a wiped Redis had done and the log does not know happened between the two (docs/operations.md, "A wiped Redis").
They are rows of the table ``cursor`` under names of their own. Times are seconds since the epoch by Redis's clock.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine, delete, select

from envoi.log.database import log_errors
from envoi.log.tables import cursor
from envoi.log.upsert import insert_of


@dataclass(frozen=True, slots=True)
class Milestone:
    """One moment in one run of Redis."""

    run: str
    at: float


class Milestones:
    """The milestones of one queue.

    Every method raises ``LogUnavailable`` or ``SchemaMissing`` where the database fails.

    Args:
        engine: the log's database.
        name: of the log's cursor.
    """

    def __init__(self, engine: Engine, name: str = "main") -> None:
        self._engine = engine
        self._complete = f"{name}:complete"
        self._wiped = f"{name}:wiped"

    def complete(self) -> Milestone | None:
        """The last moment of an open queue up to which all events were in the log; None: never yet."""
        return self._read(self._complete)

    def set_complete(self, milestone: Milestone) -> None:
        """All events of an open queue up to this moment are in the log."""
        self._write(self._complete, milestone)

    def wiped(self) -> Milestone | None:
        """When this queue was first found wiped and not recovered since; None: it was not, as far as is known."""
        found, complete = self._read(self._wiped), self.complete()
        # An older one is of a Redis that was not ours: the queue has been open since.
        return found if found and (complete is None or found.at >= complete.at) else None

    def set_wiped(self, milestone: Milestone) -> Milestone:
        """The queue is found wiped at this moment, unless that is known of an earlier one. Returns which holds."""
        known = self.wiped()
        if known:
            return known
        self._write(self._wiped, milestone)
        return milestone

    def recovered(self) -> None:
        """The queue is whole again."""
        with log_errors(self._engine), self._engine.begin() as connection:
            connection.execute(delete(cursor).where(cursor.c.name == self._wiped))

    def _read(self, name: str) -> Milestone | None:
        wanted = select(cursor.c.run, cursor.c.position).where(cursor.c.name == name)
        with log_errors(self._engine), self._engine.connect() as connection:
            row = connection.execute(wanted).first()
        return None if row is None else Milestone(row.run, float(row.position))

    def _write(self, name: str, milestone: Milestone) -> None:
        row = {"run": milestone.run, "position": f"{milestone.at:.6f}"}
        with log_errors(self._engine), self._engine.begin() as connection:
            into = insert_of(connection)(cursor).values(name=name, **row)
            connection.execute(into.on_conflict_do_update(index_elements=[cursor.c.name], set_=row))
