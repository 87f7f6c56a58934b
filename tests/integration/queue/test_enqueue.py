"""What enqueueing promises: all or nothing, keys, lines, lanes, bells, and no harm by repeats."""

from __future__ import annotations

import pytest

from envoi.errors import KeyConflict, QueueFull, Recovering, UnknownJob
from envoi.job import Job
from envoi.queue.claim import Claim
from envoi.queue.keys import conversation_of
from envoi.settings import Settings
from tests.integration.queue.hands import PAGE, Bench


def test_without_an_epoch_nothing_is_enqueued(shut: Bench) -> None:
    with pytest.raises(Recovering):
        shut.put()
    assert shut.db.keys(f"{shut.keys.base}[jl]:*") == []


def test_a_restart_does_not_stop_enqueueing_since_the_epoch_is_there(queue: Bench) -> None:
    queue.restart()
    assert queue.state(queue.put()) == "queued"


def test_a_repeat_with_the_same_key_returns_the_first_job(queue: Bench) -> None:
    first = queue.put(key="order-42")
    assert queue.put(key="order-42") == first
    assert queue.db.llen(queue.keys.line(conversation_of(PAGE, "id", "1"))) == 1


def test_a_key_stays_taken_while_its_job_is_open_and_has_a_time_to_live_once_it_settled(queue: Bench) -> None:
    first = queue.put(key="k")
    [name] = queue.db.keys(f"{queue.keys.base}k:*")
    assert queue.db.ttl(name) == -1
    queue.sent(queue.take())
    assert 0 < queue.db.ttl(name) <= queue.settings.key_ttl
    assert queue.put(key="k") == first


def test_a_key_conflict_names_the_first_job_and_leaves_nothing_of_the_whole_call(queue: Bench) -> None:
    first = queue.put(key="k")
    jobs = [Job(page=PAGE, recipient="2", message="a"), Job(page=PAGE, recipient="1", message="other", key="k")]
    with pytest.raises(KeyConflict, match=f"{first}.*number 2"):
        queue.enqueue(jobs)
    assert queue.db.exists(queue.keys.line(conversation_of(PAGE, "id", "2"))) == 0


def test_two_jobs_of_one_call_with_one_key_are_one_job(queue: Bench) -> None:
    job = Job(page=PAGE, recipient="1", message="a", key="k")
    ids = queue.enqueue([job, job])
    assert ids[0] == ids[1]
    assert queue.db.llen(queue.keys.line(conversation_of(PAGE, "id", "1"))) == 1


def test_one_key_on_two_pages_is_two_jobs(queue: Bench) -> None:
    assert queue.put(key="k") != queue.put(key="k", page="2")


@pytest.mark.parametrize("settle", [False, True], ids=["open", "settled"])
def test_the_same_script_call_twice_enqueues_once(queue: Bench, monkeypatch: pytest.MonkeyPatch, settle: bool) -> None:
    monkeypatch.setattr("envoi.queue.job_questions.new_job_id", lambda: "01HXXXXXXXXXXXXXXXXXXXXXXX")
    job_id = queue.put(key="k")
    if settle:
        queue.sent(queue.take())
        queue.db.delete(queue.keys.job(job_id))  # as the log writer does after its commit
    assert queue.put(key="k") == job_id
    assert queue.db.llen(queue.keys.line(conversation_of(PAGE, "id", "1"))) == (0 if settle else 1)


def test_too_many_unlogged_events_refuse_the_whole_call(shut: Bench) -> None:
    small = Bench(shut.redis, events_cap=3)
    small.open()
    small.enqueue([Job(page=PAGE, recipient="1", message="a")] * 2)
    with pytest.raises(QueueFull):
        small.enqueue([Job(page=PAGE, recipient="2", message="a")] * 2)
    assert small.db.exists(small.keys.line(conversation_of(PAGE, "id", "2"))) == 0


def test_a_job_with_a_time_enters_its_line_at_that_time_behind_who_came_earlier(queue: Bench) -> None:
    later = queue.put(at_in=60)
    assert queue.state(later) == "scheduled"
    first, second = queue.put(), queue.put()
    assert queue.tick().entered == 0
    queue.sleep(61)
    assert queue.tick().entered == 1
    order = []
    for _ in range(3):
        held = queue.take()
        order.append(held.job_id)
        queue.sent(held)
    assert order == [first, second, later]


def test_a_job_expires_by_the_age_of_its_lane_counted_from_its_time(queue: Bench) -> None:
    queue.put("1", lane="bulk")
    queue.put("2", at_in=100)
    queue.sleep(101)
    queue.tick()
    held = {one.lane: one.expires - queue.now() for one in queue.claim(5)}
    assert held["bulk"] == pytest.approx(queue.settings.bulk_age - 101, abs=5)
    assert held["replies"] == pytest.approx(queue.settings.replies_age, abs=5)


def test_a_reply_lifts_the_conversation_over_other_bulk_and_keeps_the_order_in_it(queue: Bench) -> None:
    for person in "234":
        queue.put(person, lane="bulk")
    bulk, reply = queue.put("5", lane="bulk"), queue.put("5")
    first = queue.take()
    assert first.job_id == bulk
    queue.sent(first)
    assert queue.take().job_id == reply


