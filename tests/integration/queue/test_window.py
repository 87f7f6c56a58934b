"""The window: looked at where a job is enqueued and again right before its message call."""

from __future__ import annotations

import time
from typing import Any

import pytest
import redis

from envoi.errors import InvalidJob, QueueFull
from envoi.events import GraphError
from envoi.job import Job
from envoi.notices import Echo, Inbound, Notice, Receipt
from envoi.queue.begin import Go, No
from envoi.queue.refusal import Refusal
from envoi.states import State
from envoi.window import STANDARD, TAGGED, WindowClosed
from tests.integration.queue.hands import PAGE, Bench

GONE = Refusal(GraphError("person isn't available", 551))
AGENT = {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"}


def write(queue: Bench, ago: float = 0.0, person: str = "1") -> int:
    """The person wrote so many seconds ago."""
    return queue.take_notices([Inbound(PAGE, person, queue.now() - ago)])


def heard(queue: Bench, person: str = "1") -> float | None:
    return queue.heard_of([f"{PAGE}/id/{person}"])[0]


class TestTheDoor:
    def test_a_message_is_refused_once_the_window_is_closed_and_nothing_is_enqueued(self, queue: Bench) -> None:
        write(queue, STANDARD - 5)
        queue.put("1")
        queue.sleep(6)
        before = queue.db.dbsize()
        with pytest.raises(InvalidJob) as caught:
            queue.put("1", key="k")
        (problem,) = caught.value.problems
        assert (problem.field, problem.source) == ("recipient", "SEND_API 2")
        assert "the window closed at" in problem.limit
        assert "24 h" in problem.limit
        assert queue.db.dbsize() == before

    def test_a_window_that_the_person_opens_again_lets_the_next_message_through(self, queue: Bench) -> None:
        write(queue, STANDARD + 1)
        with pytest.raises(InvalidJob):
            queue.put("1")
        write(queue)
        queue.put("1")

    @pytest.mark.parametrize(
        ("options", "longest"),
        [
            ({}, STANDARD),
            ({"messaging_type": "UPDATE"}, STANDARD),
            (AGENT, TAGGED),
            ({**AGENT, "reply_to": {"mid": "m_1"}}, STANDARD),
        ],
    )
    def test_each_rule_ends_on_its_second(self, queue: Bench, options: dict[str, Any], longest: float) -> None:
        write(queue, longest - 5)
        queue.put("1", **options)
        queue.sleep(6)
        with pytest.raises(InvalidJob, match="window"):
            queue.put("1", **options)

    def test_messages_without_a_limit_and_unknown_people_pass(self, queue: Bench) -> None:
        write(queue, TAGGED + 1)
        template = {"name": "parcel", "language": {"code": "fr"}}
        utility = Job(page=PAGE, recipient="1", template=template, messaging_type="UTILITY")
        by_comment = Job(page=PAGE, recipient={"comment_id": "1"}, message="hello")
        queue.enqueue([utility, by_comment])
        queue.put("2")
        assert heard(queue, "2") is None

    def test_a_job_for_later_passes_since_the_person_may_write_until_then(self, queue: Bench) -> None:
        write(queue, STANDARD + 1)
        job_id = queue.put("1", at_in=60)
        assert queue.state(job_id) == "scheduled"

    def test_a_repeat_finds_its_job_though_the_window_has_closed_since(self, queue: Bench) -> None:
        write(queue, STANDARD - 5)
        first = queue.put("1", key="k")
        queue.sleep(6)
        assert queue.put("1", key="k") == first

    def test_one_closed_window_refuses_the_whole_batch_and_says_which(self, queue: Bench) -> None:
        write(queue, STANDARD + 1, "2")
        with pytest.raises(InvalidJob, match="number 2 of this call"):
            queue.enqueue([Job(page=PAGE, recipient=person, message="hello") for person in "123"])
        assert queue.claim(5) == []

    def test_a_repeated_call_whose_answer_was_lost_is_answered_though_the_window_closed(
        self, queue: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("envoi.queue.job_questions.new_job_id", lambda: "01M878ZT1BWC5XF1JBC7BNSHVS")
        write(queue, STANDARD - 5)
        first = queue.put("1")
        queue.sleep(6)
        assert queue.put("1") == first
        assert queue.db.llen(queue.keys.line(f"{PAGE}/id/1")) == 1

    def test_warn_lets_it_pass_with_a_warning(self, redis_client: redis.Redis, queue: Bench) -> None:
        warning = Bench(redis_client, window="warn")
        write(queue, STANDARD + 1)
        with pytest.warns(WindowClosed, match="24 h"):
            warning.put("1")
        warning.put("2")
        assert isinstance(warning.begin(warning.take()), Go)

    def test_off_asks_nothing(self, redis_client: redis.Redis, queue: Bench) -> None:
        off = Bench(redis_client, window="off")
        write(queue, STANDARD + 1)
        off.put("1")
        assert isinstance(off.begin(off.take()), Go)


class TestBegin:
    def test_a_window_that_closes_while_the_job_waits_stops_the_call(self, queue: Bench) -> None:
        write(queue, STANDARD - 5)
        job_id = queue.put("1")
        queue.sleep(6)
        held = queue.take()
        assert queue.begin(held) == No("window")
        assert queue.begin(held) == No("window"), "its answer may be lost"
        queue.done(held, "settle", state=State.FAILED, error=GraphError("window"))
        assert queue.state(job_id) == "failed"
        assert queue.db.exists(queue.keys.conversation(held.conversation)) == 0

    def test_a_begun_call_is_not_taken_back(self, queue: Bench) -> None:
        write(queue, STANDARD - 5)
        queue.put("1")
        held = queue.take()
        assert isinstance(queue.begin(held), Go)
        queue.sleep(6)
        assert isinstance(queue.begin(held), Go), "asked again, since the answer was lost: the call may be on its way"

    def test_a_person_who_writes_while_the_job_waits_is_answered(self, queue: Bench) -> None:
        write(queue, STANDARD - 5)
        queue.put("1")
        queue.sleep(6)
        write(queue)
        assert isinstance(queue.begin(queue.take()), Go)

    def test_a_tagged_job_has_its_seven_days(self, queue: Bench) -> None:
        write(queue, STANDARD + 1)
        queue.put("1", **AGENT)
        assert isinstance(queue.begin(queue.take()), Go)


class TestNotices:
    def test_the_latest_sign_of_life_counts_in_any_order(self, queue: Bench) -> None:
        assert [write(queue, 100), write(queue, 50), write(queue, 70), write(queue, 200)] == [1, 1, 0, 0]
        at = heard(queue)
        assert at is not None
        assert abs(queue.now() - 50 - at) < 5

    def test_a_clock_ahead_of_ours_opens_no_longer_window(self, queue: Bench) -> None:
        write(queue, -1000)
        at = heard(queue)
        assert at is not None
        assert at <= queue.now()

    def test_what_is_older_than_any_window_is_not_kept(self, queue: Bench) -> None:
        assert write(queue, 9 * 86_400) == 0
        assert heard(queue) is None

    def test_what_is_known_of_a_person_has_a_time_to_live(self, queue: Bench) -> None:
        write(queue, 86_400)
        lasts = queue.db.ttl(queue.keys.heard(f"{PAGE}/id/1"))
        assert 7 * 86_400 - 5 < lasts <= 7 * 86_400 + 1

    def test_a_sign_of_life_lifts_a_refusal_and_a_repeat_of_it_does_not(self, queue: Bench) -> None:
        at = queue.now()
        for wrote, refused in ((at, False), (at, True), (at - 10, True), (at + 1, False)):
            queue.db.set(queue.keys.refusal(f"{PAGE}/id/1"), GONE.dump())
            queue.sleep(2)
            queue.take_notices([Inbound(PAGE, "1", wrote)])
            assert queue.db.exists(queue.keys.refusal(f"{PAGE}/id/1")) == refused

    def test_a_refusal_holds_for_long_where_webhooks_of_the_page_come_in(self, queue: Bench) -> None:
        def refused_for(person: str) -> float:
            queue.put(person)
            held = queue.take()
            queue.begin(held)
            queue.done(held, "settle", state=State.FAILED, error=GONE.error, refusal=GONE)
            return float(queue.db.ttl(queue.keys.refusal(held.conversation)))

        settings = queue.settings
        assert settings.refusal_ttl - 5 < refused_for("1") <= settings.refusal_ttl
        write(queue, person="9")
        assert settings.refusal_ttl_fed - 5 < refused_for("2") <= settings.refusal_ttl_fed
        assert 0 < queue.db.ttl(queue.keys.fed(PAGE)) <= 86_400

    def test_taken_while_the_gate_is_shut_and_before_any_scheduler(self, shut: Bench) -> None:
        write(shut)
        assert heard(shut) is not None

    def test_a_full_stream_takes_nothing_of_a_webhook(self, redis_client: redis.Redis, queue: Bench) -> None:
        def echo(number: int) -> Notice:
            return Echo(PAGE, "1", f"m_{number}", 1.5e9, None)

        def receipt(number: int) -> Notice:
            return Receipt("read", PAGE, "1", 1.5e9 + number, (), 1.5e9)

        small = Bench(redis_client, webhooks_cap=2, receipts_cap=2)
        small.take_notices([echo(1), echo(2), receipt(1), receipt(2)])
        for more in (echo(3), receipt(3)):
            with pytest.raises(QueueFull, match="webhooks"):
                small.take_notices([Inbound(PAGE, "1", queue.now()), more])
        assert heard(queue) is None
        assert [queue.db.xlen(queue.keys.told), queue.db.xlen(queue.keys.receipts)] == [2, 2]

    def test_a_foreign_echo_is_remembered_once_and_the_oldest_is_forgotten(self, queue: Bench) -> None:
        key = queue.keys.known(f"{PAGE}/id/7")
        assert [queue.foreign_echo(PAGE, "7", f"m_{number}", time.time()) for number in range(49)] == [True] * 49
        assert not any(queue.foreign_echo(PAGE, "7", mid, time.time()) for mid in ("m_48", "m_20"))
        known = [entry.split(" ")[1] for entry in queue.db.lrange(key, 0, -1)]
        assert known == [f"m_{number}" for number in range(48, 8, -1)]
        assert 0 < queue.db.ttl(key) <= 86_400
