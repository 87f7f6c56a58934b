"""What the tests of recovery have in hand: a queue, its log, a worker, and a way to wipe the Redis."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis
from sqlalchemy import Engine

from envoi.errors import Recovering
from envoi.events import GraphError
from envoi.job import Job
from envoi.log import queries
from envoi.log.milestones import Milestone, Milestones
from envoi.queue.claim import Claimed
from envoi.queue.done import Done
from envoi.queue.queue import Queue
from envoi.recovery.recovery import Recovered, Recovery
from envoi.settings import Settings
from envoi.states import State
from scheduler.epoch import Gate
from scheduler.log_writer import LogWriter
from scheduler.receipts import ReceiptWriter
from tests.integration.scheduler.hands import PAGE, Worker, settle

SETTLE = 150.0  # seconds, of the settings below


class House:
    """An open queue and all around it. Its leases are short: a recovery waits for them."""

    def __init__(self, client: redis.Redis, engine: Engine, **settings: Any) -> None:
        given = {"lease": 0.05, "page_pace": 10.0, "page_cap": 2, "graph_latest_media": SETTLE - 30}
        self.queue = Queue(client, Settings(**{**given, **settings}))
        self.engine = engine
        self.redis: Any = client
        self.writer = LogWriter(self.queue, engine)
        self.gate = settle(Gate(self.queue, engine))
        self.worker = Worker(self.queue, "w1")
        self.milestones = Milestones(engine)
        self._turns = 0

    def put(
        self,
        person: str = "1",
        text: str | dict[str, Any] = "hello",
        *,
        in_seconds: float | None = None,
        **options: Any,
    ) -> str:
        at = None if in_seconds is None else datetime.now(UTC) + timedelta(seconds=in_seconds)
        job = Job(page=options.pop("page", PAGE), recipient=person, message=text, at=at, **options)
        return self.queue.enqueue([job])[0]

    def take(self) -> Claimed:
        """The next conversation, whatever the page's pace says."""
        while self._offer():
            if claimed := self.worker.claim():
                return claimed[0]
        raise LookupError("nothing waits")

    def _offer(self) -> bool:
        """Let the page be claimed from at once. Returns whether anything is in its waiting lists."""
        self.redis.hdel(self.queue.keys.page(PAGE), "free", "slot", "mfree", "mslot")
        base = self.queue.keys.base
        queues = [(name, lane) for name in (PAGE, f"{PAGE}/m") for lane in "rb"]
        waiting = [found for found in queues if self.redis.exists(f"{base}w:{found[0]}:{found[1]}")]
        self._turns += 1  # texts and media by turns
        for name, lane in waiting:
            self.redis.zadd(f"{base}pages:{lane}", {name: self._turns % 2 if name == PAGE else 0.5})
        return bool(waiting)

    def done(self, held: Claimed, op: Any, **options: Any) -> str:
        if op == "settle":
            options = {"state": State.SENT, "message_id": f"m_{held.job_id}", **options}
        if op == "retry":
            options = {"error": GraphError("later", 2), "seconds": 60.0, **options}
        return str(self.queue.trip([Done(held, op, [], **options)])[0])

    def send(self) -> str:
        """One message, from claim to outcome. Returns its job."""
        held = self.take()
        self.worker.begin(held)
        self.done(held, "settle")
        return held.job_id

    def send_all(self) -> list[str]:
        """Every message that waits. Returns their jobs, in the order of sending."""
        sent = []
        while True:
            try:
                sent.append(self.send())
            except LookupError:
                return sent

    def log(self) -> None:
        """Copy all events."""
        while self.writer.turn():
            pass

    def log_standings(self) -> None:
        """Copy all holds and opt-outs."""
        receipts = ReceiptWriter(self.queue, self.engine)
        while receipts.turn():
            pass

    def wipe(self, *, unlogged: float | None = None) -> None:
        """Redis loses everything.

        Args:
            unlogged: so many seconds after the log was complete, as the milestones have it; None: whatever they have.
        """
        if unlogged is not None:
            now = self.queue.time()
            self.milestones.set_complete(Milestone(self.queue.run_id(), now - unlogged))
            self.milestones.set_wiped(Milestone(self.queue.run_id(), now))
        self.redis.flushall()
        self.redis.script_flush()

    def refuses(self) -> None:
        """Nothing can be enqueued, and no scheduler opens the queue."""
        with pytest.raises(Recovering):
            self.put()
        with pytest.raises(Recovering, match="envoi recover"):
            self.gate.turn()

    def recover(self, *, lost: float | None = 0.0, **options: Any) -> Recovered:
        return Recovery(self.queue, self.engine, lost=lost, **options).run()

    def reopen(self) -> None:
        """A scheduler opens the gate."""
        settle(self.gate)
        assert self.gate.open

    def state(self, job_id: str) -> str:
        return str(self.queue.status(job_id)["state"])

    def logged(self, job_id: str) -> queries.LoggedJob:
        found = queries.job(self.engine, job_id)
        assert found
        return found

    def line(self, person: str) -> list[str]:
        return list(self.redis.lrange(self.queue.keys.line(f"{PAGE}/id/{person}"), 0, -1))
