"""The log's side of copying: rows and the cursor, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, select, update
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, StatementError

from envoi.log.database import log_errors
from envoi.log.tables import cursor
from envoi.log.upsert import insert_of
from scheduler.log_rows import Batch, Row
from scheduler.log_upsert import insert_calls, upsert_jobs, upsert_noted_jobs, upsert_read_jobs

START = "0-0"  # before every position
_UNIQUE_VIOLATION = "23505"


class UnstorableError(Exception):
    """The database refuses a value: trying again would not help. Says which kind of error, never the value."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far the stream is copied.

    Attributes:
        run: the run of Redis that was read.
        position: of the last entry copied.
    """

    run: str
    position: str


class LogSink:
    """Where a log writer writes to.

    Every method raises ``LogUnavailable`` or ``SchemaMissing`` where the database fails. Then a transaction may or may
    not have been committed: the cursor knows.

    Args:
        engine: the log's database.
        name: of the cursor, one for each queue that is copied into this database.
    """

    def __init__(self, engine: Engine, name: str) -> None:
        # A writer of SQLite takes the lock first, so that two follow each other and none fails.
        self._engine = engine.execution_options(sqlite_begin="IMMEDIATE")
        self._name = name
        self._read = upsert_read_jobs(engine)
        self._jobs = upsert_jobs(engine)
        self._noted = upsert_noted_jobs(engine)
        self._calls = insert_calls(engine)

    def cursor(self) -> Cursor | None:
        """How far the stream is copied; None: nothing ever was."""
        wanted = select(cursor.c.run, cursor.c.position).where(cursor.c.name == self._name)
        with log_errors(self._engine), self._engine.connect() as connection:
            row = connection.execute(wanted).first()
        return None if row is None else Cursor(*row)

    def restart(self, old: Cursor | None, run: str) -> Cursor | None:
        """Put the cursor before the first entry of another run of Redis; None: another writer was faster."""
        new = Cursor(run, START)
        with log_errors(self._engine), self._engine.begin() as connection:
            moved = self._made(connection, new) if old is None else self._moved(connection, old, new)
        return new if moved else None

    def write(self, old: Cursor, new: Cursor, batch: Batch) -> bool:
        """Write a batch and move the cursor, or do neither.

        Args:
            old: where the cursor must be.
            new: where it goes.
            batch: what is written.

        Returns:
            False where it was not at ``old`` any more: another writer was faster, and nothing was written.

        Raises:
            UnstorableError: the database refuses a value. Nothing was written.
        """
        with _refusals(), log_errors(self._engine):
            try:
                return self._written(old, new, batch, self._calls.insert)
            except IntegrityError as error:
                if not _there_already(error):
                    raise
            return self._written(old, new, batch, self._calls.merge)  # a call was reported for the second time

    def _written(
        self, old: Cursor, new: Cursor, batch: Batch, write_calls: Callable[[Connection, Sequence[Row]], None]
    ) -> bool:
        with self._engine.begin() as connection:
            if not self._moved(connection, old, new):
                return False
            self._read.merge(connection, batch.read)
            self._jobs.merge(connection, batch.changed)
            self._noted.merge(connection, batch.noted)
            write_calls(connection, batch.calls)
        return True

    def _made(self, connection: Connection, new: Cursor) -> bool:
        # Not "where there is none": two writers that start at once would both see none.
        into = (
            insert_of(connection)(cursor)
            .values(name=self._name, run=new.run, position=new.position)
            .on_conflict_do_nothing()
        )
        return connection.execute(into, execution_options={"preserve_rowcount": True}).rowcount == 1

    def _moved(self, connection: Connection, old: Cursor, new: Cursor) -> bool:
        change = (
            update(cursor)
            .where(cursor.c.name == self._name, cursor.c.run == old.run, cursor.c.position == old.position)
            .values(run=new.run, position=new.position)
        )
        return connection.execute(change).rowcount == 1


def _there_already(error: IntegrityError) -> bool:
    """Whether a row is refused because it is there already, by what either driver says."""
    unique = {_UNIQUE_VIOLATION, "SQLITE_CONSTRAINT_UNIQUE"}
    return bool(unique & {getattr(error.orig, name, None) for name in ("sqlstate", "sqlite_errorname")})


@contextmanager
def _refusals() -> Iterator[None]:
    """Tell a value that cannot be stored from a database that cannot store.

    Raises:
        UnstorableError: it is the value.
    """
    try:
        yield
    except (DataError, IntegrityError) as error:
        state = getattr(error.orig, "sqlstate", None)
        raise UnstorableError(f"{type(error).__name__} {state or ''}".strip()) from None
    except DBAPIError:
        raise
    except (StatementError, ValueError, TypeError, OverflowError) as error:
        raise UnstorableError(type(error).__name__) from None  # the driver cannot even pass it on
