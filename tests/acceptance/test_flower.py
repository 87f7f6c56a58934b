"""What a real Flower shows: jobs, under their ids, with what became of them; no contents, and no bells."""

from __future__ import annotations

import time
from collections.abc import Callable

import redis
from sqlalchemy import Engine, text

from demo.stack import Stack
from envoi import Envoi, State
from tests.acceptance.conftest import MakeStack
from tests.acceptance.flower import Flower
from tests.acceptance.ledger import control, lift_look_limit, order_fault
from tests.acceptance.outcomes import wait_until_settled
from tests.acceptance.runs import enqueue
from tests.waiting import wait_until, wait_until_equal

# Times shortened so that a retry and its end fit into a test.
QUICK = {
    "ENVOI_PAGE_PACE": "500",
    "ENVOI_PAGE_CALLS": "10000",
    "ENVOI_PAGE_CAP": "200",
    "ENVOI_BACKOFF_FIRST": "0.2",
    "ENVOI_BACKOFF_CAP": "1",
    "ENVOI_ANSWERED_WAIT": "0.2",
    "ENVOI_MAX_ATTEMPTS": "30",
    "ENVOI_LOOKS_PACE": "50",  # Meta's two a second would only make the tests longer
}


def fault_for(stack: Stack, recipient: str, fault: dict[str, object], **rule: object) -> None:
    """Let the message calls to one person meet a fault."""
    match = {"step": "message", "recipient": recipient}
    control(stack.sandbox_url, "POST", "rules", {"match": match, "fault": fault, **rule})


def names(stack: Stack, workers: int) -> set[str]:
    """Node names begin with what tells the processes of a machine apart."""
    return {f"envoi-{stack.child('worker', index).pid}" for index in range(workers)}


def test_flower_shows_each_job_as_a_task_with_its_outcome_and_without_its_contents(make_stack: MakeStack) -> None:
    stack = make_stack(latency=0.02, settings={**QUICK, "ENVOI_THROTTLE_WAIT": "600"})
    stack.start(workers=2)
    fault_for(stack, "7000000000000002", {"kind": "error", "code": 2, "status": 500}, times=2)
    fault_for(stack, "7000000000000003", {"kind": "error", "code": 100, "subcode": 2018001})
    fault_for(stack, "7000000000000004", {"kind": "error", "code": 2, "status": 500, "seconds": 0.1})
    fault_for(stack, "7000000000000005", {"kind": "error", "code": 9, "subcode": 2018352})
    envoi = Envoi(stack.redis_url)
    with Flower(stack) as flower:
        flower.wait_for_workers(2)
        sent, retried, refused, waiting, throttled = jobs = [
            envoi.send(stack.page, f"700000000000000{person}", "the password is swordfish") for person in range(1, 6)
        ]
        wait_until(
            lambda: {flower.info(job).get("state") for job in (sent, retried, refused)} == {"SUCCESS", "FAILURE"},
            "three jobs are settled",
        )

        row = flower.info(sent)
        assert (row["name"], row["uuid"], row["state"], row["retries"]) == ("envoi.send", sent, "SUCCESS", 0)
        assert row["result"] == envoi.status(sent).message_id
        assert 0.06 <= row["runtime"] < 30  # three calls of 20 ms, one after the other
        assert row["received"] <= row["started"] <= row["succeeded"]
        assert row["exception"] is None
        assert row["kwargs"] == f"{{'page': '{stack.page}', 'id': '…0001', 'lane': 'replies', 'message': 'text(25)'}}"
        assert row["args"] == "()"
        assert row["worker"].partition("@")[0] in names(stack, 2)

        row = flower.info(retried)
        assert (row["state"], row["retries"]) == ("SUCCESS", 2)
        assert row["result"] == envoi.status(retried).message_id

        row = flower.info(refused)
        assert (row["state"], row["result"]) == ("FAILURE", None)
        assert row["exception"].startswith("Graph error 100/2018001: ")

        seen: dict[str, object] = {}

        def retries() -> bool:
            seen.update(flower.info(waiting))
            return seen["state"] == "RETRY"

        wait_until(retries, "a job that waits for its next attempt is shown as such")
        assert str(seen["exception"]).startswith("Graph error 2: ")
        wait_until_equal(lambda: flower.info(throttled).get("state"), "RETRY", "a throttled job is shown as waiting")
        assert flower.info(throttled)["exception"].startswith("Graph error 9/2018352: ")

        rows = flower.tasks()
        assert set(rows) == set(jobs)
        assert {row["name"] for row in rows.values()} == {"envoi.send"}
        assert set(flower.events("task-succeeded")) == {"envoi.send"}
        assert flower.events("task-succeeded")["envoi.send"] == 2
        assert flower.events("task-failed")["envoi.send"] == 1
        assert 'flower_task_runtime_seconds_count{task="envoi.send"' in flower.read("/metrics")

        assert {name.partition("@")[0] for name in flower.online()} == names(stack, 2)
        for job in jobs:
            page = flower.read(f"/task/{job}")
            assert job in page
            for secret in ("swordfish", "70000000000000", stack.environment["ENVOI_SECRET_KEYS"]):
                assert secret not in page


