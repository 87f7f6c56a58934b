"""Celery's own commands, as people who know Celery will type them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

from sqlalchemy import Engine

from demo.child import Child
from demo.stack import ROOT, Stack
from envoi import State
from envoi.client import open_queue
from envoi.queue.keys import Keys
from tests.acceptance.conftest import MakeStack
from tests.acceptance.flower import celery_program
from tests.acceptance.outcomes import wait_until_settled
from tests.acceptance.runs import assert_clean, enqueue, judge
from tests.waiting import wait_until


def celery_worker(stack: Stack, *options: str) -> Child:
    """``celery -A worker worker`` with the stack's environment; not started."""
    command = [celery_program(), "-A", "worker", "worker", "--loglevel", "INFO", *options]
    return Child("celery", command, log=stack.folder / "celery.log", env=stack.environment, cwd=ROOT)


def test_celerys_own_command_is_a_worker_that_delivers_and_ends_in_good_order(
    make_stack: MakeStack, opened_log: Callable[[Stack], Engine]
) -> None:
    stack = make_stack(settings={"ENVOI_PAGE_PACE": "500", "ENVOI_PAGE_CALLS": "10000"})
    stack.start(workers=0)
    worker = celery_worker(stack)
    worker.start()
    try:
        worker.wait_ready(lambda: '"action": "ready"' in worker.last_lines(1000), 30)
        engine = opened_log(stack)
        sent = enqueue(stack, 100, people=10)
        assert wait_until_settled(stack, engine, 100, timeout=40) == {State.SENT: 100}
        verdict = judge(stack, engine, sent)
        assert_clean(verdict)
        assert verdict.interleaved == []
        asked = subprocess.run(
            [celery_program(), "-A", "worker", "inspect", "ping", "--timeout", "5"],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            cwd=ROOT,
            env=stack.environment,
        )
        assert asked.returncode == 0, asked.stdout + asked.stderr
        assert "pong" in asked.stdout
    finally:
        status = worker.stop()
    assert status == 0


def test_a_pool_that_cannot_run_the_engine_is_refused_and_says_so(make_stack: MakeStack) -> None:
    stack = make_stack()
    stack.start(workers=0)
    worker = celery_worker(stack, "--pool", "processes")  # "prefork" is taken for "as configured"
    worker.start()
    try:
        wait_until(lambda: not worker.running, "the worker has ended")
    finally:
        status = worker.stop()
    assert status != 0
    assert "use Celery's pool `threads`" in worker.last_lines(100)


def test_two_queues_on_one_redis_do_not_hear_each_others_bells(make_stack: MakeStack) -> None:
    first = make_stack(settings={"ENVOI_REDIS_TAG": "first"})
    # A stack knows its queue by the tag it was made with; these tell all its processes another.
    first._tag = "first"
    first.start(workers=1)
    second = make_stack(redis_url=first.redis_url)
    second.start(workers=0)
    assert second.redis is None
    own = {name: value for name, value in second.environment.items() if name == "ENVOI_REDIS_TAG"}
    ran = second.run("send", second.page, "7001", "hello")
    job_id = ran.split()[-1]
    assert own["ENVOI_REDIS_TAG"] != "first"
    keys = Keys(own["ENVOI_REDIS_TAG"])
    client = open_queue(first.redis_url).redis
    assert client.llen(keys.line(f"{second.page}/id/7001")) == 1
    second.start_worker()
    wait_until(lambda: '"state": "sent"' in second.run("status", job_id, "--json"), "its own worker sends it")
    assert client.llen(keys.line(f"{second.page}/id/7001")) == 0
    assert "attempt" not in first.child("worker").last_lines(1000).replace("attempts", "")
