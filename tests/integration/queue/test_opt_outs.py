"""Who has opted out gets no message: not at the door, not from the line, not between claim and call."""

from __future__ import annotations

import pytest
import redis

from envoi.action import Action
from envoi.errors import InvalidJob, Problem
from envoi.job import Job
from envoi.queue.begin import Go, No
from envoi.queue.claim import Claimed
from tests.integration.queue.hands import PAGE, Bench
from tests.integration.queue.snapshot import Snapshot

CONVERSATION = f"{PAGE}/id/1"


def test_the_door_refuses_and_names_which_and_nothing_is_enqueued(queue: Bench) -> None:
    assert queue.opt_out(CONVERSATION)
    assert not queue.opt_out(CONVERSATION)
    jobs = [Job(page=PAGE, recipient=person, message="hello") for person in ("2", "1")]
    with pytest.raises(InvalidJob) as caught:
        queue.enqueue(jobs)
    limit = "the person has opted out of this page's messages (number 2 of this call)"
    assert caught.value.problems == (Problem("recipient", limit),)
    assert queue.events() == []
    with pytest.raises(InvalidJob):
        queue.enqueue([Action(page=PAGE, recipient="1", action="typing_on")])
    with pytest.raises(InvalidJob):
        queue.put(at_in=60)


def test_an_opt_out_is_of_one_page_and_one_person(queue: Bench) -> None:
    queue.opt_out(CONVERSATION)
    queue.put("2")
    queue.put("1", page="200")
    queue.enqueue([Job(page=PAGE, recipient={"user_ref": "1"}, message="hello")])
    assert len(queue.claim(5)) == 3


def test_a_repeat_of_what_was_enqueued_before_finds_its_job(queue: Bench) -> None:
    job_id = queue.put(key="k")
    queue.opt_out(CONVERSATION)
    assert queue.put(key="k") == job_id


def test_what_waits_fails_without_a_call_when_its_turn_comes(queue: Bench) -> None:
    ids = [queue.put(), queue.put(lane="bulk"), queue.put(at_in=10)]
    queue.opt_out(CONVERSATION)
    assert queue.claim(5) == []
    queue.sleep(11)
    queue.tick()
    assert queue.claim(5) == []
    for job_id in ids:
        assert queue.state(job_id) == "failed"
        [event] = [event for event in queue.events(job_id) if event.state == "failed"]
        assert event.error
        assert event.error.message == "no call made: the person has opted out"
    assert queue.busy() == 0


def test_an_opt_out_between_claim_and_begin_stops_the_call(queue: Bench) -> None:
    queue.put()
    claimed = queue.take()
    queue.opt_out(CONVERSATION)
    assert queue.begin(claimed) == No("opted_out")


def test_a_call_that_has_begun_keeps_its_word(queue: Bench) -> None:
    job_id, claimed = queue.put(), queue.take()
    assert isinstance(queue.begin(claimed), Go)
    queue.opt_out(CONVERSATION)
    assert isinstance(queue.begin(claimed), Go)
    queue.sent(claimed)
    assert queue.state(job_id) == "sent"


def test_a_fact_that_it_was_sent_is_taken_whoever_has_opted_out(queue: Bench) -> None:
    job_id, claimed = queue.put(), queue.take()
    assert isinstance(queue.begin(claimed), Go)
    queue.done(claimed, "unsure", seconds=60)
    queue.opt_out(CONVERSATION)
    assert queue.prove_sent(job_id, "m") == "settled"
    assert queue.state(job_id) == "sent"


def test_what_must_go_goes(queue: Bench) -> None:
    before = queue.put(ignore_opt_out=True)
    queue.opt_out(CONVERSATION)
    after = queue.put(ignore_opt_out=True)
    for job_id in (before, after):
        claimed = queue.take()
        assert claimed.job_id == job_id
        assert isinstance(queue.begin(claimed), Go)
        queue.sent(claimed)


def test_after_an_opt_in_all_is_as_before(queue: Bench) -> None:
    queue.opt_out(CONVERSATION)
    queue.opt_out(f"{PAGE}/id/2")
    assert queue.opt_in(CONVERSATION)
    assert not queue.opt_in(CONVERSATION)
    queue.put()
    assert isinstance(queue.begin(queue.take()), Go)
    assert [name for name, _ in queue.opt_outs(PAGE)] == [f"{PAGE}/id/2"]
    assert queue.db.hexists(queue.keys.page(PAGE), "oo")
    queue.opt_in(f"{PAGE}/id/2")
    assert not queue.db.hexists(queue.keys.page(PAGE), "oo")


def test_a_new_token_leaves_the_opt_outs_of_its_page_in_force(queue: Bench) -> None:
    queue.put()
    queue.opt_out(CONVERSATION)
    queue.introduce(PAGE, 2, pace=None, cap=None, app=None)
    assert queue.claim(5) == []


def test_what_the_log_knows_comes_back_with_its_time_and_is_not_told_again(queue: Bench) -> None:
    queue.restore_opt_out(CONVERSATION, 1000.5)
    assert list(queue.opt_outs(PAGE)) == [(CONVERSATION, 1000.5)]
    assert queue.db.xlen(queue.keys.receipts) == 0
    with pytest.raises(InvalidJob):
        queue.put()


def test_pages_without_opt_outs_pay_nothing_for_them(queue: Bench) -> None:
    def questions() -> int:
        return int(queue.db.info("commandstats").get("cmdstat_hexists", {}).get("calls", 0))

    queue.put()
    queue.db.config_resetstat()
    claimed = queue.take()
    queue.begin(claimed)
    queue.sent(claimed)
    assert questions() == 0
    queue.opt_out(f"{PAGE}/id/2")
    queue.put()
    queue.db.config_resetstat()
    queue.begin(queue.take())
    assert questions() == 2


def test_people_who_have_opted_out_hide_nobody_from_the_look_over_after_a_restart(queue: Bench, redis_url: str) -> None:
    """They are not charged to the page, so a claim may have gone past any number of them."""
    queue.configure(PAGE, pace=1.0, cap=1)
    queue.settings = queue.settings.model_copy(update={"page_pace": 1.0, "page_cap": 1})
    for person in range(21):
        queue.put(str(person))
    for person in range(20):
        queue.opt_out(f"{PAGE}/id/{person}")
    disk = Snapshot(queue, redis.Redis.from_url(redis_url))
    disk.take()
    claimed: list[Claimed] = []
    while not claimed:
        claimed = queue.claim(1)
    assert isinstance(queue.begin(claimed[0]), Go)
    disk.bring_back()
    queue.restart()
    queue.look_over()
    queue.open()
    assert queue.state(claimed[0].job_id) == "settling"
