"""A house for broadcasts: loader, feeder, log writer and a worker, each turned by hand; and a ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import redis
from pydantic import SecretStr
from sqlalchemy import Engine, select

from envoi.broadcast.loading import Loaded, Loader
from envoi.broadcast.report import Report, counted
from envoi.broadcast.store import Broadcasts
from envoi.broadcast.template import Template
from envoi.events import GraphError
from envoi.log.milestones import Milestone, Milestones
from envoi.log.pages import PageStore
from envoi.log.secrets import SecretBox
from envoi.log.tables import broadcast_recipients as people
from envoi.queue.begin import Go
from envoi.queue.claim import Claimed
from envoi.states import State
from scheduler.feed import Feeder
from scheduler.log_writer import LogWriter
from tests.integration.queue.hands import PAGE, Bench


class Dead(BaseException):
    """The process is killed here: nothing catches it."""


class Clocked(Bench):
    """A bench whose own clock moves with that of the scripts."""

    def time(self) -> float:
        return self.now()


class Mortal:
    """Something whose process is killed at one of the calls to it.

    Args:
        target: what does the work.
        calls: how many calls it lives through.
        after: whether the last of them is still done.
    """

    def __init__(self, target: Any, calls: int, *, after: bool) -> None:
        self._target = target
        self._left = calls
        self._after = after

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._target, name)

        def call(*arguments: Any, **options: Any) -> Any:
            self._left -= 1
            if self._left < 0 and not self._after:
                raise Dead
            answer = found(*arguments, **options)
            if self._left < 0:
                raise Dead
            return answer

        return call


class House:
    """Everything but the processes.

    Attributes:
        ledger: how many times each person was sent the message.
    """

    def __init__(self, client: redis.Redis, engine: Engine, **settings: Any) -> None:
        self.engine = engine
        self.queue = Clocked(client, **settings)
        self.queue.open()
        self.store = Broadcasts(engine)
        self.ledger: Counter[str] = Counter()
        self.feeder = Feeder(self.queue, engine)
        self._writer = LogWriter(self.queue, engine)
        self._milestones = Milestones(engine)

    def load(self, recipients: Iterable[object], message: object = "hello", **options: Any) -> Loaded:
        own = {name: options.pop(name) for name in ("key", "skip_bad") if name in options}
        page = options.pop("page", PAGE)
        return Loader(self.engine).load(Template.checked(page, message, options), enumerate(recipients, 1), **own)

    def feed(self, turns: int = 20) -> None:
        """Until nothing more is to be done at once."""
        for _ in range(turns):
            if not self.feeder.turn():
                return
        raise AssertionError("the feeder turns without end")

    def new_feeder(self) -> None:
        """Another process takes over."""
        self.queue.redis.delete(f"{self.queue.keys.base}feeder")
        self.feeder = Feeder(self.queue, self.engine)

    def feed_and_die(self, part: str, calls: int = 0, *, after: bool = False) -> bool:
        """A feeder that is killed, and another in its place. Returns whether it came to that.

        Args:
            part: ``door`` or ``rows``: at a call to which it dies.
            calls: how many of them it lives through.
            after: whether the last one is still done.
        """
        name = f"_{part}"
        mortal = Mortal(getattr(self.feeder, name), calls, after=after)
        for whose in (self.feeder, self.feeder._lost, self.feeder._feeding):
            setattr(whose, name, mortal)
        try:
            self.feeder.turn()
        except Dead:
            return True
        finally:
            self.new_feeder()
        return False

    def days_pass(self, days: float = 3) -> None:
        """Redis forgets what has ended."""
        self.copy()
        self.queue.sleep(days * 86_400)
        base = self.queue.keys.base
        for pattern in ("s:*", "k:*"):
            for key in self.queue.redis.scan_iter(f"{base}{pattern}"):
                self.queue.redis.delete(key)
        self.copy()

    def copy(self, turns: int = 200) -> None:
        """Until the log has every event."""
        for _ in range(turns):
            self._writer.turn()
            if not self.queue.redis.xlen(self.queue.keys.events):
                self._milestones.set_complete(
                    Milestone(self.queue.run_id(), self.queue.now())
                )  # by the clock that moves
                return
        raise AssertionError("events are left")

    def work(self, want: int = 1000, error: GraphError | None = None) -> int:
        """A worker sends what it can claim; with an error it is refused. Returns how many jobs it had."""
        held = self.queue.claim(want)
        for one in held:
            self.send(one, error)
        return len(held)

    def send(self, one: Claimed, error: GraphError | None = None) -> None:
        assert isinstance(self.queue.begin(one), Go)
        if error is None:
            self.ledger[one.job["recipient"]["id"]] += 1
            self.queue.sent(one, f"m_{one.job_id}")
        else:
            self.queue.done(one, "settle", state=State.FAILED, error=error)

    def go_on(self, broadcast_id: str, rounds: int = 100) -> Report:
        """Feed, work and copy until the broadcast has ended."""
        for _ in range(rounds):
            self.feed()
            while self.work():
                pass
            self.queue.sleep(1)
            self.queue.tick()
            self.copy()
            if self.store.get(broadcast_id).state.ended:
                return self.report(broadcast_id)
        raise AssertionError(f"it does not end: {self.report(broadcast_id)}")

    def report(self, broadcast_id: str) -> Report:
        return counted(self.engine, broadcast_id)

    def states(self, broadcast_id: str) -> dict[str, str]:
        """Of each person."""
        wanted = select(people.c.recipient, people.c.state).where(people.c.broadcast_id == broadcast_id)
        with self.engine.connect() as connection:
            return {row.recipient: row.state for row in connection.execute(wanted.order_by(people.c.number))}

    def waiting(self) -> int:
        return int(self.queue.db.llen(self.queue.keys.waiting(PAGE, "b")))


def add_page(engine: Engine, secret_key: str, page: str = PAGE, **options: Any) -> None:
    PageStore(engine, SecretBox((SecretStr(secret_key),))).add(page, SecretStr("token"), **options)


def some(count: int, first: int = 1) -> list[str]:
    """So many people."""
    return [str(number) for number in range(first, first + count)]
