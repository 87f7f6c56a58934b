"""A restarted Redis that may have lost its last moments: what workers tell it, what is in doubt, and the gate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import redis

from demo.redis_server import RedisServer
from envoi.errors import Recovering
from envoi.events import GraphError
from envoi.job import Job
from envoi.queue.begin import AlreadySent, Begun, Go, No
from envoi.queue.claim import Claim, Claimed
from envoi.queue.connection import connect
from envoi.queue.done import Done
from envoi.queue.queue import Queue
from envoi.queue.restart import Grip
from envoi.queue.scripts import ALL, GATED, script
from envoi.settings import Settings
from envoi.states import State
from tests.integration.queue.hands import PAGE, Bench, call
from tests.integration.queue.snapshot import Snapshot
from tests.waiting import wait_until_equal


@pytest.fixture
def disk(queue: Bench, redis_url: str) -> Snapshot:
    """What is on Redis's disk; to be taken when it matters."""
    return Snapshot(queue, redis.Redis.from_url(redis_url))


def _lost(queue: Bench, disk: Snapshot) -> None:
    disk.bring_back()
    queue.restart()


def _begun(queue: Bench) -> Claimed:
    held = queue.take()
    assert isinstance(queue.begin(held), Go)
    return held


# ---- the gate


def test_while_the_gate_is_shut_nothing_is_claimed_begun_ticked_or_cancelled_but_everything_else_goes_on(
    queue: Bench,
) -> None:
    job_id, later = queue.put("1"), queue.put("2", at_in=1)
    held = queue.take()
    queue.restart()
    catch = queue.trip([Claim(5, "x")])[0]
    assert catch.gate_closed
    assert catch.claimed == []
    assert queue.begin(held) == No("gate")
    queue.sleep(queue.settings.lease + 1)
    assert queue.tick().gate_shut
    assert queue.state(later) == "scheduled"
    with pytest.raises(Recovering):
        queue.cancel(job_id)
    assert queue.sent(held) == "ok"
    assert queue.state(job_id) == "sent"
    queue.open()
    assert queue.tick().entered == 1
    assert len(queue.claim(5)) == 1


def test_nobody_but_who_opens_the_gate_loads_an_open_script(shut: Bench) -> None:
    shut.db.set(shut.keys.epoch, shut.run_id())
    shut.put()
    shut.claim()
    shut.tick()
    shut.renew("w", [])
    shut.reassert("w", "run", [])
    shut.pause(PAGE, "x")
    shut.resume(PAGE)
    assert not shut.gate_open()
    assert shut.db.script_exists(*(script(name).sha for name in ALL)) == [False] * len(ALL)
    shut.open()
    assert shut.gate_open()
    assert shut.db.script_exists(*(script(name).sha for name in ALL)) == [True] * len(ALL)


def test_gated_scripts_have_no_shut_text() -> None:
    assert {name for name in ALL if script(name).shut_text is None} == GATED


def test_the_gate_is_not_opened_for_another_run_than_the_one_looked_over(shut: Bench) -> None:
    with pytest.raises(Recovering):
        shut.open_gate("0" * 40)
    assert shut.epoch() is None
    assert not shut.gate_open()
    shut.open()
    assert shut.epoch() == shut.run_id()


def test_flushed_scripts_shut_the_gate_and_it_can_be_opened_again(queue: Bench) -> None:
    queue.db.script_flush()
    assert not queue.gate_open()
    queue.open()
    assert queue.gate_open()


# ---- the register of workers


def test_a_worker_is_registered_by_renewing_and_until_it_leaves_or_is_silent_for_two_leases(queue: Bench) -> None:
    queue.renew("one", [])
    queue.renew("two", [])
    assert set(queue.workers()) == {"one", "two"}
    queue.leave("one")
    assert set(queue.workers()) == {"two"}
    queue.sleep(queue.settings.lease * 1.9)
    queue.tick()
    assert set(queue.workers()) == {"two"}
    queue.sleep(queue.settings.lease * 0.2)
    queue.tick()
    assert queue.workers() == {}


