"""What the queue knows of a private reply's earlier calls."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from envoi.errors import KeyConflict
from envoi.events import GraphError
from envoi.job import Job
from envoi.queue.called import Called
from envoi.queue.claim import Claimed
from envoi.states import State
from tests.integration.queue.hands import PAGE, Bench


def reply(queue: Bench, comment: str = "1_2", **options: Any) -> str:
    given = {"page": PAGE, "recipient": {"comment_id": comment}, "message": "hello", **options}
    return queue.enqueue([Job(**given)])[0]


def called(queue: Bench, op: str, held: Claimed) -> bool:
    command = Called(op, held.conversation, held.fence)  # type: ignore[arg-type]  # the op is one of them
    first, again = queue.trip([command, command])  # its answer may be lost
    assert first == again
    return bool(first)


def test_a_call_is_known_to_the_next_attempt_and_to_all_after_it(queue: Bench) -> None:
    reply(queue)
    first = queue.take()
    assert not called(queue, "call", first)
    queue.done(first, "retry", seconds=0.0)
    queue.tick()
    second = queue.take()
    assert called(queue, "call", second)
    called(queue, "clear", second)  # that second call was not taken; the first may have been
    queue.done(second, "retry", seconds=0.0)
    queue.tick()
    assert called(queue, "call", queue.take())


def test_a_call_that_was_surely_not_taken_is_forgotten(queue: Bench) -> None:
    reply(queue)
    first = queue.take()
    called(queue, "call", first)
    called(queue, "clear", first)
    queue.done(first, "retry", seconds=0.0)
    queue.tick()
    assert not called(queue, "call", queue.take())


def test_evidence_settles_as_sent_without_a_message_id_and_says_why(queue: Bench) -> None:
    job_id = reply(queue)
    queue.done(queue.take(), "settle", state=State.SENT, error=GraphError("sent by an earlier call", 10900))
    found = queue.status(job_id)
    assert (found["state"], found.get("message_id")) == ("sent", None)
    assert "10900" in found["error"]


def test_one_job_to_each_comment(queue: Bench) -> None:
    job_id = reply(queue)
    assert reply(queue) == job_id
    with pytest.raises(KeyConflict):
        reply(queue, message="another")
    assert reply(queue, "3_4") != job_id
    assert reply(queue, message="another", key="mine") != job_id


def test_a_private_reply_expires_with_the_seven_days_or_its_age_whichever_is_first(queue: Bench) -> None:
    now = datetime.now(UTC)

    def left(**options: Any) -> float:
        job_id = reply(queue, key=str(options), **options)
        head = queue.db.get(queue.keys.job(job_id)).split(" ")
        return float(head[3]) - now.timestamp()

    old = now - timedelta(days=7) + timedelta(minutes=10)
    assert left(commented_at=old) == pytest.approx(600, abs=2)
    assert left(commented_at=now) == pytest.approx(queue.settings.replies_age, abs=5)
    assert left(commented_at=old, expires_at=now + timedelta(minutes=5)) == pytest.approx(300, abs=2)
    assert left(commented_at=old, expires_at=now + timedelta(days=5)) == pytest.approx(600, abs=2)
    later = now + timedelta(minutes=9)
    assert left(commented_at=old, at=later) == pytest.approx(600, abs=2)
