"""Broadcasts under any interleaving: loaded, fed, killed, paused, resumed, cancelled; Redis wiped, days passing.

Nobody is sent a message twice, nobody is left without an outcome, and each outcome tells the truth.
``ENVOI_TEST_EXAMPLES`` sets how many runs are tried, and lets chance choose them.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import Engine, delete

from envoi.broadcast.states import OUTCOMES, BroadcastState
from envoi.errors import BroadcastConflict
from envoi.log import queries
from envoi.log.tables import broadcasts, calls, cursor, jobs
from envoi.queue.queue import OPERATOR
from envoi.recovery.recovery import Recovery
from envoi.states import State
from scheduler import feed, feed_lost, feeding
from tests.integration.broadcast.house import Dead, House
from tests.integration.queue.hands import movable_clock

EXAMPLES = int(os.environ.get("ENVOI_TEST_EXAMPLES", "20"))
PART = st.sampled_from(["rows", "door"])
CALLS = st.integers(0, 9)
ONE = st.integers(0, 99)


class BroadcastMachine(RuleBasedStateMachine):
    """One page, a few small broadcasts, one feeder at a time."""

    def __init__(self, client: redis.Redis, engine: Engine) -> None:
        super().__init__()
        client.flushall()
        client.script_flush()
        with engine.begin() as connection:
            for table in (broadcasts, calls, jobs, cursor):
                connection.execute(delete(table))
        self.house = House(client, engine, broadcast_ahead=0.004, graph_latest=1.0, graph_latest_media=1.0)
        self.queue = self.house.queue
        self.people: dict[str, list[str]] = {}  # of each key, whom it is for
        self.ids: dict[str, str] = {}
        self.doubts = False  # whether anything happened after which nobody may know

    def _some(self, number: int) -> str | None:
        return list(self.ids.values())[number % len(self.ids)] if self.ids else None

    @precondition(lambda self: len(self.people) < 3)
    @rule(count=st.integers(1, 9), twice=st.booleans())
    def load(self, count: int, *, twice: bool) -> None:
        key = f"key{len(self.people)}"
        self.people[key] = [str(1000 * len(self.people) + number) for number in range(1, count + 1)]
        given = self.people[key] * (2 if twice else 1)
        self.ids[key] = self.house.load(given, key=key).id

    @precondition(lambda self: len(self.people) < 3)
    @rule(count=st.integers(1, 9))
    def load_and_die(self, count: int) -> None:
        def dying() -> Iterator[str]:
            yield from (str(9000 + number) for number in range(count))
            raise Dead

        with contextlib.suppress(Dead):
            self.house.load(dying(), key=f"key{len(self.people)}")
        self.load(count, twice=False)

    @rule(number=ONE)
    def load_again(self, number: int) -> None:
        if self.ids:
            key = list(self.ids)[number % len(self.ids)]
            assert self.house.load(self.people[key], key=key).id == self.ids[key]

    @rule()
    def turn(self) -> None:
        self.house.feeder.turn()

    @rule(part=PART, calls=CALLS, after=st.booleans())
    def turn_and_die(self, part: str, calls: int, *, after: bool) -> None:
        self.house.feed_and_die(part, calls, after=after)

    @rule(want=st.integers(1, 6))
    def work(self, want: int) -> None:
        self.queue.sleep(0.1)
        self.house.work(want)

    @rule(delivered=st.booleans())
    def die_in_a_call(self, *, delivered: bool) -> None:
        """A worker is lost in its message call."""
        self.doubts = True
        self.queue.sleep(0.1)
        for held in self.queue.claim(1):
            self.queue.begin(held)
            self.house.ledger[held.job["recipient"]["id"]] += delivered
        self.queue.sleep(self.queue.settings.lease + 1)
        self.queue.tick()

    @rule()
    def copy(self) -> None:
        self.house.copy()

    @rule()
    def days_pass(self) -> None:
        self.house.days_pass()

    @rule(number=ONE, command=st.sampled_from(["pause", "resume", "pause", "resume", "cancel"]))
    def command(self, number: int, command: str) -> None:
        broadcast_id = self._some(number)
        if broadcast_id is not None:
            with contextlib.suppress(BroadcastConflict):
                getattr(self.house.store, command)(broadcast_id)

    @rule()
    def wipe(self) -> None:
        """Redis is emptied, and put back from what the log knows."""
        self.doubts = True
        passed = self.queue.now() - self.queue.redis.time()[0]
        self.queue.redis.flushall()
        self.queue.sleep(passed + 1)
        if queries.open_jobs(self.house.engine):
            Recovery(self.queue, self.house.engine, sleep=self.queue.sleep).run()
        self.queue.open()

    @invariant()
    def nobody_is_sent_it_twice(self) -> None:
        assert max(self.house.ledger.values(), default=0) <= 1

    def _settle_doubts(self) -> None:
        """A look sees what is there."""
        self.house.copy()
        for job in queries.jobs(self.house.engine, state=State.SETTLING, limit=1000):
            if self.house.ledger[str(job.recipient)]:
                self.queue.prove_sent(job.id, "m_found")
            else:
                self.queue.prove_not_sent(job.id, OPERATOR)

    def teardown(self) -> None:
        for broadcast_id in self.ids.values():
            with contextlib.suppress(BroadcastConflict):
                self.house.store.resume(broadcast_id)
        for _ in range(200):
            self.house.feeder.turn()
            while self.house.work():
                self.queue.sleep(0.1)
            self._settle_doubts()
            self.queue.sleep(40)  # longer than a lease, and than any wait before a retry
            self.queue.tick()
            self._settle_doubts()
            if all(self.house.store.get(one).state.ended for one in self.ids.values()):
                break
        self.nobody_is_sent_it_twice()
        for key, broadcast_id in self.ids.items():
            self._look_at(key, broadcast_id)

    def _look_at(self, key: str, broadcast_id: str) -> None:
        found = self.house.store.get(broadcast_id)
        states = self.house.states(broadcast_id)
        assert found.state.ended, f"{key} does not end: {states}"
        assert sorted(states) == sorted(self.people[key])
        for person, state in states.items():
            what = f"{person} of {key} is {state}"
            assert state == State.UNKNOWN or self.house.ledger[person] == (state == State.SENT), what
            assert state != State.UNKNOWN or self.doubts, what
            assert state != State.CANCELLED or found.state is BroadcastState.CANCELLED, what
            assert state in OUTCOMES, what


def test_any_interleaving_sends_everybody_the_message_once(
    redis_client: redis.Redis, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (feeding, feed_lost):
        monkeypatch.setattr(module, "LOGGED_BY", 0.0)
    for module in (feed, feeding):
        monkeypatch.setattr(module, "BATCH", 3)
        monkeypatch.setattr(module, "ENDED_BATCH", 2)
    with movable_clock():
        make: Any = lambda: BroadcastMachine(redis_client, engine)  # noqa: E731  # typed as a class, yet any callable will do
        run_state_machine_as_test(
            make,
            settings=settings(
                max_examples=EXAMPLES,
                stateful_step_count=30,
                deadline=None,
                phases=[Phase.explicit, Phase.generate],  # a shorter example would cost minutes
                database=None,
                derandomize="ENVOI_TEST_EXAMPLES" not in os.environ,
                suppress_health_check=list(HealthCheck),
            ),
        )