def test_a_worker_that_starts_while_the_gate_is_shut_is_not_waited_for(queue: Bench) -> None:
    queue.renew("old", [])
    queue.restart()
    queue.renew("old", [])
    queue.renew("new", [])
    assert set(queue.workers()) - queue.back(queue.run) == {"old"}
    queue.reassert("old", queue.run, [], back=False)
    assert queue.back(queue.run) == set()
    queue.check_in("old", queue.run)
    assert queue.back(queue.run) == {"old"}


def test_how_long_ago_a_worker_was_heard_of(redis_client: redis.Redis) -> None:
    queue = Queue(redis_client, Settings())
    queue.open_gate(queue.run_id())
    before = queue.time()
    queue.renew("w", [])
    assert 0 <= queue.workers()["w"] <= queue.time() - before


# ---- what workers bring back


def test_a_lost_claim_is_restored_to_its_holder_and_begun_once_the_gate_is_open(queue: Bench, disk: Snapshot) -> None:
    job_id = queue.put()
    disk.take()
    held = queue.take()
    _lost(queue, disk)
    assert queue.place() == "w"
    assert queue.again(held, marked=False) == 1
    assert (queue.state(job_id), queue.busy()) == ("sending", 1)
    queue.open()
    assert queue.claim(5) == []
    assert isinstance(queue.begin(held), Go)
    assert queue.sent(held) == "ok"


def test_a_lost_mark_is_restored_so_that_a_worker_lost_later_leaves_the_job_in_doubt(
    queue: Bench, disk: Snapshot
) -> None:
    job_id = queue.put()
    disk.take()
    held = _begun(queue)
    _lost(queue, disk)
    queue.again(held, marked=True)
    queue.open()
    queue.sleep(queue.settings.lease + 1)
    queue.tick()
    assert queue.state(job_id) == "settling"


def test_what_was_said_in_the_lost_moments_is_said_again(queue: Bench, disk: Snapshot) -> None:
    unsure, later, sent = queue.put("1"), queue.put("2"), queue.put("3")
    behind = queue.put("3")
    disk.take()
    by_job = {one.job_id: one for one in queue.claim(5)}
    words = [
        Done(by_job[unsure], "unsure", [], error=GraphError("?"), seconds=90),
        Done(by_job[later], "retry", [], error=GraphError("later"), seconds=5),
        Done(by_job[sent], "settle", [], state=State.SENT, message_id="m"),
    ]
    for held in by_job.values():
        queue.begin(held)
    queue.trip(words)
    _lost(queue, disk)
    for word in words:
        queue.again(word.held, marked=True, back=False)
        queue.trip([word])
    assert [queue.state(job_id) for job_id in (unsure, later, sent)] == ["settling", "retrying", "sent"]
    assert queue.busy() == 0
    queue.open()
    assert [one.job_id for one in queue.claim(5)] == [behind]


@pytest.mark.parametrize("kept", range(5))
@pytest.mark.parametrize("ends", ["settle", "retry", "unsure", "back"])
def test_calls_come_into_the_log_wherever_the_loss_began(queue: Bench, disk: Snapshot, kept: int, ends: Any) -> None:
    typing, job_id = call("typing_on", "Unknown"), queue.put()
    said: list[Any] = []
    acts: list[Callable[[], Any]] = [
        lambda: said.append(queue.take()),
        lambda: queue.begin(said[0], calls=[typing]),
        lambda: queue.done(said[0], "keep", calls=[typing], message_id="m" if ends == "settle" else ""),
        lambda: queue.done(
            said[0], ends, calls=[typing], seconds=100, **({"message_id": "m"} if ends == "settle" else {})
        ),
    ]
    for number, act in enumerate(acts):
        if number == kept:
            disk.take()
        act()
    if kept == len(acts):
        disk.take()
    held = said[0]
    _lost(queue, disk)
    for first in (True, False):
        assert queue.trip([Begun(held, [typing])]) == [first and kept < 2]
        queue.done(held, "keep", calls=[typing], message_id="m" if ends == "settle" else "")
        queue.done(held, ends, calls=[typing], seconds=100, **({"message_id": "m"} if ends == "settle" else {}))
    queue.open()
    # Told twice they are one row there.
    assert {(record.step, record.started_at) for event in queue.events(job_id) for record in event.calls} == {
        ("typing_on", typing.started_at)
    }


