"""The gate: after a restart of Redis nothing is claimed before the queue has been looked over.

Redis forgets its scripts when it restarts, so workers cannot claim. Only a scheduler loads them again, once this run of
Redis is safe to work on; the run's id is then stored as the queue's epoch.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

import structlog
from sqlalchemy import Engine

from envoi.errors import Recovering
from envoi.log.milestones import Milestone, Milestones
from envoi.log.pages import PageStore
from envoi.log.queries import open_jobs
from envoi.queue.queue import Queue
from envoi.queue.server import EvictingRedis, check_server
from envoi.recovery.introduction import introduce
from scheduler.lease import Lease
from scheduler.look_over import LookOver

_OPEN_PERIOD = 2.0  # seconds; a restart is noticed sooner, by the first script that is not there
_CLOSED_PERIOD = 0.1
_LEASE = 10.0  # seconds that a scheduler keeps the look over the queue to itself when a step takes long

log = structlog.get_logger()


class Gate:
    """The duty that opens the queue, and closes it when Redis has restarted.

    Any number of schedulers may have it: the first epoch and the loading of scripts can be done twice without harm, and
    the look over the queue after a restart is under a lease in Redis.

    Args:
        queue: the queue.
        log_engine: the log's database, which says whether a queue without an epoch was wiped.
        clock: seconds, ever growing.

    Attributes:
        open: whether this run of Redis is the one that the queue is open for, as far as is known.
        lease: the right to look the queue over.
    """

    name = "gate"

    def __init__(self, queue: Queue, log_engine: Engine, clock: Callable[[], float] = time.monotonic) -> None:
        self.open = False
        self.lease = Lease(f"{queue.keys.base}looker", _LEASE)
        self._queue = queue
        self._engine = log_engine
        self._milestones = Milestones(log_engine)
        self._clock = clock
        self._run_id: str | None = None
        self._look_over: LookOver | None = None

    @property
    def period(self) -> float:
        """Seconds until the next turn."""
        return _OPEN_PERIOD if self.open else _CLOSED_PERIOD

    def turn(self) -> bool:
        """Go one step towards an open queue. Returns whether more is left to be done at once.

        Raises:
            QueueUnavailable: Redis did not answer.
            LogUnavailable, SchemaMissing: the log cannot say whether it holds open jobs.
            Recovering: this Redis was wiped.
            UnfitRedis: this Redis evicts keys, or is too old; or its queue is too new or too old for this version.
        """
        was_open, self.open = self.open, False  # until we know better
        run_id = self._queue.run_id()
        if run_id != self._run_id:
            self._meet(run_id)
        epoch = self._queue.epoch()
        if epoch is None:
            self._first_epoch(run_id)
        elif epoch == run_id:
            self._keep_open(run_id, told=was_open)
        else:
            return self._after_restart(run_id)
        return False

    def _meet(self, run_id: str) -> None:
        """A run that this scheduler has not seen yet."""
        self._look_over = None
        try:
            warnings = check_server(self._queue.redis)
            self._queue.check_version()
        except EvictingRedis:
            self._queue.refuse_all()  # producers do not look: this scheduler's word must outlast it
            raise
        for warning in warnings:
            log.warning(warning, action="server")
        self._run_id = run_id

    def _keep_open(self, run_id: str, *, told: bool) -> None:
        if not self._queue.gate_open():
            # The queue was looked over, but scripts were flushed, or are of another version than ours.
            self._queue.open_gate(run_id)
        self.open = True
        if not told:
            log.info("ready", action="ready", epoch=run_id)

    def _first_epoch(self, run_id: str) -> None:
        """A new Redis, or one that was wiped: the log knows."""
        if open_jobs(self._engine):
            found = self._milestones.set_wiped(Milestone(run_id, self._queue.time()))
            raise Recovering(
                "the queue stays closed: Redis holds no epoch, yet the log holds jobs without outcome. Redis was wiped "
                f"(before {datetime.fromtimestamp(found.at, UTC):%Y-%m-%d %H:%M:%SZ}): run `envoi recover`. Or it is "
                "not the Redis that belongs to this log: correct ENVOI_REDIS_URL or ENVOI_DATABASE_URL"
            )
        pages = PageStore(self._engine, None).list()
        introduce(self._queue, pages)  # before anything is claimed: their pace, their cap, an operator's pause
        log.info("a new queue gets its first epoch", action="gate", epoch=run_id, pages=len(pages))
        self._queue.open_gate(run_id)
        self._keep_open(run_id, told=False)

    def _after_restart(self, run_id: str) -> bool:
        if self._look_over is None:
            log.warning("Redis has restarted: the queue is closed until it was looked over", action="gate", run=run_id)
            self._look_over = LookOver(self._queue, run_id, self.lease, self._clock)
        look = self._look_over
        done = look.turn()
        self.lease.note_run()
        if not done:
            return look.hurried
        self._queue.open_gate(run_id)
        self.lease.release(self._queue.redis)
        waited = round(look.waited, 1)
        log.info("the queue was looked over", action="gate", epoch=run_id, seconds=waited, suspects=look.suspects)
        self._keep_open(run_id, told=False)
        return False
