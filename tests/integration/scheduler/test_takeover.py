"""Schedulers that die, freeze and wake: another goes on at once, and nothing is done twice that must not be."""

from __future__ import annotations

import base64
import itertools
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from demo.child import Child
from envoi.events import CallRecord, GraphError
from envoi.job import Job
from envoi.log.queries import job as logged_job
from envoi.log.tables import calls
from envoi.notices import Echo, Inbound
from envoi.queue.begin import Begin, Go
from envoi.queue.claim import Claimed
from envoi.queue.done import Done
from envoi.queue.queue import Queue
from envoi.states import State
from tests.integration.scheduler.hands import PAGE, Worker, job
from tests.integration.scheduler.processes import ENVOI, Processes, lines, wait_logged, wait_ready
from tests.waiting import wait_until, wait_until_equal


@pytest.fixture
def queue(redis_url: str, open_queue: Callable[[str], Queue]) -> Queue:
    """A queue in an empty Redis."""
    return open_queue(redis_url)


def leases(queue: Queue) -> dict[str, str]:
    """All that is led by one scheduler, whoever it is."""
    keys = queue.keys
    return {
        "log_writer": keys.log_lease,
        "webhooks": f"{keys.told}:lease",
        "receipts": f"{keys.receipts}:lease",
        "outcomes": f"{keys.base}publisher",
        "feed": f"{keys.base}feeder",
    }


def led_by(queue: Queue, child: Child) -> set[str]:
    """What a scheduler leads. On a busy machine two may share it: one that stands still for a second loses some."""
    names = leases(queue)
    holders: Any = queue.redis.mget(list(names.values()))
    return {name for name, holder in zip(names, holders, strict=True) if holder and process_of(holder) == child.pid}


def process_of(scheduler: str) -> int:
    """A scheduler's name is its host, its process, and what no other has."""
    return int(scheduler.split("-")[-2])


def leads(queue: Queue, child: Child) -> bool:
    """Whether a scheduler leads all of them."""
    return led_by(queue, child) == leases(queue).keys()


def wait_leads(queue: Queue, child: Child) -> None:
    wait_until(lambda: leads(queue, child), f"{child.name} leads")


def leads_by_its_lines(child: Child) -> bool:
    """Whether its log says last of the outcomes that it leads there: some moments after it does."""
    said = [line["action"] for line in lines(child) if "outcomes" in line.get("works", ())]
    return said[-1:] == ["lead"]


def told(queue: Queue) -> list[str]:
    """Jobs whose outcomes were published, the oldest first."""
    found: Any = queue.redis.lrange("celery", 0, -1)
    return [json.loads(base64.b64decode(json.loads(text)["body"]))[1]["job_id"] for text in reversed(found)]


def unsure(queue: Queue, worker: Worker, person: str) -> Claimed:
    """A job whose message call nobody answers for."""
    [job_id] = queue.enqueue([job(person)])
    [held] = worker.claim()
    assert held.job_id == job_id
    [went] = queue.trip([Begin(held, None, [])])
    assert isinstance(went, Go)
    call = CallRecord("message", time.time(), 1.5, "Unknown", None)
    queue.trip([Done(held, "unsure", [call], error=GraphError("no answer"), seconds=600)])
    return held


def with_outcome(queue: Queue, person: str) -> str:
    """A job whose outcome is published once it has one."""
    return queue.enqueue([Job(page=PAGE, recipient=person, message="x", on_outcome="celery:shop.told")])[0]


def settle(queue: Queue, job_id: str) -> None:
    assert queue.cancel(job_id) == "cancelled"


def heard(queue: Queue, held: Claimed) -> None:
    """What a webhook leaves: an echo of a message, and a sign of life of its person."""
    person = held.conversation.rsplit("/", 1)[1]
    queue.take_notices([Echo(PAGE, person, f"m_{held.job_id}", time.time(), held.job_id)])
    queue.take_notices([Inbound(PAGE, person, time.time())])


def in_state(engine: Engine, job_id: str, state: State) -> bool:
    found = logged_job(engine, job_id)
    return found is not None and found.state is state