def test_calls_told_again_once_the_gate_is_open_are_nobodys_but_the_holders(queue: Bench) -> None:
    job_id, typing = queue.put(), call("typing_on")
    held = _begun(queue)
    assert queue.trip([Begun(held, [typing]), Begun(held, [typing])]) == [True, False]
    queue.done(held, "settle", calls=[typing], message_id="m", state=State.SENT)
    assert queue.trip([Begun(held, [typing])]) == [False]
    assert len([record for event in queue.events(job_id) for record in event.calls]) == 1


def test_words_alone_restore_what_was_lost_too(queue: Bench, disk: Snapshot) -> None:
    job_id = queue.put()
    disk.take()
    held = _begun(queue)
    _lost(queue, disk)
    queue.done(held, "unsure", seconds=90)
    assert queue.state(job_id) == "settling"
    queue.open()
    assert queue.claim(5) == []


def test_what_was_not_lost_is_changed_by_nothing_that_is_said_again(queue: Bench) -> None:
    sent, later, back = queue.put("1"), queue.put("2"), queue.put("3")
    by_job = {one.job_id: one for one in queue.claim(5)}
    words = [
        Done(by_job[sent], "settle", [], state=State.SENT, message_id="m"),
        Done(by_job[later], "retry", [], error=GraphError("later"), seconds=5),
        Done(by_job[back], "back", []),
    ]
    queue.trip(words)
    before = len(queue.events())
    queue.restart()
    for word in words:
        assert queue.again(word.held, marked=True, back=False) == 0
        assert queue.trip([word]) == ["ok"]
    assert len(queue.events()) == before
    assert [queue.state(job_id) for job_id in (sent, later, back)] == ["sent", "retrying", "queued"]
    assert queue.busy() == 0


def test_a_later_holder_takes_over_from_an_earlier_one_whoever_comes_back_first(queue: Bench, disk: Snapshot) -> None:
    queue.put()
    disk.take()
    first = queue.take()
    queue.sleep(queue.settings.lease + 1)
    queue.tick()
    second = _begun(queue)
    for order in ([first, second], [second, first]):
        _lost(queue, disk)
        for held in order:
            queue.again(held, marked=held is second)
        assert queue.busy() == 1
        queue.open()
        assert queue.begin(first).__class__.__name__ == "Stale"
        assert queue.db.hget(queue.keys.conversation(second.conversation), "m") == second.fence


def test_a_holder_proves_that_the_jobs_ahead_of_it_had_their_outcomes(queue: Bench, disk: Snapshot) -> None:
    first, second = queue.put(), queue.put()
    disk.take()
    one = _begun(queue)
    queue.sent(one, "m1")
    two = _begun(queue)
    _lost(queue, disk)
    assert queue.again(two, marked=True, worker="B") == 1
    assert queue.state(first) == "unknown"
    assert queue.sent(one, "m1") == "corrected"
    assert (queue.state(first), queue.state(second)) == ("sent", "sending")
    assert queue.sent(two, "m2") == "ok"
    queue.open()
    assert queue.claim(5) == []


def test_a_fact_that_was_lost_on_its_way_is_found_at_begin_again(queue: Bench, disk: Snapshot) -> None:
    job_id = queue.put()
    held = queue.take()
    disk.take()
    queue.prove_sent(job_id, "m")
    _lost(queue, disk)
    queue.again(held, marked=False)
    queue.prove_sent(job_id, "m")
    assert queue.begin(held) == AlreadySent("m")


