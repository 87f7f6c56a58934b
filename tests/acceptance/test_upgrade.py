"""Upgrading without downtime: queues of earlier versions, jobs of later ones, and two versions on one Redis."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest
import redis
from sqlalchemy import Engine

from demo.ledger import Sandbox
from demo.stack import Stack
from envoi import Envoi, QueueUnavailable, State
from envoi.log.queries import count_by_state
from envoi.outcomes import read_outcome
from envoi.queue.keys import Keys
from envoi.queue.scripts import PROTOCOL
from tests.acceptance.conftest import MakeStack
from tests.acceptance.earlier.frozen import FOLDER, thaw
from tests.acceptance.earlier.make import person
from tests.acceptance.ledger import Sent, lift_look_limit
from tests.acceptance.next_version import NextVersion
from tests.acceptance.outcomes import wait_for, wait_until_settled
from tests.acceptance.runs import QUICK, assert_clean, enqueue, judge
from tests.waiting import wait_until, wait_until_equal

OpenedLog = Callable[[Stack], Engine]
KEYS = Keys()


@pytest.mark.parametrize("name", [file.stem for file in sorted(FOLDER.glob("*.json"))])
def test_a_queue_that_an_earlier_version_left_is_delivered_whole_and_in_order(
    name: str, make_stack: MakeStack, opened_log: OpenedLog
) -> None:
    stack = make_stack(settings=QUICK)
    for step in stack.steps(workers=1):
        if step.startswith("sandbox"):  # Redis runs, and nothing else yet
            with redis.Redis.from_url(stack.redis_url, decode_responses=True) as client:
                thaw(client, name)
        elif step == "scheduler":
            lift_look_limit(stack.sandbox_url)
    engine = opened_log(stack)
    # 17 jobs: of three the worker was lost, one had been sent, one was cancelled in its line, one is an action.
    assert wait_until_settled(stack, engine, 17, timeout=90) == {State.SENT: 16, State.CANCELLED: 1}

    told = Sandbox(stack.sandbox_url).deliveries(stack.page)
    texts = defaultdict(list)
    for entry in told:
        if entry.step == "message":
            texts[entry.recipient].append(entry.text)
    assert texts == {
        person(1): ["1 first", "1 second"],
        person(2): ["2 first", "2 second"],
        person(3): ["3 first", "3 second"],
        person(5): ["5 first", "5 second", "5 third"],
        person(6): ["6 first", "6 later"],
        person(7): ["7 first"],
        person(8): ["8 first", "8 second"],
    }
    assert next(entry.step for entry in told if entry.recipient == person(7)) == "mark_seen"
    envoi = Envoi(stack.redis_url)
    with redis.Redis.from_url(stack.redis_url, decode_responses=True) as client:
        [outcome] = [read_outcome(*row) for row in client.xrange(KEYS.outcomes("shop"))]
    assert outcome.key == "seven"
    # A key that was taken before the upgrade is taken after it: a repeat sends nothing.
    assert envoi.send(stack.page, person(7), "7 first", on_outcome="stream:shop", key="seven") == outcome.job_id


def test_a_job_of_a_later_format_is_left_for_a_later_worker_and_keeps_its_place(
    make_stack: MakeStack, opened_log: OpenedLog
) -> None:
    stack = make_stack(settings=QUICK)
    stack.start(workers=0)
    envoi, engine = Envoi(stack.redis_url), opened_log(stack)
    ids = [envoi.send(stack.page, person(1), text) for text in ("later", "behind")]
    key, conversation = KEYS.job(ids[0]), KEYS.conversation(f"{stack.page}/id/{person(1)}")
    with redis.Redis.from_url(stack.redis_url, decode_responses=True) as client:
        version, rest = str(client.get(key)).split(" ", 1)
        client.set(key, f"99 {rest}")
        stack.start_worker()
        other = envoi.send(stack.page, person(2), "hello")
        wait_until_equal(lambda: envoi.status(other).state, "sent", "others are delivered")
        wait_until_equal(lambda: client.hget(conversation, "pl"), "d", "the worker has met the job and put it back")
        status = envoi.status(ids[0])
        assert (status.state, status.attempts) == ("queued", 0)
        client.set(key, f"{version} {rest}")  # as far as it can tell, a later worker has come
    assert wait_until_settled(stack, engine, 3, timeout=60) == {State.SENT: 3}
    messages = [entry.text for entry in Sandbox(stack.sandbox_url).deliveries(stack.page) if entry.step == "message"]
    assert messages == ["hello", "later", "behind"]


def test_two_versions_work_side_by_side_and_the_one_before_them_is_shut_out(
    make_stack: MakeStack, opened_log: OpenedLog, tmp_path: Path
) -> None:
    stack = make_stack(latency=0.02, settings=QUICK)
    stack.start(workers=1)
    engine, sent = opened_log(stack), list[Sent]()

    def more(jobs: int = 200) -> list[str]:
        new = enqueue(stack, jobs, people=40, first=len(sent))
        sent.extend(new)
        return [job.job_id for job in new]

    def all_sent() -> None:
        wait_for(len(sent), State.SENT, engine, timeout=90)

    with (
        redis.Redis.from_url(stack.redis_url, decode_responses=True) as client,
        NextVersion(stack, tmp_path / "next", 1) as later,
        NextVersion(stack, tmp_path / "after", 2) as latest,
    ):
        new_worker = later.start("worker")
        wait_until(lambda: '"action": "ready"' in new_worker.last_lines(1000), "a later worker starts")
        more()  # its scripts are not there yet: it leaves the work to the earlier one
        all_sent()
        assert client.get(KEYS.protocol) == str(PROTOCOL)

        new_scheduler = later.start("scheduler")
        wait_until_equal(lambda: client.get(KEYS.protocol), str(PROTOCOL + 1), "the later scheduler opens the queue")
        assert both_deliver(stack, more, new_worker.log)
        stack.child("scheduler").stop()
        assert stack.redis is not None
        stack.redis.stop()
        stack.redis.start()  # the scripts are gone; the later scheduler brings those of both back
        assert both_deliver(stack, more, new_worker.log)
        all_sent()

        newest = latest.start("scheduler")
        wait_until_equal(lambda: client.get(KEYS.protocol), str(PROTOCOL + 2), "one more version opens the queue")
        with pytest.raises(QueueUnavailable, match=f"protocol {PROTOCOL + 2}.*upgrade"):
            more()
        refused = stack._start("scheduler", "envoi", "scheduler")
        assert refused.process.wait(60) == 1
        assert f"this queue is at protocol {PROTOCOL + 2}" in refused.last_lines()
        refused = stack._start("worker", "envoi", "worker")
        assert refused.process.wait(60) == 1
        assert f"this queue is at protocol {PROTOCOL + 2}" in refused.last_lines()
        assert newest.running
        assert new_scheduler.running
        assert new_worker.running
    verdict = judge(stack, engine, sent)
    assert_clean(verdict)
    assert count_by_state(engine) == {State.SENT: len(sent)}


def both_deliver(stack: Stack, more: Callable[[], list[str]], other: Path) -> bool:
    """Enqueue until the worker of each version has delivered some of it."""
    logs = [stack.child("worker").log, other]
    began = [len(log.read_text()) for log in logs]
    for _ in range(20):
        ids = more()
        wait_until_equal(lambda: Envoi(stack.redis_url).status(ids[-1]).state, "sent", "the last is sent", 60)  # noqa: B023
        new = [log.read_text()[start:] for log, start in zip(logs, began, strict=True)]
        if all('"action": "attempt"' in text for text in new):
            return True
    return False
