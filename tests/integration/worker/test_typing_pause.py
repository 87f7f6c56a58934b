"""Attempts driven through a real queue: what the delivery asks of the scripts comes out as meant."""

from __future__ import annotations

import time
from typing import Any

import pytest
import redis

from envoi import Job
from envoi.events import CallRecord
from envoi.queue.claim import Claim, Claimed
from envoi.queue.queue import Queue
from envoi.settings import Settings
from tests.waiting import wait_until
from worker.asks import Call, Tell, Wait
from worker.delivery import Delivery
from worker.graph import Outcome
from worker.steps import Step
from worker.verdicts import Accepted

PAUSE = 0.6  # seconds: longer than a blink
TIME = 20.0  # seconds that anything here may take


@pytest.fixture
def queue(redis_client: redis.Redis) -> Queue:
    found = Queue(redis_client, Settings(lease=10.0))
    found.open_gate(found.run_id())
    return found


def claim(queue: Queue, base: str) -> Claimed:
    """The next conversation, once the scheduler's tick has brought it."""
    found: list[Claimed] = wait_until(
        lambda: queue.trip([Claim(1, base)])[0].claimed, "a conversation to claim", meanwhile=queue.tick
    )
    return found[0]


def run(queue: Queue, held: Claimed) -> tuple[Delivery, list[str], str]:
    """An attempt with every call accepted; waits are real. Returns it, its calls, and what it came to."""
    delivery, made = Delivery(held, queue.settings), []
    walk, value = delivery.walk(), None
    try:
        while True:
            ask: Any = walk.send(value)
            if isinstance(ask, Call):
                made.append(ask.step.value)
                message_id = "m_1" if ask.step is Step.MESSAGE else None
                record = CallRecord(ask.step.value, time.time(), 1.0, "Accepted", message_id=message_id)
                value = Outcome(Accepted(message_id, "7"), record)
            elif isinstance(ask, Wait):
                time.sleep(ask.seconds)
                value = None
            elif isinstance(ask, Tell):
                queue.trip([ask.command])
                value = None
            else:
                (value,) = queue.trip([ask])
    except StopIteration as end:
        return delivery, made, end.value


def test_a_typing_pause_costs_no_slot_and_no_attempt_and_the_next_claim_goes_on(queue: Queue) -> None:
    (job_id,) = queue.enqueue([Job(page="1", recipient="7", message="hello", typing=PAUSE, mark_seen=True)])
    started = time.time()
    first, made, came_to = run(queue, claim(queue, "a"))
    assert (made, came_to) == (["mark_seen", "typing_on"], "back: typing")
    assert queue.status(job_id)["state"] == "queued"

    held = claim(queue, "b")
    assert time.time() - started >= PAUSE
    assert held.attempt == first.held.attempt == 1
    assert held.typed_at == pytest.approx(started, abs=TIME)
    _, made, came_to = run(queue, held)
    assert (made, came_to) == (["message", "typing_off"], "sent")
    status = queue.status(job_id)
    assert (status["state"], status["attempts"], status["message_id"]) == ("sent", 1, "m_1")


def test_a_job_cancelled_during_its_typing_pause_is_not_sent(queue: Queue) -> None:
    (job_id,) = queue.enqueue([Job(page="1", recipient="7", message="hello", typing=PAUSE)])
    run(queue, claim(queue, "a"))
    assert queue.cancel(job_id) == "cancelled"
    assert queue.status(job_id)["state"] == "cancelled"


def test_the_pace_is_charged_when_the_message_goes_and_not_when_typing_begins(queue: Queue) -> None:
    page = f"{queue.keys.base}p:1"
    queue.enqueue([Job(page="1", recipient="7", message="hello", typing=PAUSE)])
    run(queue, claim(queue, "a"))
    assert not queue.redis.hexists(page, "slot")
    run(queue, claim(queue, "b"))
    assert queue.redis.hexists(page, "slot")


def test_a_job_without_typing_is_one_call(queue: Queue) -> None:
    queue.enqueue([Job(page="1", recipient="7", message="hello", typing=False)])
    _, made, came_to = run(queue, claim(queue, "a"))
    assert (made, came_to) == (["message"], "sent")
