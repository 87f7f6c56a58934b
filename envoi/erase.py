"""Erasure: a person's data leaves the queue, the log and the outbox. Needs SQLAlchemy: ``pip install 'envoi[worker]'``.

>>> from envoi.erase import open_erasure
>>> with open_erasure() as erasure:
...     erasure.erase("PAGE", "PSID")

What it cannot reach: Redis's append-only file until it is rewritten, SQL's write-ahead log and dead rows until they are
vacuumed, backups of either, log files, and Meta itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine

from envoi.client import open_queue
from envoi.conversation import named
from envoi.errors import NotErased
from envoi.log.database import opened_log
from envoi.log.erasing import LogErasing
from envoi.outbox.database import open_outbox
from envoi.outbox.erasing import erase_entries
from envoi.queue.keys import conversation_of
from envoi.queue.queue import Queue
from envoi.queue.traces import Traces
from envoi.settings import settings
from envoi.standing import Whose

__all__ = ["Erased", "Erasure", "open_erasure"]

_PATIENCE = 30.0  # seconds that the log may need to catch up


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased now; all 0 where nothing was left.

    Attributes:
        cancelled: jobs that waited.
        jobs: rows of the log that name nobody any more.
        broadcasts: broadcasts that count the person by a name that says nothing.
        outbox: entries of the outbox, deleted before they were relayed.
        outcomes: outcomes that no app had read, deleted.
    """

    cancelled: int
    jobs: int
    broadcasts: int
    outbox: int
    outcomes: int


class Erasure:
    """Erases people.

    Args:
        queue: an open one, with a scheduler at work: the log must have all that is to be erased from it.
        engine: the log's database.
        outbox: the app's own database, if it has an outbox.
        patience: seconds that the log may need to catch up.
    """

    def __init__(
        self, queue: Queue, engine: Engine, outbox: Engine | None = None, *, patience: float = _PATIENCE
    ) -> None:
        self._queue = queue
        self._engine = engine
        self._outbox = outbox
        self._patience = patience

    def erase(self, page: str, recipient: Any) -> Erased:  # noqa: ANN401  # as Envoi.send takes it
        """Cancel what waits for a person, and erase what names them: texts, ids, message ids, keys, opt-out and hold.

        Rows of jobs and calls stay, and name nobody. An opt-out is erased too: whoever must not be written to again
        has to be left out by the app. Interrupted, or told that something is under way, run it again.

        Args:
            page: the page's id; each page knows the person by another id.
            recipient: a page-scoped id, or the Send API's own object. With an id, jobs to a comment, a phone number, …
                count too where Meta has answered that they reached this id.

        Raises:
            InvalidConversation: there can be no such person.
            NotErased: a message is under way, or the log is behind. What was erased stays so.
            Recovering: Redis has restarted, and the queue is being looked over; try again.
            QueueUnavailable, LogUnavailable, SchemaMissing, OutboxUnavailable: a server failed.
        """
        whose = Whose.of(named(page, recipient))
        log, traces = LogErasing(self._engine, whose), Traces(self._queue, page)
        entries = erase_entries(self._outbox, whose) if self._outbox else 0
        broadcasts = log.stop_broadcasts()
        self._catch_up(traces)  # what the log does not know yet may tell of more conversations
        found = log.conversations()
        cancelled = sum(self._clear(one) for one in found)
        self._catch_up(traces)
        jobs = {job_id for one in found for job_id in log.jobs_of(one)}
        outcomes = traces.forget_entries(jobs, whose.recipient)
        for one in found:
            for batch in log.traces(one):
                traces.forget_jobs([(trace.id, trace.key) for trace in batch])
        for one in found:
            log.forget(one)
            if not self._queue.forget(conversation_of(*one)):
                raise NotErased("a job was enqueued for this person meanwhile: run it again")
        traces.forget_waiting([conversation_of(*one) for one in found])
        return Erased(cancelled, len(jobs), broadcasts, entries, outcomes)

    def _clear(self, whose: Whose) -> int:
        found = self._queue.clear(conversation_of(*whose))
        if found.going_on:
            raise NotErased(
                f"a message of job {found.going_on} is under way, or nobody has answered for it yet; {found.cancelled} "
                "jobs that waited are cancelled. Run it again when that job has its outcome (`envoi status`)"
            )
        return found.cancelled

    def _catch_up(self, traces: Traces) -> None:
        if not traces.wait_until_logged(self._patience):
            raise NotErased(
                f"the log is more than {self._patience:g} s behind, so it may lack what is to be erased: see that a "
                "scheduler runs and that its database answers, and run it again"
            )


@contextmanager
def open_erasure(*, patience: float = _PATIENCE) -> Iterator[Erasure]:
    """An erasure with connections of its own, to what the settings name; closed at the end.

    Raises:
        BadSettings, LogError: an address is malformed, or there is no such log.
    """
    with ExitStack() as opened:
        engine = opened.enter_context(opened_log(settings().database_url))
        outbox = open_outbox() if settings().outbox_database_url else None
        if outbox:
            opened.callback(outbox.dispose)
        queue = open_queue()
        opened.callback(queue.redis.close)
        yield Erasure(queue, engine, outbox, patience=patience)
