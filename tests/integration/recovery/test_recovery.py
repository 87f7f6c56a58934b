"""What a wiped Redis lost comes back from the log."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from envoi.errors import InvalidJob, KeyConflict
from envoi.log.milestones import Milestone
from envoi.log.pages import PageStore
from envoi.log.secrets import SecretBox
from envoi.notices import Inbound
from envoi.queue.keys import conversation_of
from envoi.recovery.putback import NotWiped, OtherQueue, RecoveryBusy
from envoi.recovery.recovery import Recovery
from envoi.window import KEPT
from scheduler.receipt_sink import ReceiptSink
from tests.integration.recovery.house import House
from tests.integration.scheduler.hands import PAGE


def test_every_job_comes_back_in_the_old_order_of_its_line_and_is_sent_once(house: House) -> None:
    old = [house.put(str(person), f"{n}", lane=("bulk", "replies")[n % 2]) for n in range(4) for person in range(3)]
    sent = [house.send() for _ in range(4)]
    house.log()
    house.wipe()
    house.refuses()
    done = house.recover()
    assert (done.jobs, done.doubted) == (8, 0)
    new = house.put("1", "later")  # producers are let in
    house.reopen()
    order = {str(person): [job for job in old[person::3] if job not in sent] for person in range(3)}
    order["1"].append(new)
    for person, jobs in order.items():
        assert house.line(person) == jobs
    again = [house.send() for _ in range(9)]
    assert sorted(again) == sorted(job for jobs in order.values() for job in jobs)
    for jobs in order.values():
        assert [job for job in again if job in jobs] == jobs
    house.log()
    assert {house.logged(job).state.value for job in [*old, new]} == {"sent"}


def test_a_job_comes_back_as_it_was_enqueued(house: House) -> None:
    options: dict[str, Any] = {"key": "k", "max_attempts": 3, "typing": 2.5, "mark_seen": True, "tag": "HUMAN_AGENT"}
    expires = datetime.now(UTC) + timedelta(hours=5, microseconds=123)
    job = house.put("7", "hé “ho” \n {}", messaging_type="MESSAGE_TAG", expires_at=expires, **options)
    before = house.redis.get(house.queue.keys.job(job))
    house.log()
    house.wipe()
    house.recover()
    after = house.redis.get(house.queue.keys.job(job))
    # The window's rule is for the door alone: before the call the worker says it again.
    assert after.partition("\n")[0] == before.partition("\n")[0].removesuffix(";w=604800")
    assert json.loads(after.partition("\n")[2]) == json.loads(before.partition("\n")[2])


def test_what_may_have_been_sent_settles_and_what_surely_was_not_goes_on(house: House) -> None:
    house.queue.configure(PAGE, cap=9)
    begun, claimed, unsure, retried, behind = (house.put(str(n)) for n in (1, 2, 3, 4, 1))
    later = house.put("5", in_seconds=3000)
    held = [house.take() for _ in range(2)]
    house.worker.begin(held[0])
    third = house.take()
    house.worker.begin(third)
    house.done(third, "unsure", seconds=100.0)
    fourth = house.take()
    house.done(fourth, "retry", seconds=500.0)
    house.log()
    house.wipe()
    done = house.recover()
    house.reopen()
    assert done.doubted == 3
    assert [house.state(job) for job in (begun, claimed, unsure)] == ["settling"] * 3
    assert house.state(behind) == "queued"
    retrying = house.queue.status(retried)
    assert (retrying["state"], int(retrying["attempts"])) == ("retrying", 1)
    assert float(retrying["due"]) > house.queue.time() + 400
    assert json.loads(retrying["error"])["code"] == 2
    assert house.state(later) == "scheduled"
    house.log()
    assert house.logged(begun).state.value == "settling"
    assert house.line("1") == [begun, behind]


def test_a_scheduled_job_keeps_its_place_where_it_entered_its_line(house: House) -> None:
    planned = house.put("1", "planned", in_seconds=0.05)
    early = house.put("1", "early")
    while not house.queue.tick().entered:
        pass
    late = house.put("1", "late")
    house.log()
    house.wipe()
    house.recover()
    assert house.line("1") == [early, planned, late]


def test_keys_still_give_the_first_job_after_a_recovery(house: House) -> None:
    settled = house.put("1", "first", key="a")
    house.send()
    waiting = house.put("2", "second", key="b")
    house.log()
    house.wipe()
    house.refuses()  # a producer meanwhile: refused, and repeats
    done = house.recover()
    assert done.keys == 1
    house.reopen()
    assert house.put("1", "first", key="a") == settled
    assert house.put("2", "second", key="b") == waiting
    with pytest.raises(KeyConflict):
        house.put("2", "another", key="b")
    assert house.state(settled) == "sent"
    ttl = house.redis.ttl(next(house.redis.scan_iter(f"{house.queue.keys.base}k:*")))
    assert ttl <= 86400
    assert house.send() == waiting
    with pytest.raises(LookupError):
        house.take()


def test_a_recovery_that_was_interrupted_is_finished_by_the_next(house: House) -> None:
    jobs = [house.put("1", f"{n}", key=f"k{n}") for n in range(450)]
    held = house.take()
    house.worker.begin(held)
    house.log()
    house.wipe()

    def interrupt(_what: str, done: int, _of: int) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        house.recover(tell=interrupt)
    assert len(house.line("1")) == 200
    house.refuses()
    house.log()  # what the first run has changed is in the log by now
    done = house.recover()
    assert done.jobs == 250
    assert house.line("1") == jobs
    house.reopen()
    assert house.state(jobs[0]) == "settling"


def test_of_two_recoveries_at_once_one_is_refused(house: House) -> None:
    job = house.put()
    house.log()
    house.wipe()
    other = Recovery(house.queue, house.engine, lost=0.0)

    def meet(_what: str, _done: int, _of: int) -> None:
        with pytest.raises(RecoveryBusy):
            other.run()

    house.recover(tell=meet)
    assert house.line("1") == [job]
    with pytest.raises(NotWiped):
        other.run()
    with pytest.raises(NotWiped):
        Recovery(house.queue, house.engine)


def test_a_log_that_another_queue_writes_to_is_left_alone(house: House) -> None:
    house.put()
    house.log()
    house.wipe()

    def other_queue(_what: str, _done: int, _of: int) -> None:
        house.milestones.set_complete(Milestone("another run", house.queue.time()))

    with pytest.raises(OtherQueue):
        house.recover(tell=other_queue)
    house.refuses()


def test_an_answer_that_comes_after_the_wipe_settles_its_job(house: House) -> None:
    logged, unlogged, behind = house.put("1"), house.put("2"), house.put("1")
    held = [house.take(), house.take()]
    for one in held:
        house.worker.begin(one)
    house.log()
    house.wipe()
    assert house.done(held[0], "settle") == "known"
    house.log()
    assert house.done(held[1], "settle") == "known"
    done = house.recover()
    assert done.sent == 2
    house.reopen()
    assert [house.state(job) for job in (logged, unlogged)] == ["sent", "sent"]
    house.log()
    assert house.logged(unlogged).message_id == f"m_{unlogged}"
    assert house.send() == behind


def test_pages_get_back_their_limits_their_token_version_and_an_operators_pause(house: House) -> None:
    store = PageStore(house.engine, SecretBox([SecretStr(Fernet.generate_key().decode())]))
    store.add("77", SecretStr("t"), pace=3.0, cap=5)
    store.rotate("77", SecretStr("t2"))
    store.set_paused("77", "holiday")
    job = house.put("9", page="77")
    house.log()
    house.wipe()
    house.recover()
    house.reopen()
    kept = house.redis.hgetall(house.queue.keys.page("77"))
    assert {name: kept[name] for name in ("pace", "cap", "tv", "paused")} == {
        "pace": "3", "cap": "5", "tv": "2", "paused": "holiday",
    }  # fmt: skip  # as Redis has it
    assert house.worker.claim() == []
    house.queue.resume("77")
    assert [held.job_id for held in house.worker.claim()] == [job]


def test_windows_are_known_again_and_no_older_than_what_webhooks_have_told_since(house: House) -> None:
    now = house.queue.time()
    hours_ago = {"1": 30.0, "2": 2.0, "3": 30.0, "4": 9 * 24.0}
    told = [Inbound(PAGE, person, now - hours * 3600) for person, hours in hours_ago.items()]
    sink = ReceiptSink(house.engine)
    sink.take_over()
    sink.write(told)
    house.wipe(unlogged=0.0)
    house.queue.take_notices([Inbound(PAGE, "3", now - 1.0)])
    house.recover()
    house.reopen()
    heard = house.queue.heard_of([conversation_of(PAGE, "id", person) for person in hours_ago])
    assert heard == [pytest.approx(now - 30 * 3600), pytest.approx(now - 2 * 3600), pytest.approx(now - 1.0), None]
    with pytest.raises(InvalidJob, match="window"):
        house.put("1")
    for person in "234":
        house.put(person)
    left = house.redis.ttl(house.queue.keys.heard(conversation_of(PAGE, "id", "1")))
    assert left == pytest.approx(KEPT - 30 * 3600, abs=60)


def test_a_job_whose_text_the_log_lacks_ends_as_unknown(house: House) -> None:
    job = house.put()
    house.redis.delete(house.queue.keys.job(job))  # before the log could read it
    house.log()
    house.wipe()
    assert house.recover().jobs == 1
    house.reopen()
    house.log()
    assert house.logged(job).state.value == "unknown"
