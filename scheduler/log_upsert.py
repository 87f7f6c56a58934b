"""Statements that merge many rows at once, for either database. The rules of merging: scheduler/log_changes.py.

All rows of a batch go as one JSON document, which the database takes apart: that costs the writer a fraction of what
parameters cost, one by one or as arrays.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    DateTime,
    Engine,
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

from envoi.json_text import dumped
from envoi.log.columns import UtcDateTime
from envoi.log.tables import calls, jobs
from envoi.states import State
from scheduler.log_rows import ENQUEUED, Row

_FIRST_TOLD = ("message_id", "recipient_id", "sent_at")
_ERROR = ("error_code", "error_subcode", "error_message")
_RECEIPTS = ("delivered_at", "read_at")  # not told by events of the queue
_BY_HAND = ("discarded_at",)  # told by an operator alone
_CLOSED = jobs.c.state == State.SENT.value

_Excluded = Any  # the columns of the new row; the two dialects share no type for it
_Merge = Callable[[_Excluded], dict[str, ColumnElement[Any]]]


class Upsert:
    """One statement, built once, that takes any number of rows.

    Args:
        engine: of the database that it is for.
        table: where the rows go; its columns but those of ``without`` are to be given.
        merge: from the new row to what becomes of one that is there already; None: that one stays as it is.
    """

    def __init__(self, engine: Engine, table: Table, without: Sequence[str], merge: _Merge | None) -> None:
        names = [column.name for column in table.c if column.name not in without]
        into: Any  # the two dialects' inserts share no type
        if engine.dialect.name == "postgresql":
            into, self._document = postgresql.insert(table).from_select(names, _postgres_rows(table, names)), _document
        else:
            into, self._document = sqlite.insert(table).from_select(names, _sqlite_rows(names)), _sqlite_document
        if merge is None:
            self._statement = into.on_conflict_do_nothing()
        else:
            self._statement = into.on_conflict_do_update(
                index_elements=list(table.primary_key), set_=merge(into.excluded)
            )

    def run(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Merge the rows, none of them twice, into the table."""
        if rows:
            connection.execute(self._statement, {"rows": self._document(rows)})


def upsert_jobs(engine: Engine) -> Upsert:
    """For rows of jobs that have a new state."""
    return Upsert(engine, jobs, [*_RECEIPTS, *_BY_HAND], _changed)


def upsert_noted_jobs(engine: Engine) -> Upsert:
    """For rows of jobs that only notes were made of."""
    return Upsert(engine, jobs, [*_RECEIPTS, *_BY_HAND], _noted)


def insert_calls(engine: Engine) -> Upsert:
    """For rows of calls. A call that is there already is reported for the second time."""
    return Upsert(engine, calls, ["id"], None)


def _changed(new: _Excluded) -> dict[str, ColumnElement[Any]]:
    merged: dict[str, ColumnElement[Any]] = {name: func.coalesce(jobs.c[name], new[name]) for name in ENQUEUED}
    for name in ("state", "due_at", "settled_at"):
        merged[name] = case((_CLOSED, jobs.c[name]), else_=new[name])
    # Rescheduled, a job expires later: its text was read anew, where Redis still has it.
    before, now = jobs.c.expires_at, new.expires_at
    merged["expires_at"] = case((_CLOSED, func.coalesce(before, now)), else_=func.coalesce(now, before))
    gone = new.state == State.SENT.value
    for name in _ERROR:
        merged[name] = case((_CLOSED | new.error_message.is_(None) & ~gone, jobs.c[name]), else_=new[name])
    return merged | _noted(new)


def _noted(new: _Excluded) -> dict[str, ColumnElement[Any]]:
    merged: dict[str, ColumnElement[Any]] = {name: func.coalesce(jobs.c[name], new[name]) for name in _FIRST_TOLD}
    merged["attempts"] = case((_CLOSED | (new.attempts == 0), jobs.c.attempts), else_=new.attempts)
    return merged


def _postgres_rows(table: Table, names: Sequence[str]) -> Select[Any]:
    kinds = [column(name, _kind(table, name)) for name in names]
    document = cast(bindparam("rows", type_=Text), postgresql.JSON)
    rows = func.json_to_recordset(document).table_valued(*kinds, name="new").render_derived(with_types=True)
    return select(*(cast(rows.c[name], JSONB) if name == "payload" else rows.c[name] for name in names))


def _sqlite_rows(names: Sequence[str]) -> Select[Any]:
    rows = func.json_each(bindparam("rows", type_=Text)).table_valued("value", name="new")
    # Without a condition SQLite would take ON CONFLICT for a join's ON.
    return select(*(func.json_extract(rows.c.value, f"$.{name}") for name in names)).where(true())


def _kind(table: Table, name: str) -> Any:  # noqa: ANN401  # any type of SQLAlchemy
    if name == "payload":
        return Text()
    kind = table.c[name].type
    return DateTime(timezone=True) if isinstance(kind, UtcDateTime) else kind


def _document(rows: Sequence[Row]) -> str:
    """Times as ISO 8601 has them, in UTC."""
    return dumped(rows).decode()


def _sqlite_document(rows: Sequence[Row]) -> str:
    return json.dumps(rows, default=_without_offset, allow_nan=False)


def _without_offset(value: datetime) -> str:
    """As UtcDateTime stores it in SQLite. All times of rows are in UTC."""
    return value.replace(tzinfo=None).isoformat(" ", "microseconds")