def test_the_entry_that_a_lifted_conversation_leaves_behind_is_skipped(queue: Bench) -> None:
    queue.put("1", lane="bulk")
    queue.put("1")
    for _ in range(2):
        queue.sent(queue.take())
    assert queue.claim(5) == []
    assert queue.busy() == 0
    assert queue.db.exists(f"{queue.keys.base}w:{PAGE}:b", f"{queue.keys.base}w:{PAGE}:r") == 0


@pytest.mark.parametrize("place", ["held", "retrying"])
def test_a_reply_behind_a_bulk_job_that_does_not_wait_lifts_it_when_it_waits_again(queue: Bench, place: str) -> None:
    bulk = queue.put("1", lane="bulk")
    held = queue.take()
    if place == "retrying":
        queue.done(held, "retry", seconds=1)
    queue.put("2", lane="bulk")
    queue.put("1")
    if place == "held":
        queue.done(held, "back", seconds=1)
    queue.sleep(2)
    queue.tick()
    entries = queue.db.lrange(f"{queue.keys.base}w:{PAGE}:r", 0, -1)
    assert [entry.partition(" ")[0] for entry in entries] == [held.conversation]
    assert bulk in {one.job_id for one in queue.claim(1)}


def test_unread_bells_are_bound_by_their_own_number(queue: Bench) -> None:
    for _ in range(queue.settings.bells_cap + 5):
        queue.put()
    assert queue.bells() == queue.settings.bells_cap
    assert len(set(queue.db.lrange(queue.keys.bells, 0, -1))) == queue.settings.bells_cap


def test_a_lost_bell_is_rung_again_only_if_there_is_work(queue: Bench) -> None:
    queue.tick()
    assert queue.bells() == 0
    queue.put()
    queue.db.delete(queue.keys.bells)
    queue.tick()
    assert queue.bells() == 1
    queue.take()
    queue.db.delete(queue.keys.bells)
    queue.tick()
    assert queue.bells() == 0


def test_a_full_claim_that_leaves_work_rings_forward(queue: Bench) -> None:
    queue.put("1")
    queue.put("2")
    queue.db.delete(queue.keys.bells)
    queue.claim(1)
    assert queue.bells() == 1
    queue.db.delete(queue.keys.bells)
    queue.claim(1)
    assert queue.bells() == 0


def test_a_long_and_odd_recipient_does_not_break_the_header(queue: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    odd = "Zoë ♥ \n\r\x01 / : {} % " + "語" * 900
    monkeypatch.setattr(
        "envoi.queue.job_questions.conversation_of", lambda page, kind, _: conversation_of(page, kind, odd)
    )
    job_id = queue.put()
    held = queue.take()
    assert held.conversation == conversation_of(PAGE, "id", odd)
    assert queue.sent(held) == "ok"
    assert queue.state(job_id) == "sent"


def test_a_newer_job_version_is_left_for_newer_workers_and_looked_at_again(queue: Bench) -> None:
    job_id = queue.put()
    name = queue.keys.job(job_id)
    head, payload = queue.db.get(name).split("\n", 1)
    queue.db.set(name, f"9{head[1:]} a-new-field\n{payload}")
    assert queue.claim(5) == []
    assert queue.place() == "d"
    assert queue.busy() == 0
    queue.sleep(2)
    queue.tick()
    assert queue.place() == "w"


def test_an_unknown_job_has_no_status(queue: Bench) -> None:
    with pytest.raises(UnknownJob):
        queue.status("01HXXXXXXXXXXXXXXXXXXXXXXX")


def test_a_waiting_job_takes_at_most_one_and_a_half_kilobytes(queue: Bench) -> None:
    before = queue.db.info("memory")["used_memory"]
    text = "x" * 100
    for start in range(0, 10_000, 500):
        queue.enqueue([Job(page=PAGE, recipient=str(start + n), message=text) for n in range(500)])
    each = (queue.db.info("memory")["used_memory"] - before) / 10_000
    assert 300 < each <= 1500


def test_a_claim_costs_the_same_with_ten_thousand_waiting(queue: Bench) -> None:
    def cost() -> float:
        """Redis's CPU seconds a claimed job, by its own count."""
        queue.db.config_resetstat()
        queue.claim(100)
        return float(queue.db.info("commandstats")["cmdstat_evalsha"]["usec"]) / 100

    queue.enqueue([Job(page=PAGE, recipient=str(n), message="a") for n in range(200)])
    wide = Bench(queue.redis, page_cap=10_000)
    queue.settings = Settings(page_pace=1000, page_cap=10_000)
    small = min(cost() for _ in range(2))
    for start in range(0, 10_000, 500):
        wide.enqueue([Job(page=PAGE, recipient=str(1000 + start + n), message="a") for n in range(500)])
    assert min(cost() for _ in range(3)) < small * 10  # fifty times as many wait


def test_a_claim_brings_the_job_as_it_was_enqueued(queue: Bench) -> None:
    job_id = queue.put("7", text="höllo\nworld", max_attempts=3, lane="bulk")
    held = queue.trip([Claim(1, "base")])[0].claimed[0]
    assert (held.job_id, held.attempt, held.attempts_allowed, held.lane) == (job_id, 1, 3, "bulk")
    assert held.job["message"] == {"text": "höllo\nworld"}
    assert held.fence.startswith("base:")
