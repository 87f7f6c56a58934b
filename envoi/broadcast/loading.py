"""Loading: a broadcast and its recipients are written to SQL, streamed and in small transactions.

Nobody is sent anything before all are there: then the broadcast's state changes, in one transaction. So a loader may
die anywhere; whoever loads the same key again takes over, begins anew, and the first one, if it lives, is told.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, insert, select, text, update

from envoi.broadcast.insertion import insert_people
from envoi.broadcast.recipients import Door, Person, Reading
from envoi.broadcast.states import PENDING, BroadcastState
from envoi.broadcast.template import Template
from envoi.errors import BroadcastConflict, InvalidBroadcast, Problem
from envoi.ids import new_job_id
from envoi.log.database import log_errors
from envoi.log.tables import broadcast_recipients, broadcasts

BATCH = 2000  # recipients in one transaction

Tell = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was loaded.

    Attributes:
        fresh: False: the key is known, and nothing was read or changed.
        recipients: people who will be sent the message.
        duplicates: recipients who were named before.
        skipped: recipients that were wrong and left out.
    """

    id: str
    fresh: bool
    recipients: int
    duplicates: int
    skipped: int


class Loader:
    """Writes broadcasts.

    Every method raises ``LogUnavailable`` or ``SchemaMissing`` where the database fails.

    Args:
        engine: the log's database.
        tell: told now and then how many recipients were read.
    """

    def __init__(self, engine: Engine, tell: Tell | None = None) -> None:
        # A writer of SQLite takes the lock first, so that two follow each other and none fails.
        self._engine = engine.execution_options(sqlite_begin="IMMEDIATE")
        self._tell = tell or (lambda _read: None)
        self._token = secrets.token_hex(8)

    def load(
        self,
        template: Template,
        recipients: Iterable[tuple[int, object]],
        *,
        key: str | None = None,
        skip_bad: bool = False,
        unit: str = "line",
    ) -> Loaded:
        """Write a broadcast; it runs when this returns.

        Args:
            template: what is sent.
            recipients: with their numbers; read once, and not at all where the key is known.
            key: the same key again, with the same message and options, is the same broadcast.
            skip_bad: leave out recipients that are wrong.
            unit: what the numbers count, for error messages.

        Raises:
            InvalidBroadcast: there are no recipients, or wrong ones; nothing is sent to anybody.
            BroadcastConflict: the key is taken by another message; or somebody has taken over or cancelled this one.
        """
        broadcast_id = self._create(template, key)
        if isinstance(broadcast_id, Loaded):
            return broadcast_id
        try:
            self._empty(broadcast_id)
            return self._fill(broadcast_id, template, recipients, skip_bad=skip_bad, unit=unit)
        except BroadcastConflict:
            raise  # it is not ours any more
        except Exception:
            self._drop(broadcast_id)
            raise

    def _create(self, template: Template, key: str | None) -> str | Loaded:
        """Make the broadcast's row, or take over one that is being loaded; a loaded one is left as it is."""
        now, fresh = datetime.now(UTC), new_job_id()
        row = {
            "id": fresh,
            "key": key,
            "page_id": template.page,
            "state": BroadcastState.LOADING.value,
            "payload": template.payload,
            "content": template.content,
            "loader": self._token,
            "starts_at": template.starts_at,
            "created_at": now,
            "touched_at": now,
        }
        with log_errors(self._engine), self._engine.begin() as connection:
            if key is not None:
                _lock_key(connection, template.page, key)
                known = connection.execute(
                    select(broadcasts).where(broadcasts.c.page_id == template.page, broadcasts.c.key == key)
                ).first()
                if known is not None:
                    return self._known(connection, known, template)
            connection.execute(insert(broadcasts).values(row))
        return fresh

    def _known(self, connection: Connection, row: Any, template: Template) -> str | Loaded:  # noqa: ANN401  # a row
        if row.content != template.content:
            raise BroadcastConflict(f"key: taken by broadcast {row.id} with another message or other options")
        if row.state != BroadcastState.LOADING:
            return Loaded(row.id, False, row.recipients or 0, row.duplicates or 0, row.skipped or 0)
        connection.execute(
            update(broadcasts).where(broadcasts.c.id == row.id).values(loader=self._token, touched_at=datetime.now(UTC))
        )
        return str(row.id)

    def _fill(
        self, broadcast_id: str, template: Template, given: Iterable[tuple[int, object]], *, skip_bad: bool, unit: str
    ) -> Loaded:
        door, reading = Door(template), Reading(unit)
        left = reading.people(door, given)
        read = written = 0
        while batch := list(islice(left, BATCH)):
            read += len(batch)
            if skip_bad or not reading.bad:
                written += self._write(broadcast_id, batch)
            self._tell(read + reading.bad)
        if reading.bad and not skip_bad:
            raise InvalidBroadcast(*reading.problems, bad=reading.bad)
        if not written:
            raise InvalidBroadcast(Problem("recipients", "at least one"), *reading.problems, bad=reading.bad)
        self._survey()
        found = Loaded(broadcast_id, True, written, read - written, reading.bad)
        self._change(
            broadcast_id,
            state=BroadcastState.RUNNING.value,
            recipients=found.recipients,
            duplicates=found.duplicates,
            skipped=found.skipped,
        )
        return found

    def _write(self, broadcast_id: str, batch: Sequence[tuple[int, Person]]) -> int:
        with log_errors(self._engine), self._engine.begin() as connection:
            self._touch(connection, broadcast_id)
            return insert_people(connection, broadcast_id, batch)

    def _survey(self) -> None:
        """Let PostgreSQL know what it has got, or it would read a million rows to find the next few hundred."""
        if self._engine.dialect.name == "postgresql":
            with log_errors(self._engine), self._engine.begin() as connection:
                connection.execute(text("ANALYZE (SKIP_LOCKED) broadcast_recipients"))

    def _empty(self, broadcast_id: str) -> None:
        """Forget what a loader has left that did not come to its end: its recipients may have been others."""
        people = broadcast_recipients.c
        mine = (people.broadcast_id == broadcast_id, people.state == PENDING)  # all are, and so their index is used
        old = select(people.number).where(*mine).order_by(people.number).limit(BATCH)
        while True:
            with log_errors(self._engine), self._engine.begin() as connection:
                self._touch(connection, broadcast_id)
                gone = delete(broadcast_recipients).where(*mine, people.number.in_(old))
                if connection.execute(gone).rowcount == 0:
                    return

    def _drop(self, broadcast_id: str) -> None:
        """Nothing of it is to stay."""
        self._empty(broadcast_id)
        with log_errors(self._engine), self._engine.begin() as connection:
            mine = (broadcasts.c.id == broadcast_id, broadcasts.c.loader == self._token)
            connection.execute(delete(broadcasts).where(*mine, broadcasts.c.state == BroadcastState.LOADING))

    def _touch(self, connection: Connection, broadcast_id: str) -> None:
        _change(connection, broadcast_id, self._token)

    def _change(self, broadcast_id: str, **values: object) -> None:
        with log_errors(self._engine), self._engine.begin() as connection:
            _change(connection, broadcast_id, self._token, **values)


def _change(connection: Connection, broadcast_id: str, token: str, **values: object) -> None:
    """Change a broadcast that this loader still loads.

    Raises:
        BroadcastConflict: it does not.
    """
    mine = (broadcasts.c.id == broadcast_id, broadcasts.c.loader == token)
    change = update(broadcasts).where(*mine, broadcasts.c.state == BroadcastState.LOADING)
    if connection.execute(change.values(touched_at=datetime.now(UTC), **values)).rowcount != 1:
        raise BroadcastConflict(f"broadcast {broadcast_id} was cancelled meanwhile, or is loaded by another process")


def _lock_key(connection: Connection, page: str, key: str) -> None:
    """One broadcast at a time is made under a key. SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"envoi:{page}:{key}", 0))))
