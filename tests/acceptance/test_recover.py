"""A wiped Redis under a whole Envoi: ``envoi recover`` puts back what the log holds, and workers deliver the rest."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
import redis
from sqlalchemy import Engine

from demo.stack import Stack
from envoi import Envoi, Job, Recovering, State
from tests.acceptance.conftest import MakeStack
from tests.acceptance.ledger import control, deliveries
from tests.acceptance.outcomes import wait_for, wait_until_settled
from tests.acceptance.runs import assert_clean, enqueue, judge

OpenedLog = Callable[[Stack], Engine]

QUICK = {
    "ENVOI_PAGE_PACE": "60",
    "ENVOI_PAGE_CAP": "8",
    "ENVOI_LEASE": "2",
    "ENVOI_READ_TIMEOUT": "2",
    "ENVOI_GRAPH_LATEST": "2",
    "ENVOI_GRAPH_LATEST_MEDIA": "2",
    "ENVOI_GRAPH_VISIBLE": "1",
    "ENVOI_LOOK_AGAIN": "1",
    "ENVOI_LOOKS_PACE": "50",
}
JOBS, PEOPLE = 150, 40


def test_what_a_wiped_redis_held_is_recovered_and_delivered_once_and_in_order(
    make_stack: MakeStack, opened_log: OpenedLog
) -> None:
    stack = make_stack(latency=0.05, settings=QUICK)
    stack.start(workers=2)
    control(stack.sandbox_url, "PUT", "switches", {"conversations_per_second": None})
    engine = opened_log(stack)
    sent = enqueue(stack, JOBS, PEOPLE)
    wait_for(50, State.SENT, engine, timeout=30)
    for name, index in (("worker", 0), ("worker", 1), ("scheduler", 0)):
        stack.child(name, index).kill()  # in their message calls, and the log behind
    with redis.Redis.from_url(stack.redis_url) as client:
        client.flushall()
    before = sum(entry.step == "message" for entry in deliveries(stack.sandbox_url))
    assert 50 <= before < JOBS
    with pytest.raises(Recovering):
        Envoi(stack.redis_url).send_many([Job(page=stack.page, recipient=sent[0].recipient, message="not yet")])

    done = json.loads(stack.run("recover", "--json"))

    assert JOBS - before <= done["jobs"] < JOBS
    stack.start_scheduler()
    stack.start_worker()
    more = enqueue(stack, PEOPLE, PEOPLE, first=JOBS)
    counts = wait_until_settled(stack, engine, JOBS + PEOPLE, timeout=60, watch=False)
    verdict = judge(stack, engine, sent + more)
    assert_clean(verdict)
    assert counts == {State.SENT: JOBS + PEOPLE}
