"""The engine on a real queue, with calls that the test answers."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from demo.redis_server import RedisServer
from envoi import Job
from envoi.events import GraphError, parse_event
from envoi.queue.connection import connect
from envoi.queue.queue import Queue
from tests.integration.worker.scripted import (
    RULES,
    TIME,
    Ends,
    HeldMessages,
    ScriptedGraph,
    go,
    jobs,
    states,
    wait_for_states,
)
from tests.waiting import wait_until
from worker.delivery import Delivery
from worker.engine import Engine
from worker.graph import Outcome
from worker.leases import LeaseKeeper
from worker.steps import Step
from worker.verdicts import TryLater


def test_each_conversation_goes_one_job_at_a_time_in_order(queue: Queue, engine: Engine, graph: ScriptedGraph) -> None:
    ids = queue.enqueue(jobs(200, 20))
    go(engine)
    wait_for_states(queue, ids, sent=200)
    for person in range(20):
        steps = [step for recipient, step in graph.calls if recipient == str(100 + person)]
        assert steps == ["typing_on", "message", "typing_off"] * 10
    assert engine.wait_idle(TIME)


def test_as_many_conversations_as_allowed_are_worked_on_at_once_and_no_more(
    queue: Queue, engine: Engine, graph: ScriptedGraph
) -> None:
    let_go = threading.Event()

    def hang(_step: Step, _job: dict[str, Any]) -> None:
        assert let_go.wait(TIME)

    graph.answer = hang
    ids = queue.enqueue(jobs(20, 20))
    go(engine)
    wait_until(lambda: graph.inside == RULES.concurrency, "every slot is taken")
    assert states(queue, ids) == {"sending": RULES.concurrency, "queued": 20 - RULES.concurrency}
    let_go.set()
    wait_for_states(queue, ids, sent=20)
    assert graph.most == RULES.concurrency


def test_nothing_is_claimed_before_the_registration_can_no_longer_be_lost(
    queue: Queue, engine: Engine, graph: ScriptedGraph
) -> None:
    ids = queue.enqueue(jobs(1, 1))
    engine.wake()
    assert not engine.wait_idle(0.3)
    assert graph.calls == []
    engine.registered()
    wait_for_states(queue, ids, sent=1)


def test_what_has_not_begun_is_given_back_at_a_stop_and_what_has_is_finished(
    queue: Queue, engine: Engine, graph: ScriptedGraph, ends: Ends
) -> None:
    typing, message, let_go = threading.Event(), threading.Event(), threading.Event()

    def answer(step: Step, job: dict[str, Any]) -> None:
        if (job["recipient"]["id"], step) in {("100", Step.MESSAGE), ("101", Step.TYPING_ON)}:
            (message if step is Step.MESSAGE else typing).set()
            assert let_go.wait(TIME)

    graph.answer = answer
    first, second, behind = queue.enqueue([*jobs(2, 2), Job(page="1", recipient="100", message="behind")])
    go(engine)
    assert typing.wait(TIME)
    assert message.wait(TIME)
    engine.close()
    let_go.set()
    assert engine.stop(TIME) == []
    assert dict(ends.came_to) == {first: "sent", second: "back"}
    assert (graph.messages[first], graph.messages[second], graph.messages[behind]) == (1, 0, 0)
    assert (queue.status(second)["state"], int(queue.status(second).get("attempts") or 0)) == ("queued", 0)


def test_calls_that_do_not_end_in_time_are_told_and_do_not_hold_the_stop(
    queue: Queue, engine: Engine, graph: ScriptedGraph
) -> None:
    graph.answer = held = HeldMessages()
    (job_id,) = queue.enqueue(jobs(1, 1))
    go(engine)
    held.wait_begun()
    assert engine.stop(0.2) == [job_id]  # its call has still not ended
    held.let_go.set()


def test_an_attempt_that_breaks_is_left_to_its_lease_and_stops_nobody_else(
    queue: Queue, engine: Engine, graph: ScriptedGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = Delivery._begun

    def begun(self: Delivery, answer: Any) -> Any:
        if self.held.job["recipient"]["id"] == "100":
            raise ValueError("a defect")
        return good(self, answer)

    monkeypatch.setattr(Delivery, "_begun", begun)
    broken, *others = queue.enqueue(jobs(10, 10))
    go(engine)
    wait_for_states(queue, others, sent=9)
    assert queue.status(broken)["state"] == "sending"
    assert graph.messages[broken] == 0


def test_a_retry_comes_back_with_the_ticks_and_is_sent_once(queue: Queue, engine: Engine, graph: ScriptedGraph) -> None:
    failed = threading.Event()

    def once(step: Step, _job: dict[str, Any]) -> Outcome | None:
        if step is not Step.MESSAGE or failed.is_set():
            return None
        failed.set()
        return Outcome(TryLater(GraphError("later", 2), answered=True), None)

    graph.answer = once
    (job_id,) = queue.enqueue(jobs(1, 1))
    go(engine)

    def ticked() -> bool:
        queue.tick()
        engine.wake()
        return states(queue, [job_id]) == {"sent": 1}

    wait_until(ticked, "the job is sent")
    assert graph.messages[job_id] == 2
    assert graph.looks == ["100"]  # one, before the second call
    assert queue.status(job_id)["attempts"] == 2


@pytest.mark.parametrize("hard", [False, True])
def test_calls_in_flight_while_redis_restarts_are_told_to_the_new_run_and_nothing_is_sent_twice(
    graph: ScriptedGraph, ends: Ends, *, hard: bool
) -> None:
    with RedisServer(aof=True) as server, connect(server.url) as client:
        queue = Queue(client, RULES)
        queue.open_gate(queue.run_id())
        engine = Engine(queue, graph, "w1", [ends])
        keeper = LeaseKeeper(queue, engine, lambda: None)
        graph.answer = held = HeldMessages()
        ids = queue.enqueue(jobs(40, 20))
        engine.start()
        keeper.start()
        engine.wake()
        held.wait_begun(RULES.concurrency)
        server.restart(hard=hard)
        run = queue.run_id()
        wait_until(lambda: "w1" in queue.back(run), "the worker has told the new run")  # what the scheduler waits for
        queue.open_gate(run)
        held.let_go.set()

        def finished() -> bool:
            engine.wake()
            return states(queue, ids) == {"sent": 40}

        wait_until(finished, "every job is sent")
        assert set(graph.messages.values()) == {1}
        assert engine.stop(TIME) == []
        keeper.stop(TIME)
        assert queue.workers() == {}


def test_a_call_that_ends_first_after_a_loss_is_told_behind_what_was_told_before_it(
    graph: ScriptedGraph, ends: Ends
) -> None:
    with RedisServer(aof=True) as server, connect(server.url) as client:
        queue = Queue(client, RULES.model_copy(update={"concurrency": 1}))  # full: it claims no more
        queue.open_gate(queue.run_id())
        engine = Engine(queue, graph, "w1", [ends])
        graph.answer = held = HeldMessages()
        (job_id,) = queue.enqueue(jobs(1, 1))
        kept = server.aof().stat().st_size
        engine.start()
        go(engine)
        held.wait_begun()
        server.kill()
        with server.aof().open("rb+") as file:
            file.truncate(kept)
        server.start()
        assert states(queue, [job_id]) == {"queued": 1}, "the claim and the begin are lost"
        held.let_go.set()  # no lease keeper is there to see the other run: the answer's own trip meets it
        wait_for_states(queue, [job_id], sent=1)
        assert engine.stop(TIME) == []
        rows: Any = queue.redis.xrange(queue.keys.events)
        assert [call.step for row in rows for call in parse_event(*row).calls] == ["typing_on", "message", "typing_off"]
        assert graph.messages[job_id] == 1


def test_while_redis_stands_still_the_engine_waits_and_goes_on_by_itself(graph: ScriptedGraph, ends: Ends) -> None:
    with RedisServer(aof=False) as server, connect(server.url) as client:
        queue = Queue(client, RULES)
        queue.open_gate(queue.run_id())
        engine = Engine(queue, graph, "w1", [ends])
        ids = queue.enqueue(jobs(20, 4))
        engine.start()
        server.child.pause()
        go(engine)
        assert not engine.wait_idle(0.5)
        server.child.cont()
        wait_for_states(queue, ids, sent=20)
        assert set(graph.messages.values()) == {1}
        assert engine.stop(TIME) == []
