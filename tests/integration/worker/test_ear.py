"""An engine that is awake hears bells by itself, and keeps none that it cannot answer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from queue import Empty, SimpleQueue
from typing import Any

import pytest
import redis

from envoi.errors import QueueFull, QueueUnavailable
from envoi.queue.bell_list import Bell, BellList
from envoi.queue.queue import Queue
from tests.integration.worker.scripted import RULES, TIME, Ends, ScriptedGraph, go, jobs
from tests.waiting import wait_until, wait_until_equal
from worker import appetite
from worker.delivery import Delivery
from worker.ear import Ear
from worker.engine import Engine
from worker.graph import Outcome
from worker.steps import Step


@pytest.fixture
def queue(redis_client: redis.Redis) -> Queue:
    made = Queue(redis_client, RULES.model_copy(update={"concurrency": 2}))
    made.open_gate(made.run_id())
    made.leave_template("bell ENVOIBELLID")
    return made


class Held:
    """Message calls to a person end when the test says so."""

    def __init__(self, graph: ScriptedGraph) -> None:
        self.ended: dict[str, threading.Event] = {}
        graph.answer = self._answer

    def call_to(self, person: str) -> None:
        self.ended[person] = threading.Event()

    def end(self) -> None:
        for each in self.ended.values():
            each.set()

    def _answer(self, step: Step, job: dict[str, Any]) -> Outcome | None:
        ends = self.ended.get(job["recipient"]["id"])
        if step is Step.MESSAGE and ends:
            ends.wait(TIME)
        return None


@pytest.fixture
def engine(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Engine, ScriptedGraph, Held]]:
    """One that asks by itself only once a minute, as good as never."""
    monkeypatch.setattr(appetite, "_POLL", 60.0)
    monkeypatch.setattr(appetite, "UNRUNG", 60.0)
    graph = ScriptedGraph()
    held = Held(graph)
    made = Engine(queue, graph, "w1")
    made.start()
    yield made, graph, held
    held.end()
    made.stop(TIME)


def test_a_job_is_claimed_at_once_while_another_keeps_the_worker_awake(
    queue: Queue, engine: tuple[Engine, ScriptedGraph, Held]
) -> None:
    turning, graph, held = engine
    held.call_to("100")
    (slow,) = queue.enqueue(jobs(1, 1))
    go(turning)
    wait_until(lambda: ("100", "message") in graph.calls, "the first call")
    (quick,) = queue.enqueue([jobs(2, 2)[1]])
    # Nobody has woken it but the bell.
    wait_until_equal(lambda: queue.status(quick)["state"], "sent", "the second job")
    assert queue.status(slow)["state"] == "sending"


def test_a_worker_without_room_puts_a_bell_back_for_another(
    queue: Queue, engine: tuple[Engine, ScriptedGraph, Held], monkeypatch: pytest.MonkeyPatch
) -> None:
    back: SimpleQueue[Bell] = SimpleQueue()
    put_back = BellList.put_back

    def noted(self: BellList, bell: Bell) -> None:
        put_back(self, bell)
        back.put(bell)

    monkeypatch.setattr(BellList, "put_back", noted)
    turning, graph, held = engine
    for person in ("100", "101"):
        held.call_to(person)
    queue.redis.delete(queue.keys.template)  # nothing rings in this test
    queue.enqueue(jobs(1, 1))
    go(turning)
    wait_until(lambda: ("100", "message") in graph.calls, "the first call")
    queue.enqueue([jobs(2, 2)[1]])
    turning.wake()  # both places are taken, while the ear still waits for what the first turn wanted
    wait_until(lambda: ("101", "message") in graph.calls, "the second call")
    queue.redis.lpush(queue.keys.bells, "for someone else")
    assert back.get(timeout=TIME) == Bell("for someone else")
    assert queue.redis.lrange(queue.keys.bells, 0, -1) == ["for someone else"]


class Standing(Ends):
    """Keeps the engine's own thread where an attempt has ended, until the test lets it go on."""

    def __init__(self) -> None:
        super().__init__()
        self.stands = threading.Event()
        self.goes_on = threading.Event()

    def ended(self, delivery: Delivery, came_to: str, seconds: float) -> None:
        super().ended(delivery, came_to, seconds)
        self.stands.set()
        assert self.goes_on.wait(TIME)


