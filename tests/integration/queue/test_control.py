"""What stops a message: cancel, expiry, pause, a hold, the pace, the cap. And what must not stop a page."""

from __future__ import annotations

import pytest

from envoi.queue.begin import Go, No
from envoi.queue.page_commands import HoldPage
from tests.integration.queue.hands import PAGE, Bench


def test_cancel_of_a_head_that_waits(queue: Bench) -> None:
    first, second = queue.put(), queue.put()
    assert queue.cancel(first) == "cancelled"
    assert queue.cancel(first) == "too_late"
    assert queue.take().job_id == second


def test_cancelled_jobs_inside_a_line_are_skipped_however_many(queue: Bench) -> None:
    ids = [queue.put() for _ in range(251)]
    for job_id in ids[1:-1]:
        assert queue.cancel(job_id) == "cancelled"
    queue.sent(queue.take())
    claimed = [*queue.claim(1), *queue.claim(1), *queue.claim(1)]
    assert [one.job_id for one in claimed] == [ids[-1]]
    assert queue.db.keys(f"{queue.keys.base}x:*") == []
    assert queue.state(ids[1]) == "cancelled"


def test_a_cancelled_reply_no_longer_lifts_its_line(queue: Bench) -> None:
    queue.put(lane="bulk")
    queue.put(lane="bulk")
    queue.cancel(queue.put())
    queue.sent(queue.take())
    assert queue.db.exists(f"{queue.keys.base}w:{PAGE}:b") == 1
    assert queue.db.exists(f"{queue.keys.base}w:{PAGE}:r") == 0


def test_cancel_of_a_scheduled_job(queue: Bench) -> None:
    job_id = queue.put(at_in=60)
    assert queue.cancel(job_id) == "cancelled"
    queue.sleep(61)
    assert queue.tick().entered == 0
    assert queue.state(job_id) == "cancelled"


def test_cancel_of_a_retrying_job_frees_its_line(queue: Bench) -> None:
    first, second = queue.put(), queue.put()
    queue.done(queue.take(), "retry", seconds=60)
    assert queue.cancel(first) == "cancelled"
    assert queue.take().job_id == second
    assert queue.db.zcard(f"{queue.keys.base}due") == 0


def test_cancel_of_a_held_job_is_decided_at_begin_and_frees_nothing_before(queue: Bench) -> None:
    job_id = queue.put()
    queue.put()
    held = queue.take()
    assert queue.cancel(job_id) == "pending"
    assert queue.claim(5) == []
    assert queue.begin(held) == No("cancelled")


@pytest.mark.parametrize("op", ["retry", "back"])
def test_a_cancel_that_begin_did_not_see_is_granted_when_the_message_was_not_sent(queue: Bench, op: str) -> None:
    job_id = queue.put()
    held = queue.take()
    queue.cancel(job_id)
    queue.done(held, op, seconds=5)
    assert queue.state(job_id) == "cancelled"


def test_a_cancel_of_a_held_job_is_granted_when_its_worker_is_lost(queue: Bench) -> None:
    job_id = queue.put()
    queue.take()
    queue.cancel(job_id)
    queue.sleep(queue.settings.lease + 1)
    queue.tick()
    assert queue.state(job_id) == "cancelled"


@pytest.mark.parametrize("place", ["begun", "kept", "settling", "sent"])
def test_cancel_comes_too_late_once_the_message_call_has_begun(queue: Bench, place: str) -> None:
    job_id = queue.put()
    held = queue.take()
    assert isinstance(queue.begin(held), Go)
    if place == "kept":
        queue.done(held, "keep", message_id="m")
    elif place == "settling":
        queue.done(held, "unsure", seconds=60)
    elif place == "sent":
        queue.sent(held)
    assert queue.cancel(job_id) == "too_late"


def test_an_expired_job_is_not_claimed_and_its_line_goes_on(queue: Bench) -> None:
    first, second = queue.put(expires_in=10), queue.put()
    queue.sleep(11)
    assert queue.take().job_id == second
    assert queue.state(first) == "expired"
    assert queue.busy() == 1


def test_an_expired_job_is_not_begun(queue: Bench) -> None:
    queue.put(expires_in=10)
    held = queue.take()
    queue.sleep(11)
    assert queue.begin(held) == No("expired")


def test_a_retrying_job_that_expires_meanwhile_settles_when_it_is_due(queue: Bench) -> None:
    job_id = queue.put(expires_in=10)
    queue.done(queue.take(), "retry", seconds=20)
    queue.sleep(21)
    queue.tick()
    assert queue.claim(1) == []
    assert queue.state(job_id) == "expired"


def test_a_paused_page_is_neither_claimed_nor_begun_and_others_are(queue: Bench) -> None:
    queue.put("1")
    queue.put("2")
    held = queue.take()
    assert queue.pause(PAGE, "token refused")
    queue.put("3")
    queue.put("1", page="2")
    assert [one.job["page"] for one in queue.claim(5)] == ["2"]
    assert queue.begin(held) == No("paused")
    queue.done(held, "back")
    queue.db.delete(queue.keys.bells)
    queue.resume(PAGE)
    assert queue.bells() == 1
    assert len(queue.claim(5)) == 3


def test_pausing_costs_the_same_for_one_waiting_conversation_and_for_thousands(queue: Bench) -> None:
    for person in range(300):
        queue.put(str(person))
    before = queue.db.lrange(f"{queue.keys.base}w:{PAGE}:r", 0, -1)
    queue.pause(PAGE, "x")
    assert queue.db.lrange(f"{queue.keys.base}w:{PAGE}:r", 0, -1) == before


