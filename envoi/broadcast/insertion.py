"""How some thousand recipients of a broadcast get into SQL in one statement; who is there already is left out."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy import Connection, TextClause, text

from envoi.broadcast.recipients import Person
from envoi.broadcast.states import PENDING
from envoi.ids import id_after

_NAMES = "(broadcast_id, kind, recipient, given, number, job_id, state)"
_POSTGRES = text(
    f"INSERT INTO broadcast_recipients {_NAMES} "  # noqa: S608  # our own words
    "SELECT :broadcast, new.kind, new.recipient, new.given, new.number, new.job_id, :state "
    "FROM json_to_recordset(CAST(:rows AS json)) "
    "AS new(kind text, recipient text, given jsonb, number bigint, job_id text) ON CONFLICT DO NOTHING"
)
_SQLITE = text(
    f"INSERT INTO broadcast_recipients {_NAMES} "  # noqa: S608  # our own words
    "SELECT :broadcast, new.value ->> 'kind', new.value ->> 'recipient', new.value ->> 'given', "
    "new.value ->> 'number', new.value ->> 'job_id', :state FROM json_each(:rows) AS new WHERE true "
    "ON CONFLICT DO NOTHING"
)


def insert_people(connection: Connection, broadcast_id: str, batch: Sequence[tuple[int, Person]]) -> int:
    """Write recipients, each with the id that its job will have. Returns how many were not there.

    Args:
        connection: in a transaction.
        broadcast_id: whose recipients they are.
        batch: with their numbers.
    """
    rows = [
        {
            "kind": person.kind,
            "recipient": person.key,
            "number": number,
            "job_id": id_after(broadcast_id, number),
            **({} if person.given is None else {"given": person.given}),
        }
        for number, person in batch
    ]
    values = {"broadcast": broadcast_id, "state": PENDING, "rows": json.dumps(rows)}
    into: TextClause = _SQLITE if connection.dialect.name == "sqlite" else _POSTGRES
    return int(connection.execute(into, values).rowcount)
