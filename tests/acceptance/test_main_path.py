"""The main path under what goes wrong: errors, lost and frozen workers, restarts of every part."""

from __future__ import annotations

import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from demo.postgres_server import PostgresServer
from demo.stack import Stack
from envoi import Envoi, QueueFull, State
from tests.acceptance.conftest import MakeStack
from tests.acceptance.ledger import control, entries, lift_look_limit, order_fault
from tests.acceptance.outcomes import wait_for, wait_until_settled
from tests.acceptance.runs import QUICK, assert_clean, enqueue, judge
from tests.waiting import PATIENCE

OpenedLog = Callable[[Stack], Engine]


def test_2000_jobs_of_which_every_fifth_call_fails_unsent_arrive_once_and_in_order(
    make_stack: MakeStack, opened_log: OpenedLog
) -> None:
    stack = make_stack(latency=0.01, settings=QUICK)
    stack.start(workers=4)
    url = stack.sandbox_url
    lift_look_limit(url)
    order_fault(url, {"kind": "error", "code": 2, "status": 500}, probability=0.12)
    order_fault(url, {"kind": "error", "code": 9, "subcode": 2018352}, probability=0.06)  # this person is throttled
    order_fault(url, {"kind": "error", "code": 613}, every=150)  # the page is
    engine = opened_log(stack)
    sent = enqueue(stack, 2000, people=200)
    for sent_so_far in (300, 900):  # connections are refused, twice
        wait_for(sent_so_far, State.SENT, engine, timeout=60)
        control(url, "POST", "refuse", {"seconds": 0.5})
    assert wait_until_settled(stack, engine, 2000, timeout=120) == {State.SENT: 2000}

    verdict = judge(stack, engine, sent)
    assert_clean(verdict)
    assert verdict.interleaved == []
    with engine.connect() as connection:
        failed = "SELECT count(*) FROM calls WHERE step = 'message' AND verdict IN ('TryLater', 'Throttled')"
        assert connection.execute(text(failed)).scalar_one() > 300
        refused = "SELECT count(*) FROM calls WHERE verdict = 'TryLater' AND http_status IS NULL"
        assert connection.execute(text(refused)).scalar_one() > 0
        # Every request for a call that the ledger saw is a row of the log, and the other way round.
        answered = "SELECT count(*) FROM calls WHERE http_status IS NOT NULL"
        assert connection.execute(text(answered)).scalar_one() == len(entries(url, edge="messages"))


def test_a_killed_and_a_frozen_worker_lose_nothing_and_send_nothing_twice(
    make_stack: MakeStack, opened_log: OpenedLog
) -> None:
    stack = make_stack(latency=0.05, settings=QUICK)
    stack.start(workers=4)
    lift_look_limit(stack.sandbox_url)
    engine = opened_log(stack)
    sent = enqueue(stack, 1200, people=120)
    wait_for(150, State.SENT, engine, timeout=60)
    stack.child("worker", 0).kill()
    wait_for(300, State.SENT, engine, timeout=60)
    frozen = stack.child("worker", 1)
    frozen.pause()
    wait_until_settled(stack, engine, 1200, timeout=120, watch=False)
    frozen.cont()
    assert frozen.process.wait(10) == -signal.SIGALRM  # the dead-man timer: it does nothing any more

    verdict = judge(stack, engine, sent)
    assert_clean(verdict)
    # Caught in the message call: unknown, each named. Two workers of 32 conversations each can have so many.
    assert len(verdict.unknown) <= 64
    with engine.connect() as connection:
        others = "SELECT count(*) FROM jobs WHERE state NOT IN ('sent', 'unknown')"
        assert connection.execute(text(others)).scalar_one() == 0