def test_who_comes_back_after_the_gate_was_opened_restores_nothing(queue: Bench, disk: Snapshot) -> None:
    job_id = queue.put()
    disk.take()
    held = _begun(queue)
    _lost(queue, disk)
    queue.look_over()
    queue.open()
    assert queue.again(held, marked=True) == 0
    assert queue.state(job_id) == "settling"
    assert queue.sent(held) == "settled"
    assert queue.state(job_id) == "sent"


# ---- the suspect pass


def test_what_may_have_been_begun_in_the_lost_moments_is_never_begun_again(queue: Bench, disk: Snapshot) -> None:
    waiting, held_back, due, started = queue.put("1"), queue.put("2"), queue.put("3"), queue.put("4", at_in=1)
    by_job = {one.job_id: one for one in queue.claim(5)}
    queue.done(by_job[waiting], "back")
    queue.done(by_job[due], "retry", seconds=1)
    disk.take()
    queue.sleep(1.5)
    queue.tick()
    for held in [by_job[held_back], *queue.claim(5)]:
        assert isinstance(queue.begin(held), Go)
    _lost(queue, disk)
    queue.sleep(queue.settings.lease)
    assert queue.look_over() == 4
    queue.open()
    assert queue.claim(5) == []
    assert {queue.state(job_id) for job_id in (waiting, held_back, due, started)} == {"settling"}
    assert queue.busy() == 0
    queue.sleep(queue.settings.settle_wait + 1)
    queue.tick()
    assert {queue.state(job_id) for job_id in (waiting, held_back, due, started)} == {"unknown"}


@pytest.mark.parametrize("settles", [False, True], ids=["held", "settling"])
def test_what_is_said_of_the_marked_call_proves_nothing_of_one_that_was_begun_in_the_lost_moments(
    queue: Bench, disk: Snapshot, *, settles: bool
) -> None:
    """In moments that are lost, with the worker, the first was answered "not sent", and a second one begun."""
    job_id = queue.put()
    held = _begun(queue)
    if settles:
        queue.done(held, "unsure", seconds=90)
    disk.take()
    if settles:
        assert queue.prove_not_sent(job_id, held.fence) == "retrying"
    else:
        queue.done(held, "retry")
    queue.tick()
    second = queue.take()
    assert isinstance(queue.begin(second), Go)
    begun = queue.now()
    _lost(queue, disk)
    queue.sleep(queue.settings.lease + 1)
    queue.look_over()
    queue.open()
    assert queue.state(job_id) == "settling"
    assert queue.prove_not_sent(job_id, held.fence) == "stale"
    assert queue.done(held, "retry") == "stale"
    [proves] = queue.db.hmget(queue.keys.conversation(held.conversation), "aw")
    assert float(proves) >= begun + queue.settings.settle_wait
    assert queue.prove_sent(job_id, "m") == "settled"


def test_jobs_behind_one_in_doubt_are_in_doubt_too_and_who_entered_later_is_not(queue: Bench, disk: Snapshot) -> None:
    first, second = queue.put(), queue.put()
    disk.take()
    queue.sent(_begun(queue), "m1")
    queue.sent(_begun(queue), "m2")
    _lost(queue, disk)
    third = queue.put()
    queue.look_over()
    queue.open()
    queue.sleep(queue.settings.settle_wait + 1)
    for _ in range(3):
        queue.tick()
    assert [queue.state(job_id) for job_id in (first, second)] == ["unknown", "unknown"]
    assert queue.take().job_id == third


def test_a_retry_said_again_leaves_a_job_in_doubt_that_somebody_else_may_have_begun_since(
    queue: Bench, disk: Snapshot
) -> None:
    job_id = queue.put()
    first = _begun(queue)
    disk.take()
    queue.done(first, "retry", seconds=1)
    queue.sleep(1.1)
    queue.tick()
    _begun(queue)  # by a worker that stays away
    _lost(queue, disk)
    queue.done(first, "retry", seconds=60)
    assert queue.place() == "d"
    assert queue.look_over() == 1
    assert queue.state(job_id) == "settling"