def test_a_bell_that_the_engine_has_not_come_to_when_it_closes_is_put_back(queue: Queue) -> None:
    standing = Standing()
    turning = Engine(queue, ScriptedGraph(), "w1", [standing])
    queue.redis.delete(queue.keys.template)  # nothing rings in this test
    turning.start()
    queue.enqueue(jobs(1, 1))
    go(turning)
    assert standing.stands.wait(TIME)
    queue.redis.lpush(queue.keys.bells, "for someone else")
    wait_until(lambda: not queue.redis.exists(queue.keys.bells), "the ear hears it")
    turning.close()
    standing.goes_on.set()
    assert turning.stop(TIME) == []
    assert queue.redis.lrange(queue.keys.bells, 0, -1) == ["for someone else"]


class Bells(BellList):
    """A list of bells that the test fills."""

    def __init__(self) -> None:
        self.unread: SimpleQueue[Bell | Exception] = SimpleQueue()
        self.asked: SimpleQueue[None] = SimpleQueue()
        self.back: SimpleQueue[Bell] = SimpleQueue()
        self.refuses: Exception | None = None

    def wait_for_one(self, seconds: float) -> Bell | None:
        self.asked.put(None)
        try:
            found = self.unread.get(timeout=seconds)
        except Empty:
            return None
        if isinstance(found, Exception):
            raise found
        return found

    def put_back(self, bell: Bell) -> None:
        if self.refuses is not None:
            error, self.refuses = self.refuses, None
            raise error
        self.back.put(bell)


@pytest.fixture
def bells() -> Bells:
    return Bells()


@pytest.fixture
def heard() -> SimpleQueue[Bell]:
    return SimpleQueue()


@pytest.fixture
def ear(bells: Bells, heard: SimpleQueue[Bell]) -> Iterator[Ear]:
    made = Ear(bells, heard.put)
    made.start()
    yield made
    made.join(TIME)


def test_it_hears_one_bell_each_time_it_is_wanted(ear: Ear, bells: Bells, heard: SimpleQueue[Bell]) -> None:
    bells.unread.put(Bell("1"))
    bells.unread.put(Bell("2"))
    ear.listen(wanted=True)
    assert heard.get(timeout=TIME) == Bell("1")
    assert heard.empty()
    ear.listen(wanted=True)
    assert heard.get(timeout=TIME) == Bell("2")


def test_a_bell_that_comes_as_it_ends_is_put_back(ear: Ear, bells: Bells, heard: SimpleQueue[Bell]) -> None:
    ear.listen(wanted=True)
    bells.asked.get(timeout=TIME)
    ear.stop()
    bells.unread.put(Bell("late"))
    assert bells.back.get(timeout=TIME) == Bell("late")
    assert heard.empty()


def test_a_bell_that_nobody_has_answered_as_it_ends_is_put_back_once(
    ear: Ear, bells: Bells, heard: SimpleQueue[Bell]
) -> None:
    for text in ("answered", "refused late", "never taken"):
        bells.unread.put(Bell(text))
        ear.listen(wanted=True)
        wait_until(bells.unread.empty, "it is heard")
    answered, late = heard.get(timeout=TIME), heard.get(timeout=TIME)
    assert heard.get(timeout=TIME) == Bell("never taken")
    ear.answered(answered)
    ear.stop()
    ear.refuse(late)
    assert bells.back.get(timeout=TIME) == late
    ear.join(TIME)
    assert bells.back.get(timeout=TIME) == Bell("never taken")
    assert bells.back.empty()


@pytest.mark.parametrize("error", [QueueFull("no memory"), redis.ResponseError("NOPERM")])
def test_it_hears_on_after_redis_did_not_take_a_bell_back(
    ear: Ear, bells: Bells, heard: SimpleQueue[Bell], error: Exception
) -> None:
    bells.refuses = error
    bells.unread.put(Bell("1"))
    ear.listen(wanted=True)
    ear.refuse(heard.get(timeout=TIME))
    bells.unread.put(Bell("2"))
    ear.listen(wanted=True)
    assert heard.get(timeout=TIME) == Bell("2")
    assert bells.back.empty()


def test_it_goes_on_after_redis_did_not_answer(ear: Ear, bells: Bells, heard: SimpleQueue[Bell]) -> None:
    bells.unread.put(QueueUnavailable("gone"))
    bells.unread.put(Bell("1"))
    ear.listen(wanted=True)
    assert heard.get(timeout=TIME) == Bell("1")


def test_a_bell_put_back_is_the_next_one(redis_client: redis.Redis, queue: Queue) -> None:
    listed = BellList(redis_client, queue.keys)
    redis_client.lpush(queue.keys.bells, "first", "second")
    first = listed.wait_for_one(1.0)
    assert first == Bell("first")
    listed.put_back(first)
    assert listed.wait_for_one(1.0) == first
    assert listed.wait_for_one(1.0) == Bell("second")
    assert listed.wait_for_one(0.01) is None
