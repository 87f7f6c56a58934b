"""A person's entries in the outbox: deleted, relayed or not."""

from __future__ import annotations

import json

from sqlalchemy import Engine, delete, select

from envoi.outbox.database import database_errors
from envoi.outbox.table import outbox
from envoi.sendapi.recipient import Recipient
from envoi.standing import Whose

_BATCH = 500


def erase_entries(engine: Engine, whose: Whose) -> int:
    """Delete the rows that hold a job to this person. Reads the whole outbox, which is short where a relay runs.

    Returns:
        How many.

    Raises:
        OutboxUnavailable: the app's database failed.
    """
    erased, after = 0, 0
    wanted = select(outbox.c.id, outbox.c.job).order_by(outbox.c.id).limit(_BATCH)
    with database_errors(engine), engine.begin() as connection:
        while rows := connection.execute(wanted.where(outbox.c.id > after)).all():
            named = [row.id for row in rows if _is_to(row.job, whose)]
            if named:
                erased += connection.execute(delete(outbox).where(outbox.c.id.in_(named))).rowcount
            after = rows[-1].id
    return erased


def _is_to(text: str, whose: Whose) -> bool:
    try:
        job = json.loads(text)
        recipient = Recipient.model_validate(job["recipient"])
    except (ValueError, KeyError, TypeError):  # not a job: the relay refuses it
        return False
    return job.get("page") == whose.page and (recipient.kind, recipient.key) == (whose.kind, whose.recipient)
