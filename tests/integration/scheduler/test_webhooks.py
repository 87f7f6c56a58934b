"""Notices that webhooks leave for the queue: applied once, twice or in any order, and never lost."""

from __future__ import annotations

import threading
import time

import pytest
import structlog
from redis.exceptions import ResponseError
from sqlalchemy import Engine

from envoi.errors import QueueUnavailable
from envoi.events import GraphError
from envoi.ids import new_job_id
from envoi.log import queries
from envoi.notices import Echo, Enforcement, Notice, Odd
from envoi.queue.begin import Begin, Go
from envoi.queue.claim import Claimed
from envoi.queue.done import Done
from envoi.queue.queue import Queue
from envoi.states import State
from scheduler.log_writer import LogWriter
from scheduler.webhooks import BATCH, WebhookNotices
from tests.integration.scheduler.hands import PAGE, Worker, job
from tests.waiting import wait_until_equal

AT = 1.7e9
PERSON = "1"


@pytest.fixture
def notices(queue: Queue) -> WebhookNotices:
    return WebhookNotices(queue)


def begun(queue: Queue) -> Claimed:
    """A job whose message call is in flight."""
    queue.enqueue([job(PERSON)])
    worker = Worker(queue, "w")
    [held] = worker.claim()
    worker.begin(held)
    return held


def unsure(queue: Queue, seconds: float = 600) -> Claimed:
    """A job whose message call has no answer that says."""
    held = begun(queue)
    queue.trip([Done(held, "unsure", [], error=GraphError("no answer"), seconds=seconds)])
    return held


def echo(job_id: str | None, message_id: str = "m_1") -> Echo:
    return Echo(PAGE, PERSON, message_id, time.time(), job_id)


def known(queue: Queue) -> list[str]:
    found: list[str] = queue.redis.lrange(queue.keys.known(f"{PAGE}/id/{PERSON}"), 0, -1)  # type: ignore[assignment]  # redis-py
    return [entry.split(" ")[1] for entry in found]


def waiting(queue: Queue) -> int:
    return int(queue.redis.xlen(queue.keys.told))


def test_an_echo_settles_an_unknown_job_as_sent(queue: Queue, notices: WebhookNotices) -> None:
    held = unsure(queue)
    queue.take_notices([echo(held.job_id)])
    assert notices.turn() == 1
    status = queue.status(held.job_id)
    assert (status["state"], status["message_id"], status["recipient_id"]) == ("sent", "m_1", PERSON)
    assert waiting(queue) == 0


def test_an_echo_before_the_answer_is_found_by_the_worker(queue: Queue, notices: WebhookNotices) -> None:
    held = begun(queue)
    queue.take_notices([echo(held.job_id)])
    notices.turn()
    assert queue.status(held.job_id)["state"] == "sending"
    queue.trip([Done(held, "unsure", [], error=GraphError("no answer"), seconds=600)])
    assert queue.status(held.job_id)["state"] == "sent"


def test_an_echo_corrects_a_job_that_ended_unknown(queue: Queue, notices: WebhookNotices) -> None:
    held = unsure(queue, seconds=0)
    wait_until_equal(lambda: queue.tick().due, 1)
    assert queue.status(held.job_id)["state"] == "unknown"
    queue.take_notices([echo(held.job_id)])
    notices.turn()
    assert queue.status(held.job_id)["state"] == "sent"


def test_echoes_twice_late_and_in_the_wrong_order_change_nothing_more(queue: Queue, notices: WebhookNotices) -> None:
    first = unsure(queue)
    queue.take_notices([echo(first.job_id)] * 2)
    notices.turn()
    second = unsure(queue)
    queue.take_notices([echo(second.job_id, "m_2"), echo(first.job_id), echo(first.job_id)])
    notices.turn()
    events = queue.redis.xlen(queue.keys.events)
    queue.take_notices([echo(second.job_id, "m_2"), echo(first.job_id)])
    notices.turn()
    assert queue.redis.xlen(queue.keys.events) == events
    assert queue.status(first.job_id)["message_id"] == "m_1"
    assert queue.status(second.job_id)["message_id"] == "m_2"


