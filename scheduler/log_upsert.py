"""Statements that merge many rows at once, for either database. The rules of merging: scheduler/log_changes.py.

PostgreSQL is given an array for each column (scheduler/log_arrays.py), SQLite one JSON document: it takes it apart for
a fraction of what parameters cost, one by one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Engine,
    Float,
    Integer,
    Select,
    Table,
    Text,
    bindparam,
    case,
    cast,
    column,
    func,
    select,
    true,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import NullType

from envoi.log.columns import UtcDateTime
from envoi.log.tables import calls, jobs
from envoi.states import State
from scheduler.log_arrays import Array, BigIntegerArray, FloatArray, IntegerArray, TextArray, TimeArray, know_arrays
from scheduler.log_rows import CALL, ENQUEUED, TOLD, Row

_FIRST_TOLD = ("message_id", "recipient_id", "sent_at")
_ERROR = ("error_code", "error_subcode", "error_message")
_CLOSED = jobs.c.state == State.SENT.value
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  # as UtcDateTime stores times in SQLite: in UTC, without an offset

_Excluded = Any  # the columns of the new row; the two dialects share no type for it
_Merge = Callable[[_Excluded], dict[str, ColumnElement[Any]]]


class Upsert:
    """One statement, built once, that takes any number of rows.

    Args:
        engine: of the database that it is for.
        table: where the rows go.
        names: of the columns that the rows are of, in their order.
        of_one: the columns that tell one row from another.
        merge: from the new row to what becomes of one that is there already; None: that one stays as it is.
    """

    def __init__(
        self, engine: Engine, table: Table, names: Sequence[str], of_one: Sequence[str], merge: _Merge | None
    ) -> None:
        into: Any  # the two dialects' inserts share no type
        self._into_postgres = engine.dialect.name == "postgresql"
        self._arrays = [_array_for(table, name) for name in names]
        if self._into_postgres:
            into = postgresql.insert(table).from_select(names, _postgres_rows(names))
        else:
            into = sqlite.insert(table).from_select(names, _sqlite_rows(names))
        if merge is None:
            self._merge = into.on_conflict_do_nothing(index_elements=of_one)
        else:
            self._merge = into.on_conflict_do_update(index_elements=of_one, set_=merge(into.excluded))
        self._insert = into

    def insert(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Put rows into the table of which none should be there yet: that is little more than half the work.

        Raises:
            sqlalchemy.exc.IntegrityError: one is.
            ValueError: a value has no place in its column.
        """
        self._run(connection, self._insert, rows)

    def merge(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Merge rows, none of them twice, into the table.

        Raises:
            ValueError: a value has no place in its column.
        """
        self._run(connection, self._merge, rows)

    def _run(self, connection: Connection, statement: Any, rows: Sequence[Row]) -> None:  # noqa: ANN401  # of either dialect
        if not rows:
            return
        if self._into_postgres:
            _let_know(connection)
            columns = zip(self._arrays, zip(*rows, strict=True), strict=True)
            given: dict[str, Any] = {f"c{n}": array(values) for n, (array, values) in enumerate(columns)}
        else:
            given = {"rows": json.dumps([self._sqlite_row(row) for row in rows], allow_nan=False)}
        connection.execute(statement, given)

    def _sqlite_row(self, row: Row) -> list[Any]:
        return [
            _sqlite_time(value) if array is TimeArray and value is not None else value
            for array, value in zip(self._arrays, row, strict=True)
        ]


def upsert_read_jobs(engine: Engine) -> Upsert:
    """For rows of jobs that were read as they were enqueued."""
    return Upsert(engine, jobs, [*TOLD, *ENQUEUED], ["id"], _read)


def upsert_jobs(engine: Engine) -> Upsert:
    """For rows of other jobs that have a new state."""
    return Upsert(engine, jobs, TOLD, ["id"], _changed)


def upsert_noted_jobs(engine: Engine) -> Upsert:
    """For rows of jobs that only notes were made of."""
    return Upsert(engine, jobs, TOLD, ["id"], _noted)


def insert_calls(engine: Engine) -> Upsert:
    """For rows of calls. A call that is there already is reported for the second time."""
    return Upsert(engine, calls, CALL, ["job_id", "started_at", "step"], None)


def _read(new: _Excluded) -> dict[str, ColumnElement[Any]]:
    merged: dict[str, ColumnElement[Any]] = {name: func.coalesce(jobs.c[name], new[name]) for name in ENQUEUED}
    # Rescheduled, a job expires later: its text was read anew, where Redis still has it.
    before, now = jobs.c.expires_at, new.expires_at
    merged["expires_at"] = case((_CLOSED, func.coalesce(before, now)), else_=func.coalesce(now, before))
    return merged | _changed(new)


def _changed(new: _Excluded) -> dict[str, ColumnElement[Any]]:
    merged: dict[str, ColumnElement[Any]] = {}
    for name in ("state", "due_at", "settled_at"):
        merged[name] = case((_CLOSED, jobs.c[name]), else_=new[name])
    gone = new.state == State.SENT.value
    for name in _ERROR:
        merged[name] = case((_CLOSED | new.error_message.is_(None) & ~gone, jobs.c[name]), else_=new[name])
    return merged | _noted(new)


def _noted(new: _Excluded) -> dict[str, ColumnElement[Any]]:
    merged: dict[str, ColumnElement[Any]] = {name: func.coalesce(jobs.c[name], new[name]) for name in _FIRST_TOLD}
    merged["attempts"] = case((_CLOSED | (new.attempts == 0), jobs.c.attempts), else_=new.attempts)
    return merged


def _array_for(table: Table, name: str) -> type[Array]:
    kind = table.c[name].type
    if name == "payload" or isinstance(kind, Text):
        return TextArray
    if isinstance(kind, UtcDateTime):
        return TimeArray
    if isinstance(kind, Float):
        return FloatArray
    if isinstance(kind, BigInteger):
        return BigIntegerArray
    if isinstance(kind, Integer):
        return IntegerArray
    raise TypeError(f"{table.name}.{name}: no array for {kind}")


def _postgres_rows(names: Sequence[str]) -> Select[Any]:
    arrays = [bindparam(f"c{number}", type_=NullType()) for number in range(len(names))]
    rows = func.unnest(*arrays).table_valued(*(column(name) for name in names), name="new").render_derived()
    return select(*(cast(rows.c[name], JSONB) if name == "payload" else rows.c[name] for name in names))


def _sqlite_rows(names: Sequence[str]) -> Select[Any]:
    rows = func.json_each(bindparam("rows", type_=Text)).table_valued("value", name="new")
    # Without a condition SQLite would take ON CONFLICT for a join's ON.
    return select(*(func.json_extract(rows.c.value, f"$[{number}]") for number in range(len(names)))).where(true())


def _let_know(connection: Connection) -> None:
    """What the driver's connection must know, once for each."""
    if "arrays" not in connection.info:
        driver: Any = connection.connection.driver_connection
        know_arrays(driver.adapters)
        connection.info["arrays"] = True


def _sqlite_time(micros: int) -> str:
    return (_EPOCH + timedelta(microseconds=micros)).isoformat(" ", "microseconds")