def test_not_sent_of_a_job_in_doubt_clears_those_behind_it(queue: Bench, disk: Snapshot) -> None:
    first, second = queue.put(), queue.put()
    disk.take()
    _lost(queue, disk)
    queue.look_over()
    queue.open()
    assert queue.prove_not_sent(first, f"lost:{queue.run}") == "retrying"
    queue.tick()
    queue.sent(queue.take())
    assert queue.take().job_id == second


def test_a_conversation_that_entered_after_the_restart_is_not_in_doubt(queue: Bench) -> None:
    queue.restart()
    job_id = queue.put()
    assert queue.look_over() == 0
    queue.open()
    assert queue.take().job_id == job_id


def test_what_its_worker_has_brought_back_is_not_in_doubt(queue: Bench, disk: Snapshot) -> None:
    queue.put("1")
    disk.take()
    held = queue.take()
    _lost(queue, disk)
    queue.again(held, marked=False)
    assert queue.look_over() == 0
    queue.open()
    assert isinstance(queue.begin(held), Go)


def test_only_as_many_conversations_are_in_doubt_as_can_have_been_begun(queue: Bench) -> None:
    queue.settings = Settings(page_pace=10.0, page_cap=5, loss_bound=2.0)
    for person in range(100):
        queue.put(str(person), lane="bulk" if person % 2 else "replies")
    queue.restart()
    moved = queue.look_over()
    begun = 10 * 2.2 + 1
    assert 2 * begun <= moved <= 2 * (begun + 5 + 1)
    queue.open()
    assert len(queue.db.keys(queue.keys.line("*"))) == 100


def test_the_pass_misses_no_page_in_its_small_steps(queue: Bench) -> None:
    for page in range(1, 11):
        queue.put(page=str(page))
        queue.put("2", page=str(page))
    queue.pause("3", "x")
    queue.restart()
    assert queue.look_over() == 20


def test_the_pass_does_nothing_once_the_gate_is_open(queue: Bench) -> None:
    queue.put()
    step = queue.suspect(queue.run)
    assert (step.moved, step.cursor) == (0, None)
    assert queue.place() == "w"


# ---- a real one


def _wait_until_written(client: redis.Redis) -> None:
    """While its disk is slow, Redis answers up to two seconds before it writes."""
    wait_until_equal(lambda: client.info("persistence")["aof_buffer_length"], 0, "what is not written yet")


@pytest.mark.parametrize("hard", [False, True], ids=["SIGTERM", "SIGKILL"])
def test_a_real_restart_shuts_the_gate_keeps_the_jobs_and_can_be_opened_for_the_new_run_only(hard: bool) -> None:
    with RedisServer(aof=True) as server, connect(server.url) as client:
        queue = Queue(client, Settings())
        before = queue.run_id()
        queue.open_gate(before)
        queue.renew("w", [])
        [job_id] = queue.enqueue([Job(page=PAGE, recipient="1", message="hello")])
        [held] = queue.trip([Claim(1, "w:1")])[0].claimed
        _wait_until_written(client)
        server.restart(hard=hard)
        assert queue.run_id() != before == queue.epoch()
        assert not queue.gate_open()
        assert queue.trip([Claim(1, "w:2")])[0].gate_closed
        with pytest.raises(Recovering):
            queue.open_gate(before)
        assert abs(queue.started_at() - client.time()[0]) <= 30
        assert queue.reassert("w", queue.run_id(), [Grip.of(held, marked=False)]) == 1
        assert set(queue.workers()) == queue.back(queue.run_id())
        queue.open_gate(queue.run_id())
        assert queue.status(job_id)["state"] == "sending"
        assert queue.trip([Done(held, "settle", [], state=State.SENT, message_id="m")]) == ["ok"]
