"""Holds and opt-outs in the log: what is in force, and what was lately. Redis asks nothing of it until it was wiped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Row, Select, and_, delete, select

from envoi.log.database import log_errors
from envoi.log.tables import holds, opt_outs
from envoi.log.upsert import insert_of
from envoi.queue.keys import conversation_of
from envoi.standing import Hold, OptOut, Standing, Whose

_BATCH = 500  # rows held at once
_KEPT = timedelta(days=8)  # a released hold; longer than jobs wait behind one


def write_standings(connection: Connection, standings: Iterable[Standing]) -> None:
    """Write what is said of conversations, in its order: of each the last word counts.

    Raises:
        ValueError: a conversation or a time cannot be read.
    """
    last: dict[tuple[type[Standing], str], Standing] = {}
    for said in standings:
        last[type(said), said.conversation] = said
    for said in sorted(last.values(), key=lambda one: one.conversation):  # in one order: writers never wait in a ring
        _write(connection, said)


def holds_of(engine: Engine) -> Iterator[Hold]:
    """Every hold in the log.

    Raises:
        LogUnavailable, SchemaMissing: the database failed.
    """
    for row in _rows(engine, select(holds).where(holds.c.released_at.is_(None))):
        yield Hold(_conversation(row), row.since.timestamp(), row.until.timestamp() if row.until else None)


def released_of(engine: Engine) -> set[str]:
    """The conversations whose holds were released lately.

    Raises:
        LogUnavailable, SchemaMissing: the database failed.
    """
    return {_conversation(row) for row in _rows(engine, select(holds).where(holds.c.released_at.is_not(None)))}


def opt_outs_of(engine: Engine) -> Iterator[OptOut]:
    """Every opt-out in the log.

    Raises:
        LogUnavailable, SchemaMissing: the database failed.
    """
    for row in _rows(engine, select(opt_outs)):
        yield OptOut(_conversation(row), row.since.timestamp())


def _write(connection: Connection, said: Standing) -> None:
    table = holds if isinstance(said, Hold) else opt_outs
    whose = Whose.of(said.conversation)
    key = {"page_id": whose.page, "recipient_kind": whose.kind, "recipient": whose.recipient}
    if said.since is None and not isinstance(said, Hold):
        connection.execute(delete(table).where(and_(*(table.c[name] == value for name, value in key.items()))))
        return
    now = datetime.now(UTC)
    values: dict[str, datetime | None] = {"since": now if said.since is None else _moment(said.since)}
    if isinstance(said, Hold):
        values["until"] = None if said.until is None else _moment(said.until)
        values["released_at"] = now if said.since is None else None
        connection.execute(delete(holds).where(holds.c.released_at < now - _KEPT))
    into = insert_of(connection)(table).values(**key, **values)
    connection.execute(into.on_conflict_do_update(index_elements=list(table.primary_key), set_=values))


def _rows(engine: Engine, wanted: Select[Any]) -> Iterator[Row[Any]]:
    with log_errors(engine), engine.connect() as connection:
        streaming = connection.execution_options(stream_results=True, yield_per=_BATCH)
        with streaming.execute(wanted) as rows:
            yield from rows


def _conversation(row: Row[Any]) -> str:
    return conversation_of(row.page_id, row.recipient_kind, row.recipient)


def _moment(seconds: float) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError) as error:
        raise ValueError(f"not a time: {seconds}") from error