def test_workers_stopped_in_turn_under_load_leave_nothing_unknown(make_stack: MakeStack, opened_log: OpenedLog) -> None:
    stack = make_stack(latency=0.05, settings=QUICK)
    stack.start(workers=3)
    engine = opened_log(stack)
    sent = enqueue(stack, 1200, people=120)
    for turn in range(3):
        wait_for(150 * (turn + 1), State.SENT, engine, timeout=60)
        assert stack.child("worker", turn).stop() == 0
        stack.start_worker()
    assert wait_until_settled(stack, engine, 1200, timeout=120, watch=False) == {State.SENT: 1200}

    verdict = judge(stack, engine, sent)
    assert_clean(verdict)
    assert verdict.interleaved == []


def test_deliveries_go_on_while_postgres_is_down_and_no_row_is_missing_afterwards(
    make_stack: MakeStack, opened_log: OpenedLog, tmp_path: Path
) -> None:
    with PostgresServer(folder=tmp_path) as database:
        stack = make_stack(latency=0.02, settings=QUICK, database_url=database.url)
        stack.start(workers=2)
        engine = opened_log(stack)
        sent = enqueue(stack, 400, people=60)
        wait_for(100, State.SENT, engine, timeout=60)
        database.stop()
        client = Envoi(stack.redis_url)
        during = enqueue(stack, 400, people=60, first=400)
        for job in during:  # they are sent while PostgreSQL is down
            assert client.wait(job.job_id, PATIENCE).state is State.SENT
        database.start()
        engine.dispose()
        assert wait_until_settled(stack, engine, 800, timeout=60) == {State.SENT: 800}
        verdict = judge(stack, engine, sent + during)
        assert_clean(verdict)
        assert verdict.interleaved == []
        engine.dispose()


def test_a_long_outage_of_postgres_stops_the_door_at_the_cap_and_loses_nothing_that_was_taken(
    make_stack: MakeStack, opened_log: OpenedLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cap = {"ENVOI_EVENTS_CAP": "1000"}
    monkeypatch.setenv(*next(iter(cap.items())))
    with PostgresServer(folder=tmp_path) as database:
        stack = make_stack(latency=0.005, settings=QUICK | cap, database_url=database.url)
        stack.start(workers=2)
        engine = opened_log(stack)
        taken = enqueue(stack, 20, people=20)
        wait_for(20, State.SENT, engine, timeout=60)
        database.stop()
        with suppress(QueueFull):
            while len(taken) < 1000:
                taken += enqueue(stack, 20, people=20, first=len(taken))
        client = Envoi(stack.redis_url)
        for job in taken:  # what was taken goes out while the log is away
            assert client.wait(job.job_id, PATIENCE).state is State.SENT
        with pytest.raises(QueueFull):  # and the door stays shut: nothing was dropped to make room
            enqueue(stack, 1, people=1, first=len(taken))
        database.start()
        engine.dispose()
        assert wait_until_settled(stack, engine, len(taken), timeout=60) == {State.SENT: len(taken)}
        taken += enqueue(stack, 20, people=20, first=len(taken))
        assert wait_until_settled(stack, engine, len(taken), timeout=60) == {State.SENT: len(taken)}
        verdict = judge(stack, engine, taken)
        assert_clean(verdict)
        assert verdict.interleaved == []
        with engine.connect() as connection:
            answered = "SELECT count(*) FROM calls WHERE http_status IS NOT NULL"
            logged = connection.execute(text(answered)).scalar_one()
        assert logged == len(entries(stack.sandbox_url, edge="messages")) == 3 * len(taken)
        engine.dispose()


def test_a_redis_that_restarts_in_good_order_or_by_kill_loses_and_doubles_nothing(
    make_stack: MakeStack, opened_log: OpenedLog
) -> None:
    stack = make_stack(latency=0.02, settings=QUICK)
    stack.start(workers=3)
    assert stack.redis
    engine = opened_log(stack)
    sent = enqueue(stack, 1500, people=100)
    for sent_so_far, hard in ((200, False), (600, True)):
        wait_for(sent_so_far, State.SENT, engine, timeout=60)
        stack.redis.restart(hard=hard)
    counts = wait_until_settled(stack, engine, 1500, timeout=120)

    verdict = judge(stack, engine, sent)
    assert_clean(verdict)
    assert counts == {State.SENT: 1500}
