"""Tells events as the scripts of the queue append them, and reads what came of them in the log."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import Engine, select

from envoi.events import CallRecord, GraphError, dump_calls, dump_error
from envoi.job import Job
from envoi.log.tables import calls, jobs
from envoi.queue.queue import Queue
from envoi.states import State
from scheduler.log_writer import LogWriter


class Teller:
    """Appends to the stream of a queue."""

    def __init__(self, queue: Queue) -> None:
        self.queue = queue
        self.now = time.time()

    def enqueue(self, count: int = 1, **fields: Any) -> list[str]:
        return self.queue.enqueue(
            [Job(page="P", recipient=str(number % 10), message=f"text {number}", **fields) for number in range(count)]
        )

    def tell(
        self,
        job_id: str,
        state: State | None,
        *,
        attempt: int | None = 1,
        message_id: str | None = None,
        error: GraphError | None = None,
        due: float | None = None,
        called: list[CallRecord] | None = None,
    ) -> str:
        self.now += 0.001
        given = {
            "a": attempt,
            "m": message_id,
            "r": message_id and "person",
            "x": dump_error(error),
            "d": due,
            "c": dump_calls(called or []),
        }
        return self.append(
            {
                "e": "note" if state is None else state.value,
                "j": job_id,
                "t": f"{self.now:.6f}",
                **{name: value for name, value in given.items() if value},
            }
        )

    def append(self, fields: dict[Any, Any], position: str = "*") -> str:
        return str(self.queue.redis.xadd(self.queue.keys.events, fields, id=position))

    def send(self, job_id: str) -> None:
        """All that a job's attempt tells where everything goes well: 4 events, 3 calls."""
        message_id = f"m_{job_id}"
        self.tell(job_id, State.SENDING)
        self.tell(job_id, None, called=[self.call("typing_on")])
        self.tell(job_id, None, message_id=message_id, called=[self.call("message", message_id=message_id)])
        self.tell(job_id, State.SENT, message_id=message_id, called=[self.call("typing_off")])

    def call(self, step: str, **fields: Any) -> CallRecord:
        self.now += 0.001
        return CallRecord(step, self.now, 12.5, "Accepted", 200, **fields)

    @property
    def waiting(self) -> int:
        """Events not trimmed yet."""
        return int(self.queue.redis.xlen(self.queue.keys.events))


def copy_all(writer: LogWriter, teller: Teller, turns: int = 200) -> None:
    """Let a writer turn until the stream is empty."""
    for _ in range(turns):
        writer.turn()
        if not teller.waiting:
            return
    raise AssertionError(f"{teller.waiting} events left after {turns} turns")


def all_jobs(engine: Engine) -> dict[str, Any]:
    with engine.connect() as connection:
        return {row.id: row for row in connection.execute(select(jobs))}


def all_calls(engine: Engine) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(select(calls).order_by(calls.c.id)))