def test_an_echo_that_tells_nothing_new_costs_no_trip_of_its_own(
    queue: Queue, notices: WebhookNotices, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = begun(queue)
    queue.trip([Done(held, "settle", [], state=State.SENT, message_id="m_1", recipient_id=PERSON)])
    asked: list[str] = []
    monkeypatch.setattr(queue, "prove_sent", lambda job_id, *_: asked.append(job_id))
    queue.take_notices([echo(held.job_id)])
    assert notices.turn() == 1
    assert asked == []
    assert known(queue) == ["m_1"]


def test_an_echo_with_another_message_id_of_a_sent_job_is_told_and_remembered(
    queue: Queue, notices: WebhookNotices
) -> None:
    held = begun(queue)
    queue.trip([Done(held, "settle", [], state=State.SENT, message_id="m_1", recipient_id=PERSON)])
    queue.take_notices([echo(held.job_id, "m_2")])
    with structlog.testing.capture_logs() as lines:
        notices.turn()
    assert [(line["action"], line["job"]) for line in lines] == [("another_echo", held.job_id)]
    assert known(queue) == ["m_2", "m_1"]
    assert queue.status(held.job_id)["message_id"] == "m_1"


@pytest.mark.parametrize("settles", ["by evidence", "by an operator"])
def test_an_echo_of_a_job_that_was_sent_without_a_message_id_brings_it_and_stops_no_other(
    queue: Queue, engine: Engine, notices: WebhookNotices, settles: str
) -> None:
    if settles == "by evidence":  # 10900 to a private reply that was tried again
        held = begun(queue)
        queue.trip([Done(held, "settle", [], state=State.SENT, error=GraphError("already replied", 10900))])
    else:
        held = unsure(queue)
        queue.prove_sent(held.job_id, "", "")
    other = unsure(queue)
    lasts = queue.redis.pttl(queue.keys.settled(held.job_id))
    queue.take_notices([echo(held.job_id, "m_1"), echo(other.job_id, "m_2"), echo(held.job_id, "m_1")])
    with structlog.testing.capture_logs() as lines:
        assert notices.turn() == 3
    assert "another_echo" not in {line["action"] for line in lines}, "it is the only one there is"
    assert set(known(queue)) == {"m_2", "m_1"}
    assert queue.status(other.job_id)["message_id"] == "m_2"
    status = queue.status(held.job_id)
    assert (status["state"], status["message_id"], status["recipient_id"]) == ("sent", "m_1", PERSON)
    assert 0 < queue.redis.pttl(queue.keys.settled(held.job_id)) <= lasts
    writer = LogWriter(queue, engine)
    while writer.turn():
        pass
    logged = queries.job(engine, held.job_id)
    assert logged is not None
    assert (logged.state, logged.message_id) == (State.SENT, "m_1")
    queue.take_notices([echo(held.job_id, "m_3")])
    with structlog.testing.capture_logs() as lines:
        notices.turn()
    assert [line["action"] for line in lines] == ["another_echo"], "from now on it is known"
    assert queue.status(held.job_id)["message_id"] == "m_1"


def test_an_echo_of_others_and_of_a_job_of_another_queue_is_remembered_for_looks(
    queue: Queue, notices: WebhookNotices
) -> None:
    queue.take_notices([echo(None, "m_human"), echo(new_job_id(), "m_elsewhere")])
    assert notices.turn() == 2
    assert known(queue) == ["m_elsewhere", "m_human"]


def test_what_is_not_applied_when_redis_fails_is_applied_later(
    queue: Queue, notices: WebhookNotices, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = unsure(queue)
    queue.take_notices([echo(held.job_id), echo(None, "m_human")])

    def fails(*_: object) -> None:
        raise QueueUnavailable("gone")

    with monkeypatch.context() as patch:
        patch.setattr(queue, "foreign_echo", fails)
        with pytest.raises(QueueUnavailable):
            notices.turn()
    assert waiting(queue) == 2
    assert WebhookNotices(queue).turn() == 0, "another scheduler waits for the lease of the one that failed"
    assert notices.turn() == 2
    assert queue.status(held.job_id)["state"] == "sent"
    assert known(queue) == ["m_human", "m_1"]


@pytest.mark.parametrize("error", [ResponseError("WRONGTYPE"), KeyError("a fault of ours")])
def test_a_notice_that_cannot_be_applied_is_counted_and_stops_no_other(
    queue: Queue, notices: WebhookNotices, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    held = unsure(queue)
    prove = queue.prove_sent

    def breaks(job_id: str, *rest: str) -> str:
        if job_id != held.job_id:
            raise error
        return prove(job_id, *rest)

    monkeypatch.setattr(queue, "prove_sent", breaks)
    queue.redis.xadd(queue.keys.told, {"n": "nonsense"})
    queue.redis.xadd(queue.keys.told, {"other": "x"})
    queue.redis.xadd(queue.keys.told, {"n": '["echo",{}]'})
    queue.take_notices([Odd(PAGE, "event is not an object"), echo(new_job_id(), "m_2"), echo(held.job_id)])
    assert notices.turn() == 6
    assert notices.odd == 5
    assert queue.status(held.job_id)["state"] == "sent"
    assert waiting(queue) == 0


def test_enforcement_pauses_the_page_once_however_often_it_is_told(queue: Queue, notices: WebhookNotices) -> None:
    def reason() -> str | None:
        found: str | None = queue.redis.hget(queue.keys.page(PAGE), "paused")  # type: ignore[assignment]  # redis-py
        return found

    told: list[Notice] = [Enforcement(PAGE, AT, "block")]
    queue.take_notices(told)
    notices.turn()
    assert reason() == "policy enforcement: block"
    queue.resume(PAGE)
    queue.take_notices(told)
    notices.turn()
    assert reason() is None, "a repeat of what an operator has dealt with"
    queue.take_notices([Enforcement(PAGE, AT + 1, "warning"), Enforcement(PAGE, AT + 2, "unblock")])
    notices.turn()
    assert reason() is None
    queue.take_notices([Enforcement(PAGE, AT + 3, "")])
    notices.turn()
    assert reason() == "policy enforcement: no action named"


def test_many_notices_are_applied_in_bounded_turns(queue: Queue, notices: WebhookNotices) -> None:
    queue.take_notices([echo(None, f"m_{number}") for number in range(BATCH + 5)])
    assert [notices.turn(), notices.turn(), notices.turn()] == [BATCH, 5, 0]


def test_a_notice_is_applied_at_once_and_a_stop_gives_the_lease_back(queue: Queue, notices: WebhookNotices) -> None:
    stop = threading.Event()
    thread = threading.Thread(target=notices.run, args=(stop,))
    thread.start()
    try:
        held = unsure(queue)
        queue.take_notices([echo(held.job_id)])
        wait_until_equal(lambda: queue.status(held.job_id)["state"], "sent")
    finally:
        stop.set()
        thread.join(10)
    assert not thread.is_alive()
    queue.take_notices([echo(None)])
    assert WebhookNotices(queue).turn() == 1


def test_what_began_again_is_told_by_the_echo_of_its_first_call(queue: Queue, notices: WebhookNotices) -> None:
    """A "not sent" that was wrong: the job is on its way a second time when the first call's echo comes."""
    held = unsure(queue)
    queue.prove_not_sent(held.job_id, held.fence)
    wait_until_equal(lambda: queue.tick().due, 1)
    [again] = Worker(queue, "w2").claim()
    queue.take_notices([echo(held.job_id)])
    notices.turn()
    answer = queue.trip([Begin(again, None, [])])[0]
    assert not isinstance(answer, Go)
    queue.trip([Done(again, "settle", [], state=State.SENT, message_id="m_1")])
    assert queue.status(held.job_id)["state"] == "sent"