def test_a_refusal_of_an_old_token_does_not_pause_a_page_that_has_a_new_one(queue: Bench) -> None:
    queue.configure(PAGE, token_version=2)
    assert not queue.pause(PAGE, "190", token_version=1)
    assert queue.pause(PAGE, "190", token_version=2)


def test_of_many_refusals_one_pauses_the_page_and_its_reason_stays(queue: Bench) -> None:
    queue.configure(PAGE, token_version=1)
    assert queue.pause(PAGE, "190/460", token_version=1)
    queue.sleep(5)
    assert not queue.pause(PAGE, "190/467", token_version=1)
    first = queue.db.hgetall(queue.keys.page(PAGE))
    assert first["paused"] == "190/460"
    assert float(first["since"]) <= queue.now() - 5
    assert queue.pause(PAGE, "by an operator"), "an operator's word takes its place"
    assert queue.db.hget(queue.keys.page(PAGE), "paused") == "by an operator"


@pytest.mark.parametrize("lane", ["replies", "bulk"])
def test_a_held_page_is_neither_claimed_nor_begun_until_the_hold_ends(queue: Bench, lane: str) -> None:
    queue.put("1", lane=lane)
    queue.put("2", lane=lane)
    held = queue.take()
    queue.trip([HoldPage(PAGE, 30.0)])
    queue.put("3", lane=lane)
    assert queue.claim(5) == []
    answer = queue.begin(held)
    assert isinstance(answer, No)
    assert answer.why == "pace"
    assert answer.seconds == pytest.approx(30, abs=2)
    queue.done(held, "back", seconds=answer.seconds)
    queue.sleep(31)
    queue.tick()
    assert len(queue.claim(5)) == 3


def test_a_shorter_hold_does_not_end_a_longer_one(queue: Bench) -> None:
    queue.put()
    queue.trip([HoldPage(PAGE, 60.0), HoldPage(PAGE, 5.0)])
    queue.sleep(10)
    assert queue.claim(1) == []


def test_begins_of_a_page_are_a_pace_apart_and_who_would_wait_long_is_sent_back(queue: Bench) -> None:
    queue.configure(PAGE, pace=10.0)
    for person in range(5):
        queue.put(str(person))
    waits = [queue.begin(one) for one in queue.claim_all(5)]
    go = [answer.wait for answer in waits if isinstance(answer, Go)]
    assert go == pytest.approx([0.0, 0.1, 0.2], abs=0.05)
    assert [answer.why for answer in waits if isinstance(answer, No)] == ["pace", "pace"]


def test_claims_of_a_page_are_a_pace_apart_and_the_catch_says_when_to_come_back(queue: Bench) -> None:
    queue.configure(PAGE, pace=1.0)
    queue.put("1")
    queue.put("2")
    assert len(queue.claim(5)) == 1
    queue.sleep(0.5)
    assert queue.claim(5) == []
    queue.sleep(0.5)
    assert len(queue.claim(5)) == 1


def test_a_page_at_its_cap_is_not_claimed_until_a_call_ends(queue: Bench) -> None:
    queue.configure(PAGE, cap=2)
    for person in range(4):
        queue.put(str(person))
    first, _ = queue.claim(5)
    assert queue.claim(5) == []
    queue.sent(first)
    assert len(queue.claim(5)) == 1


def test_a_raised_cap_offers_the_page_again(queue: Bench) -> None:
    queue.configure(PAGE, cap=1)
    queue.put("1")
    queue.put("2")
    queue.take()
    assert queue.claim(5) == []
    queue.configure(PAGE, cap=2)
    assert len(queue.claim(5)) == 1


def test_one_claim_in_ten_of_a_page_is_for_bulk_while_replies_wait(queue: Bench) -> None:
    for person in range(40):
        queue.put(str(person))
        queue.put(str(1000 + person), lane="bulk")
    lanes = [one.lane for one in queue.claim(40)]
    assert 3 <= lanes.count("bulk") <= 8


def test_the_broadcast_of_one_page_does_not_hold_up_another(queue: Bench) -> None:
    queue.configure(PAGE, pace=1.0)
    for person in range(50):
        queue.put(str(person), lane="bulk")
    queue.claim(1)
    other = queue.put("1", page="2", lane="bulk")
    assert other in {one.job_id for one in queue.claim(5)}


@pytest.mark.parametrize("place", ["waiting", "retrying", "scheduled", "held"])
def test_a_job_whose_text_vanished_fails_with_an_event_and_wedges_nothing(queue: Bench, place: str) -> None:
    job_id = queue.put("1", at_in=5 if place == "scheduled" else None)
    if place in {"held", "retrying"}:
        held = queue.take()
        if place == "retrying":
            queue.done(held, "retry", seconds=1)
    queue.db.delete(queue.keys.job(job_id))
    later = queue.put("2")
    queue.sleep(queue.settings.lease + 1)
    queue.tick()
    assert [one.job_id for one in queue.claim(5)] == [later]
    assert queue.state(job_id) == "failed"
    assert queue.states(job_id)[-1] == "failed"
    assert queue.busy() == 1


def test_ticks_move_at_most_their_limit_and_miss_nothing(queue: Bench) -> None:
    for person in range(25):
        queue.put(str(person), at_in=5)
    queue.sleep(6)
    moved = [queue.tick(limit=10).entered for _ in range(4)]
    assert moved == [10, 10, 5, 0]
    assert queue.tick().lag == pytest.approx(0, abs=0.01)
