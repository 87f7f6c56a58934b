"""The main job from end to end: worker, scheduler and sandbox as processes, Redis and PostgreSQL as they are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Engine, text

from demo.stack import Stack
from envoi import State
from tests.acceptance.outcomes import wait_for, wait_until_settled
from tests.acceptance.runs import assert_clean, enqueue, judge


def test_300_jobs_to_30_people_through_two_workers_one_of_which_is_stopped_in_the_middle(
    tmp_path: Path, postgres_url: str, opened_log: Callable[[Stack], Engine]
) -> None:
    quick = {"ENVOI_PAGE_PACE": "200", "ENVOI_PAGE_CALLS": "10000"}
    with Stack(tmp_path, database_url=postgres_url, latency=0.02, settings=quick) as stack:
        stack.start(workers=2)
        engine = opened_log(stack)
        _deliver(stack, engine)
    assert [child.process.returncode for child in stack.children()] == [0] * 5, "all ended in good order"


def _deliver(stack: Stack, engine: Engine) -> None:
    sent = enqueue(stack, 300, people=30)
    wait_for(60, State.SENT, engine, timeout=60)
    assert stack.child("worker", 0).stop() == 0
    stack.start_worker()
    wait_until_settled(stack, engine, 300, timeout=60, watch=False)

    with engine.connect() as connection:
        counted = "SELECT count(*) FROM jobs WHERE state = 'sent' AND message_id IS NOT NULL"
        assert connection.execute(text(counted)).scalar_one() == 300
    verdict = judge(stack, engine, sent)
    assert_clean(verdict)
    assert verdict.interleaved == []
    assert len([entry for entry in verdict.delivered if entry.step == "message"]) == 300