def test_another_does_all_that_a_killed_one_did(
    command: list[str], redis_url: str, queue: Queue, engine: Engine, start: Processes
) -> None:
    first = start(command, redis_url)
    wait_ready(first)
    wait_leads(queue, first)
    second = start(command, redis_url)
    wait_ready(second)
    held, asked = unsure(queue, Worker(queue, "w"), "1"), with_outcome(queue, "2")
    wait_logged(engine, held.job_id, State.SETTLING)
    if len(led_by(queue, second)) > len(led_by(queue, first)):
        first, second = second, first
    assert led_by(queue, first)

    first.kill()
    killed = time.monotonic()
    new, timed = queue.enqueue([job("3"), job("4", in_seconds=0.3)])
    heard(queue, held)
    settle(queue, asked)
    awaited: dict[str, Callable[[], bool]] = {
        "a due job enters its line": lambda: queue.status(timed)["state"] == "queued",
        "an event is in SQL": lambda: in_state(engine, new, State.QUEUED),
        "an echo settles its job": lambda: queue.status(held.job_id)["state"] == "sent",
        "a sign of life is in SQL": lambda: not queue.redis.xlen(queue.keys.receipts),
        "an outcome is published": lambda: told(queue) == [asked],
        "broadcasts are fed": lambda: leads(queue, second),
    }
    took: dict[str, float] = {}

    def all_came() -> bool:
        for what in awaited.keys() - took.keys():
            if awaited[what]():
                took[what] = time.monotonic() - killed
        return took.keys() == awaited.keys()

    wait_until(all_came, f"all of {sorted(awaited)}")
    print("seconds after the kill:", {what: round(took[what], 2) for what in awaited})

    def taken() -> list[dict[str, Any]]:
        return [line for line in lines(second) if line.get("action") == "lead"]

    all_of = leases(queue).keys()
    wait_until_equal(lambda: {work for line in taken() for work in line["works"]}, all_of, "the lines that tell it")
    wait_until_equal(
        lambda: {process_of(name) for line in taken() for name in line["after"]}, {first.pid}, "after whom"
    )


def test_a_frozen_one_that_wakes_does_no_harm_and_does_not_lead_again(
    command: list[str], redis_url: str, queue: Queue, engine: Engine, start: Processes
) -> None:
    one, other = start(command, redis_url), start(ENVOI, redis_url)
    wait_ready(one)
    wait_ready(other)
    worker, people = Worker(queue, "w"), itertools.count(1)
    lost: list[Child] = []
    jobs: list[Claimed] = []
    asked: list[str] = []
    for _ in range(4):
        wait_until(lambda: "outcomes" in led_by(queue, one) | led_by(queue, other), "a leader")
        frozen, awake = (one, other) if "outcomes" in led_by(queue, one) else (other, one)
        wait_until(lambda: leads_by_its_lines(frozen), "the line that it leads")  # noqa: B023  # asked for at once
        lost.append(frozen)
        for moment in ("before", "frozen", "awake"):
            jobs += (some := [unsure(queue, worker, str(next(people))) for _ in range(10)])
            asked += (wanted := [with_outcome(queue, str(next(people))) for _ in range(10)])
            for held, job_id in zip(some, wanted, strict=True):
                heard(queue, held)
                settle(queue, job_id)
            if moment == "before":
                frozen.pause()  # in the middle of whatever it does with them
                wait_leads(queue, awake)
            elif moment == "frozen":
                wait_until_equal(
                    lambda: queue.redis.xlen(queue.keys.tasks), 0, "outcomes that the frozen one had in hand"
                )
                frozen.cont()
    for held in jobs:
        wait_logged(engine, held.job_id, State.SENT)
    for job_id in asked:
        wait_logged(engine, job_id, State.CANCELLED)
    wait_until_equal(lambda: queue.redis.xlen(queue.keys.tasks), 0, "outcomes to publish")
    with engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(calls)).scalar() == len(jobs)
    came = told(queue)
    assert list(dict.fromkeys(came)) == asked, "in order"
    print(f"published {len(came)} for {len(asked)} outcomes")
    assert one.running
    assert other.running
    for child in lost:
        wait_until(lambda: "lead_lost" in {line.get("action") for line in lines(child)}, "the line that tells it")  # noqa: B023  # asked for at once


def test_one_that_ends_in_order_holds_nothing_back(
    command: list[str], redis_url: str, queue: Queue, start: Processes
) -> None:
    child = start(command, redis_url)
    wait_ready(child)
    wait_leads(queue, child)
    queue.redis.set(queue.keys.log_lease, "another")  # what is not its own it leaves
    assert child.stop(20) == 0
    stopped = [line["in_order"] for line in lines(child) if line["action"] == "stop"]
    assert stopped == [True]
    found: Any = queue.redis.mget(list(leases(queue).values()))
    assert [holder for holder in found if holder] == ["another"]
