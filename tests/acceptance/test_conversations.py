"""Holds, opt-outs and an erasure under a whole Envoi of real processes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import redis
from sqlalchemy import Engine

from demo.stack import Stack
from envoi import Envoi, Job, State
from envoi.queue.keys import Keys, conversation_of
from tests.acceptance.conftest import MakeStack
from tests.acceptance.ledger import Sent, deliveries
from tests.acceptance.outcomes import wait_for, wait_until_settled
from tests.acceptance.runs import assert_clean, judge
from tests.integration.erase.eyes import in_redis, in_sql
from tests.waiting import wait_until_equal

OpenedLog = Callable[[Stack], Engine]
PERSON = "7000000000000001"


def _send(stack: Stack, jobs: int, *, first: int = 0, person: str = PERSON, text: str = "message") -> list[Sent]:
    made = [Job(page=stack.page, recipient=person, message=f"{text} {n}") for n in range(first, first + jobs)]
    return [Sent(job_id, person) for job_id in Envoi(stack.redis_url).send_many(made)]


def _messages(stack: Stack) -> Counter[str]:
    """How many messages each person has got."""
    return Counter(entry.recipient for entry in deliveries(stack.sandbox_url) if entry.step == "message")


def _wait_until_parked(stack: Stack) -> None:
    name = Keys().conversation(conversation_of(stack.page, "id", PERSON))
    with redis.Redis.from_url(stack.redis_url, decode_responses=True) as client:
        wait_until_equal(lambda: client.hget(name, "pl"), "p", "its place")


def test_a_hold_in_the_middle_of_50_messages_stops_them_and_its_release_delivers_the_rest_once_and_in_order(
    make_stack: MakeStack, opened_log: OpenedLog
) -> None:
    stack = make_stack(latency=0.02)
    stack.start(workers=2)
    engine, client = opened_log(stack), Envoi(stack.redis_url)
    sent = _send(stack, 30)
    wait_for(5, State.SENT, engine, timeout=60)

    client.hold(stack.page, PERSON)
    sent += _send(stack, 20, first=30)
    _wait_until_parked(stack)
    before = _messages(stack)[PERSON]
    assert 5 <= before <= 30
    others = _send(stack, 20, person="7000000000000002", text="to another")
    wait_for(before + len(others), State.SENT, engine, timeout=60)
    assert _messages(stack) == {PERSON: before, "7000000000000002": len(others)}
    assert client.conversation(stack.page, PERSON).waiting == 50 - before

    assert client.release(stack.page, PERSON)
    assert wait_until_settled(stack, engine, 70, timeout=60) == {State.SENT: 70}
    verdict = judge(stack, engine, sent + others)
    assert_clean(verdict)
    assert verdict.interleaved == []


def test_no_message_call_begins_after_an_opt_out(make_stack: MakeStack, opened_log: OpenedLog) -> None:
    stack = make_stack(latency=0.1)
    stack.start(workers=2)
    engine, client = opened_log(stack), Envoi(stack.redis_url)
    sent = _send(stack, 60)
    wait_for(3, State.SENT, engine, timeout=60)

    client.opt_out(stack.page, PERSON)
    conversation = conversation_of(stack.page, "id", PERSON)
    with redis.Redis.from_url(stack.redis_url, decode_responses=True) as queue:
        pipe = queue.pipeline(transaction=True)
        pipe.hmget(Keys().conversation(conversation), "m", "mid")
        pipe.lindex(Keys().line(conversation), 0)
        begun, head = pipe.execute()
    may_arrive = {job.job_id for job in sent if client.status(job.job_id).state is State.SENT}
    may_arrive |= {head} if any(begun) else set()

    counts = wait_until_settled(stack, engine, 60, timeout=60)
    verdict = judge(stack, engine, [job for job in sent if job.job_id in may_arrive])
    assert_clean(verdict)
    assert verdict.interleaved == []
    assert counts == {State.SENT: len(may_arrive), State.FAILED: 60 - len(may_arrive)}
    assert counts[State.FAILED] > 0


def test_an_erasure_leaves_no_trace_in_redis_and_sql(make_stack: MakeStack, opened_log: OpenedLog) -> None:
    stack = make_stack()
    stack.start(workers=1)
    engine, client = opened_log(stack), Envoi(stack.redis_url)
    marker = "a-text-for-nobody-else"
    _send(stack, 20, text=marker)
    client.send(stack.page, PERSON, marker, key=f"order {PERSON}", on_outcome="stream:app")
    other = _send(stack, 5, person="7000000000000002", text="to another")
    assert wait_until_settled(stack, engine, 26, timeout=60) == {State.SENT: 26}
    client.send(stack.page, PERSON, marker, at=datetime.now(UTC) + timedelta(days=1))
    client.hold(stack.page, PERSON)
    client.opt_out(stack.page, "7000000000000002")
    client.send(stack.page, PERSON, marker)

    with redis.Redis.from_url(stack.redis_url) as raw:
        before = [*in_redis(raw), *in_sql(engine)]
        assert [line for line in before if PERSON in line]
        assert [line for line in before if marker in line]
        done = json.loads(stack.run("erase", stack.page, PERSON, "--json"))
        after = [*in_redis(raw), *in_sql(engine)]

    assert (done["cancelled"], done["jobs"], done["outcomes"]) == (2, 23, 1)
    assert [line for line in after if PERSON in line or marker in line] == []
    assert len([line for line in after if line.startswith("jobs ")]) == 28
    assert len([line for line in after if other[0].recipient in line]) > 5
