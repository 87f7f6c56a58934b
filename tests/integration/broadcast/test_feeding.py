"""Feeding: ahead of the pace and no further, each person once, whatever is interrupted."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from envoi.errors import EnvoiError, QueueFull, Recovering
from envoi.events import GraphError
from envoi.job import Job
from envoi.log import queries
from envoi.log.erasing import LogErasing
from envoi.log.errors import LogUnavailable
from envoi.queue.begin import Go
from envoi.queue.keys import conversation_of
from envoi.queue.queue import OPERATOR
from envoi.standing import Whose
from envoi.states import State
from scheduler.feed import Feeder
from scheduler.lease import Lease
from tests.integration.broadcast.house import House, some
from tests.integration.queue.hands import PAGE


def test_everybody_is_sent_the_message_once_and_the_report_says_so(house: House) -> None:
    loaded = house.load(some(450))
    report = house.go_on(loaded.id)
    assert house.ledger == dict.fromkeys(some(450), 1)
    assert (report.outcomes["sent"], report.settled, report.total) == (450, 450, 450)
    assert report.reasons == []


def test_no_more_is_enqueued_than_goes_out_in_the_time_ahead(house: House) -> None:
    loaded = house.load(some(450))
    house.feed()
    assert house.waiting() == 200
    assert house.report(loaded.id).waiting == 250
    house.feed()
    assert house.waiting() == 200


def test_media_are_fed_ahead_of_their_own_pace_and_those_that_wait_count(house: House) -> None:
    ahead = round(house.queue.settings.page_media_pace * house.queue.settings.broadcast_ahead)
    house.load(some(450), {"attachment": {"type": "image", "payload": {"url": "https://example.org/a.png"}}})
    for _ in range(2):
        house.feed()
        assert house.queue.db.llen(house.queue.keys.waiting(f"{PAGE}/m", "b")) == ahead < 200


def test_a_feeder_killed_anywhere_in_its_turn_costs_nobody_anything(house: House) -> None:
    loaded = house.load(some(900))
    deaths = 0
    for part in ("rows", "door"):
        for calls in range(12):
            for after in (False, True):
                deaths += house.feed_and_die(part, calls, after=after)
                house.work(7)
                house.copy()
    assert deaths > 20
    report = house.go_on(loaded.id)
    assert report.outcomes["sent"] == 900
    assert house.ledger == dict.fromkeys(some(900), 1)


def test_what_was_enqueued_and_not_confirmed_is_known_days_later_by_the_log(house: House) -> None:
    loaded = house.load(some(10))
    assert house.feed_and_die("rows", _calls_before_confirm(), after=False)
    assert set(house.states(loaded.id).values()) == {"feeding"}
    house.store.pause(loaded.id)
    while house.work():
        house.queue.sleep(1)
    house.days_pass()
    house.store.resume(loaded.id)
    assert house.go_on(loaded.id).outcomes["sent"] == 10
    assert house.ledger == dict.fromkeys(some(10), 1)


def test_what_was_meant_and_never_enqueued_is_enqueued_days_later(house: House) -> None:
    loaded = house.load(some(10))
    assert house.feed_and_die("door", _calls_before_enqueue(), after=False)
    assert set(house.states(loaded.id).values()) == {"feeding"}
    house.days_pass()
    assert house.go_on(loaded.id).outcomes["sent"] == 10
    assert house.ledger == dict.fromkeys(some(10), 1)


def test_a_pause_of_days_lets_nobody_be_sent_it_twice(house: House) -> None:
    loaded = house.load(some(450))
    house.feed()
    house.store.pause(loaded.id)
    while house.work():
        house.queue.sleep(1)
    house.feed()
    house.days_pass()
    house.feed()
    assert house.report(loaded.id).outcomes["sent"] == 200
    house.store.resume(loaded.id)
    assert house.go_on(loaded.id).outcomes["sent"] == 450
    assert house.ledger == dict.fromkeys(some(450), 1)


def test_a_paused_page_is_fed_nothing(house: House) -> None:
    loaded = house.load(some(20))
    house.queue.pause(PAGE, "an operator's word")
    house.feed()
    assert house.report(loaded.id).waiting == 20
    house.queue.resume(PAGE)
    assert house.go_on(loaded.id).outcomes["sent"] == 20


def test_a_cancelled_one_is_taken_back_as_far_as_it_is_not_begun(house: House) -> None:
    loaded = house.load(some(450))
    house.feed()
    house.work(30)
    [held] = house.queue.claim(1)
    assert isinstance(house.queue.begin(held), Go)  # too late for this one
    sent = sum(house.ledger.values())
    house.store.cancel(loaded.id)
    house.feed()
    house.queue.sent(held, "m_late")
    house.copy()
    house.feed()
    report = house.report(loaded.id)
    assert house.store.get(loaded.id).state == "cancelled"
    assert (report.outcomes["sent"], report.outcomes["cancelled"]) == (sent + 1, 450 - sent - 1)
    assert house.work() == 0


def test_one_that_is_cancelled_while_it_is_fed_sends_nothing_more(house: House) -> None:
    loaded = house.load(some(10))
    assert house.feed_and_die("door", _calls_before_enqueue(), after=False)
    house.store.cancel(loaded.id)
    house.feed()
    house.copy()
    house.queue.sleep(1)
    house.copy()
    house.feed()
    assert house.report(loaded.id).outcomes["cancelled"] == 10
    assert house.store.get(loaded.id).state == "cancelled"


def test_who_is_refused_at_the_door_stops_nobody_else(house: House) -> None:
    """The window of some is closed: their last word is two days old."""
    now = house.queue.now()
    for person in ("3", "7"):
        heard = house.queue.keys.heard(conversation_of(PAGE, "id", person))
        house.queue.redis.set(heard, f"{now - 2 * 86_400:.6f}")
    loaded = house.load(some(50))
    report = house.go_on(loaded.id)
    assert (report.outcomes["sent"], report.outcomes["refused"]) == (48, 2)
    [reason] = report.reasons
    assert (reason.outcome, reason.count, reason.cause) == ("refused", 2, "recipient: the window closed")
    assert "the window closed at 20" in str(reason.example)
    assert "of this call" not in str(reason.example)
    assert house.states(loaded.id)["3"] == "refused"


def test_the_report_counts_refusals_by_their_codes(house: House) -> None:
    loaded = house.load(some(30))
    house.feed()
    house.work(4, GraphError("No matching user found", 100, 2018001))
    house.queue.sleep(1)
    report = house.go_on(loaded.id)
    [reason] = report.reasons
    assert (reason.outcome, reason.code, reason.subcode) == ("failed", 100, 2018001)
    assert reason.example == "No matching user found"
    assert report.outcomes["failed"] == reason.count
    assert report.outcomes["sent"] == 30 - reason.count
    assert reason.count > 0


def test_two_broadcasts_on_one_page_share_what_it_can_take(house: House) -> None:
    first, second = house.load(some(300)), house.load(some(300, 1001), "other")
    house.feed()
    for loaded in (first, second):
        assert house.report(loaded.id).enqueued >= 50
    assert house.waiting() <= 201
    house.go_on(first.id)
    house.go_on(second.id)
    assert house.ledger == dict.fromkeys([*some(300), *some(300, 1001)], 1)


def test_it_begins_at_its_time_and_ends_at_its_time(house: House) -> None:
    now = datetime.fromtimestamp(house.queue.now(), UTC)
    loaded = house.load(some(5), at=now + timedelta(hours=1), expires_at=now + timedelta(hours=2))
    house.feed()
    assert house.report(loaded.id).waiting == 5
    house.queue.sleep(3601)
    house.feed()
    assert house.report(loaded.id).enqueued == 5
    late = house.load(some(5), "late", expires_at=now + timedelta(hours=2))
    house.queue.sleep(3601)
    house.feed()
    assert house.report(late.id).outcomes["expired"] == 5


def test_one_feeder_at_a_time_feeds(house: House) -> None:
    loaded = house.load(some(5))
    house.queue.redis.set(f"{house.queue.keys.base}feeder", "another", px=60_000)
    house.feed()
    assert house.report(loaded.id).waiting == 5


def wiped(house: House) -> None:
    """Redis loses everything, and the feeder learns of it."""
    house.queue.redis.flushall()
    house.queue.open()
    house.copy()
    house.queue.sleep(1)
    house.copy()
    house.feed()
    house.copy()


def test_what_a_wiped_redis_has_lost_is_looked_for_and_not_sent_blindly(house: House) -> None:
    loaded = house.load(some(6))
    house.feed()
    house.work(2)
    sent = dict(house.ledger)
    wiped(house)  # before the log has copied a word
    assert house.work() == 0
    states = {job.recipient: job for job in queries.jobs(house.engine)}
    assert {job.state for job in states.values()} == {State.SETTLING}
    assert len(states) == 6
    for person, job in states.items():
        if person in sent:
            house.queue.prove_sent(job.id, "m")
        else:
            house.queue.prove_not_sent(job.id, OPERATOR)
    house.queue.sleep(10)
    assert house.go_on(loaded.id).outcomes["sent"] == 6
    assert house.ledger == dict.fromkeys(some(6), 1)


def test_a_restart_between_meaning_and_enqueueing_leaves_it_in_doubt(house: House) -> None:
    loaded = house.load(some(3))
    assert house.feed_and_die("rows", _calls_before_confirm(), after=False)
    assert house.work(3) > 0
    wiped(house)
    house.feed()
    house.copy()
    assert {job.state for job in queries.jobs(house.engine)} == {State.SETTLING}
    assert max(house.ledger.values()) == 1
    assert house.report(loaded.id).enqueued == 3


def _calls_before_confirm() -> int:
    """Of the rows, in a turn that feeds: active, settle, feeding, running, enqueued, mean_to_feed."""
    return 6


def _calls_before_enqueue() -> int:
    """Of the door: now, memory, room."""
    return 3


def test_two_feeders_at_once_enqueue_nobody_twice(house: House) -> None:
    """As if the lease held neither of them off."""
    loaded = house.load(some(1500))
    house.queue.settings = house.queue.settings.model_copy(update={"broadcast_ahead": 5.0})
    feeders = [Feeder(house.queue, house.engine) for _ in range(2)]
    for number, feeder in enumerate(feeders):
        feeder.lease = Lease(f"{house.queue.keys.base}feeder{number}", 60)
    start = threading.Barrier(2)
    errors: list[Exception] = []

    def run(feeder: Feeder) -> None:
        start.wait()
        for _ in range(8):
            try:
                feeder.turn()
            except EnvoiError as error:  # a database that chooses one of two: the next turn goes on
                errors.append(error)

    threads = [threading.Thread(target=run, args=(feeder,)) for feeder in feeders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(isinstance(error, LogUnavailable) for error in errors)
    assert house.go_on(loaded.id).outcomes["sent"] == 1500
    assert house.ledger == dict.fromkeys(some(1500), 1)


def test_an_erased_person_is_sent_nothing_more(house: House) -> None:
    loaded = house.load(some(3))
    assert LogErasing(house.engine, Whose(PAGE, "id", "2")).stop_broadcasts() == 1
    assert LogErasing(house.engine, Whose("5", "id", "1")).stop_broadcasts() == 0
    assert house.go_on(loaded.id).total == 3
    assert set(house.ledger) == {"1", "3"}


def test_a_full_or_closed_queue_is_waited_for(house: House) -> None:
    loaded = house.load(some(10))
    house.queue.refuse_more(60)
    with pytest.raises(QueueFull):
        house.feed()
    house.queue.admit_more()
    epoch = house.queue.redis.getdel(house.queue.keys.epoch)
    with pytest.raises(Recovering):
        house.feed()
    house.queue.redis.set(house.queue.keys.epoch, str(epoch))
    assert house.go_on(loaded.id).outcomes["sent"] == 10
    assert house.ledger == dict.fromkeys(some(10), 1)


def test_a_key_that_another_job_has_refuses_one_and_no_other(house: House) -> None:
    """A private reply to this comment was enqueued before, with other words."""
    comment = {"comment_id": "1_2"}
    house.queue.enqueue([Job(page=PAGE, recipient=comment, message="first")])
    loaded = house.load(["1", comment, "2"])
    house.feed()
    report = house.report(loaded.id)
    assert (report.enqueued, report.outcomes["refused"]) == (2, 1)
    assert report.reasons[0].cause == "KeyConflict"


def test_a_private_reply_that_is_enqueued_already_is_waited_for_and_not_sent_twice(house: House) -> None:
    comment = {"comment_id": "1_2"}
    [job_id] = house.queue.enqueue([Job(page=PAGE, recipient=comment, message="hello")])
    loaded = house.load([comment])
    house.feed()
    assert [one.job_id for one in house.store.recipients(loaded.id)] == [job_id]
    [held] = house.queue.claim(5)
    house.queue.begin(held)
    house.queue.sent(held)
    house.copy()
    house.feed()
    assert house.report(loaded.id).outcomes["sent"] == 1
    assert house.store.get(loaded.id).state == "finished"
