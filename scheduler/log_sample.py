"""Figures of the log, and of an app's outbox: counted up to 1000, so that no count grows with the tables."""

from __future__ import annotations

from datetime import UTC, datetime

from prometheus_client.core import Metric
from sqlalchemy import Engine, func, select

from envoi.doctor.doubts import read_doubts
from envoi.metrics import families
from envoi.metrics.exposition import exposed
from envoi.outbox.database import database_errors
from envoi.outbox.table import outbox

_MOST = 1000  # rows that are counted


def read_log(engine: Engine) -> list[Metric]:
    """Jobs that nobody answered for.

    Raises:
        LogUnavailable, SchemaMissing: the log could not be read.
    """
    found = read_doubts(engine)
    return [
        exposed(families.SETTLING, found.settling),
        exposed(families.SETTLING_OLDEST, _age(found.settling_since)),
        exposed(families.UNKNOWN, found.unknown),
    ]


def read_outbox(engine: Engine) -> list[Metric]:
    """Rows that no relay has taken, and those that the queue has refused.

    Raises:
        OutboxUnavailable: the app's database did not answer, or has no outbox.
    """
    waits = outbox.c.error.is_(None)
    first = select(outbox.c.created_at).where(waits).order_by(outbox.c.id).limit(1)
    with database_errors(engine), engine.connect() as connection:
        waiting, refused = (
            connection.execute(
                select(func.count()).select_from(select(outbox.c.id).where(which).limit(_MOST).subquery())
            ).scalar_one()
            for which in (waits, outbox.c.error.is_not(None))
        )
        oldest = connection.execute(first).scalar()
    return [
        exposed(families.OUTBOX, {("waiting",): waiting, ("refused",): refused}),
        exposed(families.OUTBOX_AGE, _age(oldest)),
    ]


def _age(since: datetime | None) -> float:
    return 0.0 if since is None else max(0.0, (datetime.now(UTC) - since).total_seconds())
