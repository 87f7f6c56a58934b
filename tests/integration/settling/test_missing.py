"""A job that the log holds as open and the queue does not know, though it was sent: the log is older than the queue.

So it is after the log was restored from a backup: outcomes that it had learned since are gone, and a day later the
queue has forgotten them too. Of the message the queue still knows that it is in the thread, as one of the page's.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from envoi.ids import new_job_id
from envoi.job import Job
from envoi.recovery.missing import put_back
from envoi.recovery.stored import StoredJob
from tests.integration.sandbox.client import PAGE
from tests.integration.settling.rig import PERSON, Rig


def stored(job_id: str, enqueued_at: datetime, text: str = "hello") -> StoredJob:
    """The row of a job as the backup has it."""
    job = Job(page=PAGE, recipient=PERSON, message=text)
    return StoredJob.queued(job, job_id, enqueued_at, age=3600.0)


def forget(rig: Rig, job_id: str) -> None:
    """Its status has run out, and the log has cleaned up after it."""
    rig.queue.redis.delete(rig.queue.keys.settled(job_id), rig.queue.keys.job(job_id))


def now(rig: Rig) -> datetime:
    return datetime.fromtimestamp(rig.queue.time(), UTC)


@pytest.mark.parametrize("later", [(), ("and this",)])
def test_a_missing_job_that_was_sent_and_forgotten_is_not_sent_again(rig: Rig, later: tuple[str, ...]) -> None:
    enqueued_at = now(rig)
    job_id = rig.send("hello")
    rig.ended(job_id, "sent")
    for text in later:  # keeps the page's messages in mind for another day
        rig.ended(rig.send(text), "sent")
    forget(rig, job_id)
    assert put_back(rig.queue, stored(job_id, enqueued_at)) == "settling"
    with rig.settling():
        rig.ended(job_id, "unknown")
    assert rig.texts() == ["hello", *later]


def test_a_missing_job_that_was_not_sent_is_sent_whatever_else_was(rig: Rig) -> None:
    enqueued_at = now(rig)
    rig.ended(rig.send("another"), "sent")
    job_id = new_job_id()
    assert put_back(rig.queue, stored(job_id, enqueued_at)) == "settling"
    with rig.settling():
        rig.ended(job_id, "sent")
    assert rig.texts() == ["another", "hello"]