def test_under_load_every_row_ends_as_its_job_did_with_its_retries_counted(
    make_stack: MakeStack, opened_log: Callable[[Stack], Engine]
) -> None:
    # A retry comes so soon that another worker often has the job sent before the first would have told of the failure.
    soon = {"ENVOI_BACKOFF_FIRST": "0.02", "ENVOI_BACKOFF_CAP": "0.1", "ENVOI_ANSWERED_WAIT": "0.01"}
    stack = make_stack(latency=0.01, settings=QUICK | soon)
    stack.start(workers=2)
    lift_look_limit(stack.sandbox_url)
    order_fault(stack.sandbox_url, {"kind": "error", "code": 2, "status": 500}, probability=0.3)
    engine = opened_log(stack)
    with Flower(stack) as flower:
        flower.wait_for_workers(2)
        enqueue(stack, 600, people=120)
        assert wait_until_settled(stack, engine, 600, timeout=60) == {State.SENT: 600}
        with engine.connect() as connection:
            logged = connection.execute(text("SELECT id, message_id, attempts FROM jobs")).all()
        retries = sum(attempts - 1 for _, _, attempts in logged)
        assert retries > 100

        wait_until_equal(lambda: flower.events("task-succeeded").get("envoi.send"), 600, "Flower has heard of all")
        rows = flower.tasks()
        shown = [(job, row["state"], row["result"]) for job, row in rows.items()]
        told = [(job, "SUCCESS", message_id) for job, message_id, _ in logged]
        assert sorted(shown) == sorted(told)
        # Flower believes what it hears last: of one worker that a busy machine lets publish late, an earlier attempt.
        behind = [job for job, _, attempts in logged if rows[job]["retries"] != attempts - 1]
        assert len(behind) <= 600 // 20
        assert [row for row in rows.values() if not row["started"] <= row["succeeded"]] == []
        assert {row["worker"].partition("@")[0] for row in rows.values()} == names(stack, 2)
        assert flower.events("task-retried") == {"envoi.send": retries}


def test_jobs_show_up_again_after_a_restart_of_the_broker(make_stack: MakeStack) -> None:
    stack = make_stack(settings={**QUICK, "ENVOI_LEASE": "4"})
    stack.start(workers=1)
    assert stack.redis
    envoi = Envoi(stack.redis_url)
    with Flower(stack) as flower:
        flower.wait_for_workers(1)
        before = envoi.send(stack.page, "7001", "before")
        wait_until_equal(lambda: flower.info(before).get("state"), "SUCCESS", "a job shows")
        stack.redis.restart(hard=True)

        seen = ""
        deadline = time.monotonic() + 40

        def heard() -> bool:
            # Flower must come back as well, and what is sent before it has is never shown: one after the other.
            nonlocal seen
            seen = envoi.send(stack.page, "7002", "is anybody there?")
            wait_until(lambda: envoi.status(seen).state is State.SENT, "deliveries go on", deadline - time.monotonic())
            try:
                wait_until_equal(lambda: flower.info(seen).get("state"), "SUCCESS", "it shows", 1)
            except AssertionError:
                return False
            return True

        wait_until(heard, "a job sent after the restart shows", 40)
        after = [envoi.send(stack.page, f"800{person}", "after") for person in range(10)]
        wait_until_equal(lambda: {flower.info(job).get("state") for job in after}, {"SUCCESS"}, "all later jobs show")
        stack.check()


def test_without_job_events_workers_are_heard_and_no_job_is(
    make_stack: MakeStack, opened_log: Callable[[Stack], Engine]
) -> None:
    stack = make_stack(settings={**QUICK, "ENVOI_JOB_EVENTS": "false"})
    stack.start(workers=1)
    engine = opened_log(stack)
    with redis.Redis.from_url(stack.redis_url, decode_responses=True) as client, client.pubsub() as listener:
        listener.psubscribe("*celeryev*")
        enqueue(stack, 20, people=5)
        assert wait_until_settled(stack, engine, 20, timeout=30) == {State.SENT: 20}
        # Two heartbeats, which are 2 s apart: an event of a job would have come before the second.
        heard: list[str] = []

        def two_heartbeats() -> bool:
            message = listener.get_message(ignore_subscribe_messages=True, timeout=1)
            if message:
                heard.append(message["channel"].rpartition("/")[2])
            return heard.count("worker.heartbeat") == 2

        wait_until(two_heartbeats, "two heartbeats")
        assert set(heard) == {"worker.heartbeat"}
