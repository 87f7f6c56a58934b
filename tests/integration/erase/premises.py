"""What the tests of erasure have in hand: every part that keeps something of a person, and eyes that see all of it."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Any, Self

import redis
from sqlalchemy import Engine

from envoi.erase import Erased, Erasure
from envoi.events import CallRecord, GraphError
from envoi.job import Job
from envoi.queue.begin import Begin, Go
from envoi.queue.claim import Claim, Claimed
from envoi.queue.connection import connect
from envoi.queue.done import Done
from envoi.queue.queue import Queue
from envoi.queue.refusal import Refusal
from envoi.settings import Settings
from envoi.states import State
from scheduler.log_writer import LogWriter
from scheduler.receipts import ReceiptWriter
from scheduler.webhooks import WebhookNotices
from tests.integration.erase.eyes import in_redis, in_sql
from tests.waiting import wait_until

PAGE = "100000000000001"


class Premises:
    """An open queue, its log and its scheduler's threads."""

    def __init__(self, redis_url: str, raw: redis.Redis, engine: Engine, app_engine: Engine) -> None:
        self.queue = Queue(connect(redis_url), Settings(page_pace=1000.0))
        self.queue.open_gate(self.queue.run_id())
        self.engine, self.app_engine = engine, app_engine
        self._raw: Any = raw
        self._stop = threading.Event()
        works = (LogWriter(self.queue, engine), WebhookNotices(self.queue), ReceiptWriter(self.queue, engine))
        self._threads = [threading.Thread(target=work.run, args=(self._stop,)) for work in works]
        self._numbers = 0

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop_scheduler()
        self.queue.redis.close()

    def stop_scheduler(self) -> None:
        self._stop.set()
        wait_until(self._all_ended, "the end of the scheduler's threads")

    def _all_ended(self) -> bool:
        for client in self._raw.client_list():
            if "b" in client["flags"]:  # it waits for something to do
                self._raw.client_unblock(client["id"])
        return not any(thread.is_alive() for thread in self._threads)

    def put(self, person: str | dict[str, str], message: str = "hello", **options: Any) -> str:
        return self.queue.enqueue([Job(page=PAGE, recipient=person, message=message, **options)])[0]

    def take(self) -> Claimed:
        self._numbers += 1
        claimed: list[Claimed] = self.queue.trip([Claim(1, f"w{self._numbers}")])[0].claimed
        return claimed[0]

    def begin(self) -> Claimed:
        claimed = self.take()
        assert isinstance(self.queue.trip([Begin(claimed, None, [])])[0], Go)
        return claimed

    def send(self, person: str, message_id: str) -> None:
        """The next job is sent, with an answer that names person and message."""
        call = CallRecord("message", 1.5, 2.0, "Accepted", 200, message_id=message_id, fbtrace_id=f"trace {message_id}")
        claimed = self.begin()
        self.queue.trip([Done(claimed, "settle", [call], State.SENT, message_id, person)])

    def refuse(self, words: str) -> None:
        """The next job is refused, with these words of Graph's, and later ones with it."""
        error = GraphError(words, 551)
        call = CallRecord("message", 2.5, 2.0, "Refused", 400, error_code=551, error_message=words)
        done = Done(self.begin(), "settle", [call], State.FAILED, error=error, refusal=Refusal(error))
        self.queue.trip([done])

    def erase(self, person: Any, patience: float = 30.0) -> Erased:
        return Erasure(self.queue, self.engine, self.app_engine, patience=patience).erase(PAGE, person)

    def kept(self) -> str:
        """All that Redis and both databases hold, as text."""
        return "\n".join([*in_redis(self._raw), *in_sql(self.engine), *in_sql(self.app_engine)])
