"""An entry of the outbox: what an app writes into its own database, in the transaction that is the reason to send.

Needs no SQLAlchemy: an app with another way to its database writes the entry by its own means (docs/outbox.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from envoi.ids import new_job_id
from envoi.job import Job


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of ``envoi_outbox``, the columns that the app writes.

    Attributes:
        job_id: the job's id, fixed here: relayed twice, it is enqueued once.
        job: the job as JSON.
        created_at: now, aware.
    """

    job_id: str
    job: str
    created_at: datetime


def outbox_entry(page: str, recipient: Any, message: Any, **options: Any) -> Entry:  # noqa: ANN401  # as Envoi.send takes them
    """Check a job, and make an entry of it. Arguments are those of :meth:`envoi.Envoi.send`.

    Raises:
        InvalidJob: names every field that is wrong, with its limit.
    """
    return entry_of(Job(page=page, recipient=recipient, message=message, **options))


def entry_of(job: Job) -> Entry:
    """The entry of a job."""
    job_id = new_job_id()
    return Entry(job_id, job.payload(job_id), datetime.now(UTC))
