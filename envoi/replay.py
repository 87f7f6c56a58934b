"""Replay and discard: what an operator does with dead letters. Needs SQLAlchemy: the log alone knows old jobs.

>>> from envoi.replay import open_dead_letters
>>> with open_dead_letters() as letters:
...     for replay in letters.replay(["01M86X3YDD2XQ34SMV5Q0EAHZB"]):
...         print(replay.job_id, replay.result, replay.replay_id or replay.reason)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from sqlalchemy import Engine

from envoi.client import open_queue
from envoi.errors import EnvoiError, InvalidJob, QueueFull, QueueUnavailable, Recovering
from envoi.ids import new_job_id
from envoi.job import Job
from envoi.log import letters
from envoi.log.database import opened_log
from envoi.log.letters import Choice, Letter
from envoi.queue.queue import Queue
from envoi.replay_rules import job_of, not_dead, why_not
from envoi.settings import settings
from envoi.states import State

__all__ = ["Choice", "DeadLetters", "Discard", "Replay", "open_dead_letters"]


@dataclass(frozen=True, slots=True)
class Replay:
    """What became of one job that was to be replayed.

    Attributes:
        result: ``enqueued``; ``already`` (it was replayed before, and nothing was enqueued now); ``refused``.
        replay_id: the job that replays it; None where it was refused.
        reason: why it was refused.
    """

    job_id: str
    result: Literal["enqueued", "already", "refused"]
    replay_id: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Discard:
    """What became of one job that was to be discarded; ``already`` says that it was before."""

    job_id: str
    result: Literal["discarded", "already", "refused"]
    reason: str | None = None


class DeadLetters:
    """The failed, expired and unknown jobs of one queue.

    Every method may raise ``LogUnavailable`` or ``SchemaMissing`` where the log's database fails.

    Args:
        queue: where replays are enqueued.
        engine: the log's database.
    """

    def __init__(self, queue: Queue, engine: Engine) -> None:
        self._queue = queue
        self._engine = engine

    def replay(self, chosen: Iterable[str] | Choice, *, again: bool = False, unknown: bool = False) -> Iterator[Replay]:
        """Enqueue new jobs in place of dead ones: same recipient, message and options, checked at the door again.

        ``at`` and ``expires_at`` are dropped: they were meant for the old job. The new one has an id and a key of its
        own, and says which job it replays. Jobs are enqueued as the results are read, in batches of 500, in the
        order in which they were enqueued first. After an error (below) the same call goes on where it ended.

        Args:
            chosen: ids of jobs, or which dead letters are meant.
            again: replay what was replayed before once more; repeating such a call replays it yet again.
            unknown: replay jobs that ended ``unknown`` too: the person may get those messages twice.

        Raises:
            QueueFull, QueueUnavailable, Recovering: the batch under way was not enqueued (with QueueUnavailable it
                may be: the same call enqueues nothing twice within ``ENVOI_KEY_TTL``).
        """
        if isinstance(chosen, Choice):
            if chosen.state is State.UNKNOWN and not unknown:
                raise UnsureReplay(
                    "jobs that ended unknown may have been sent: only with `unknown`, an operator's word"
                )
            for found in letters.choose(self._engine, chosen, replayed=again):
                yield from self._replayed(found, again=again, unknown=unknown)
            return
        for ids in _batches(chosen):
            known = letters.find(self._engine, ids)
            yield from (_refused(job_id, "the log has no such job") for job_id in ids if job_id not in known)
            batch = [known[job_id] for job_id in ids if job_id in known]
            yield from self._replayed(batch, again=again, unknown=unknown)

    def count(self, chosen: Sequence[str] | Choice, *, again: bool) -> int:
        """How many jobs are meant, as far as that is known before the work.

        Args:
            chosen: as in :meth:`replay` and :meth:`discard`.
            again: also what was replayed before.
        """
        return letters.count(self._engine, chosen, replayed=again) if isinstance(chosen, Choice) else len(set(chosen))

    def discard(self, chosen: Iterable[str] | Choice) -> Iterator[Discard]:
        """Delete the messages of dead letters from the log, 500 at a time. Their rows, states and calls stay."""
        if isinstance(chosen, Choice):
            for found in letters.choose(self._engine, chosen, replayed=True):
                yield from self._discarded(found)
            return
        for ids in _batches(chosen):
            known = letters.find(self._engine, ids)
            yield from (Discard(job_id, "refused", "the log has no such job") for job_id in ids if job_id not in known)
            yield from self._discarded([known[job_id] for job_id in ids if job_id in known])

    def _replayed(self, batch: Sequence[Letter], *, again: bool, unknown: bool) -> Iterator[Replay]:
        jobs: dict[str, Job] = {}
        for letter in batch:
            if reason := why_not(letter, unknown=unknown):
                yield _refused(letter.id, reason)
            elif letter.replays and not again:
                yield Replay(letter.id, "already", letter.last_replay)
            else:
                try:
                    jobs[letter.id] = job_of(letter)
                except InvalidJob as error:
                    yield _refused(letter.id, str(error))
        yield from self._enqueued(jobs)

    def _enqueued(self, jobs: dict[str, Job]) -> Iterator[Replay]:
        """Enqueue all at once; where one of them is refused, one by one, so that the others go."""
        if not jobs:
            return
        ids = [new_job_id() for _ in jobs]
        try:
            taken = self._queue.enqueue(list(jobs.values()), ids)
        except (QueueFull, QueueUnavailable, Recovering):
            raise
        except EnvoiError as error:
            if len(jobs) == 1:
                yield _refused(next(iter(jobs)), str(error))
                return
            for job_id, job in jobs.items():
                yield from self._enqueued({job_id: job})
            return
        for job_id, fresh, found in zip(jobs, ids, taken, strict=True):
            yield Replay(job_id, "enqueued" if found == fresh else "already", found)

    def _discarded(self, batch: Sequence[Letter]) -> Iterator[Discard]:
        mine = [letter for letter in batch if letter.state in letters.DEAD and letter.discarded_at is None]
        letters.discard(self._engine, [letter.id for letter in mine])
        for letter in batch:
            if letter.discarded_at is not None:
                yield Discard(letter.id, "already")
            elif letter.state in letters.DEAD:
                yield Discard(letter.id, "discarded")
            else:
                yield Discard(letter.id, "refused", not_dead(letter))


class UnsureReplay(EnvoiError):  # noqa: N818  # says what is wrong, as all errors of Envoi do
    """Jobs that may have been sent are replayed on an operator's word only."""


@contextmanager
def open_dead_letters(redis_url: str | None = None, database_url: str | None = None) -> Iterator[DeadLetters]:
    """The dead letters of a queue and its log; both are closed at the end.

    Args:
        redis_url: where the queue is; without it ``ENVOI_REDIS_URL`` is read.
        database_url: where its log is; without it ``ENVOI_DATABASE_URL`` is read.

    Raises:
        BadSettings, LogError: an address or a setting is malformed, or there is no such log.
    """
    with (
        opened_log(database_url or settings().database_url) as engine,
        closing(open_queue(redis_url).redis) as client,
    ):
        yield DeadLetters(Queue(client, settings()), engine)


def _refused(job_id: str, reason: str) -> Replay:
    return Replay(job_id, "refused", reason=reason)


def _batches(ids: Iterable[str]) -> Iterator[list[str]]:
    """Ids sort by the time of their jobs, so that replays keep the order of a conversation."""
    left = iter(sorted(set(ids)))
    while batch := list(islice(left, letters.BATCH)):
        yield batch
