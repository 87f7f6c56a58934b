"""Attachment ids in the queue: who has media fetched, who waits, what is kept and for how long."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import redis

from envoi import Job
from envoi.queue.claim import Claim, Claimed
from envoi.queue.done import Done
from envoi.queue.queue import Queue
from envoi.queue.reuse import Fetch, FetchedNow, Kept, Reuse, ReuseAnswer
from envoi.settings import Settings

DAY = 86_400
Ask = Callable[..., ReuseAnswer]


@pytest.fixture
def queue(redis_client: redis.Redis) -> Queue:
    made = Queue(redis_client, Settings(page_pace=1000))
    made.open_gate(made.run_id())
    return made


@pytest.fixture
def held(queue: Queue) -> list[Claimed]:
    """Three jobs in a worker's hands."""
    queue.enqueue([Job(page="1", recipient=str(n), message="hello") for n in range(3)])
    (catch,) = queue.trip([Claim(3, "w")])
    found: list[Claimed] = catch.claimed
    return found


@pytest.fixture
def ask(queue: Queue) -> Ask:
    def asked(held: Claimed, op: str = "ask", attachment_id: str = "") -> ReuseAnswer:
        command = Reuse(op, held.conversation, held.fence, held.job_id, "1", "d", 30.0, attachment_id)  # type: ignore[arg-type]  # the op is one of them
        first, again = queue.trip([command, command])  # its answer may be lost
        if not isinstance(first, FetchedNow):
            assert first == again
        answer: ReuseAnswer = first
        return answer

    return asked


def left(queue: Queue) -> float:
    """Seconds that the key lives on."""
    return float(queue.redis.pttl(queue.keys.reused("1", "d"))) / 1000


def test_one_fetches_and_the_others_wait_until_the_id_is_kept(held: list[Claimed], ask: Ask) -> None:
    assert ask(held[0]) == Fetch()
    waiting = ask(held[1])
    assert isinstance(waiting, FetchedNow)
    assert 29 < waiting.seconds <= 30
    ask(held[0], "keep", "900")
    assert ask(held[1]) == ask(held[2]) == Kept("900")


def test_who_fetches_may_ask_again_under_another_fence(queue: Queue, held: list[Claimed], ask: Ask) -> None:
    assert ask(held[0]) == Fetch()
    queue.trip([Done(held[0], "back", [])])
    (catch,) = queue.trip([Claim(1, "w2")])
    assert catch.claimed[0].job_id == held[0].job_id
    assert ask(catch.claimed[0]) == Fetch()


def test_what_was_fetched_in_vain_is_fetched_by_the_next_who_asks(held: list[Claimed], ask: Ask) -> None:
    assert ask(held[0]) == Fetch()
    ask(held[1], "free")  # not his
    assert isinstance(ask(held[1]), FetchedNow)
    ask(held[0], "free")
    assert ask(held[1]) == Fetch()


def test_an_id_that_is_not_used_is_kept_for_a_week_and_a_used_one_for_its_life(
    queue: Queue, held: list[Claimed], ask: Ask
) -> None:
    ask(held[0])
    ask(held[0], "keep", "900")
    assert 7 * DAY - 60 < left(queue) <= 7 * DAY
    assert ask(held[1]) == Kept("900")
    assert 89 * DAY - 60 < left(queue) <= 89 * DAY + 1
    queue.redis.set(queue.keys.reused("1", "d"), f"i 900 {float(queue.redis.time()[0]) - 88 * DAY}", ex=7 * DAY)
    assert ask(held[1]) == Kept("900")
    assert left(queue) <= DAY + 1, "its life is counted from the fetch and not from its last use"


def test_a_refused_id_is_forgotten_once_whoever_else_it_was_refused_to(held: list[Claimed], ask: Ask) -> None:
    ask(held[0])
    ask(held[0], "keep", "900")
    assert ask(held[1]) == ask(held[2]) == Kept("900")
    ask(held[1], "forget", "900")
    ask(held[2], "forget", "900")
    assert ask(held[1]) == Fetch()
    assert isinstance(ask(held[2]), FetchedNow)
    ask(held[1], "keep", "901")
    assert ask(held[2]) == ask(held[0]) == Kept("901")
    ask(held[0], "forget", "900")  # an old one, refused late, takes no new one with it
    assert ask(held[2]) == Kept("901")


def test_a_job_whose_second_id_is_refused_too_goes_by_its_address_for_good(
    queue: Queue, held: list[Claimed], ask: Ask
) -> None:
    for attachment_id in ("900", "901"):
        ask(held[0])
        ask(held[0], "keep", attachment_id)
        assert ask(held[1]) == Kept(attachment_id)
        ask(held[1], "forget", attachment_id)
        queue.trip([Done(held[1], "back", [])])
        (catch,) = queue.trip([Claim(1, f"w{attachment_id}")])
        assert catch.claimed[0].job_id == held[1].job_id
        held[1] = catch.claimed[0]
        ask(held[1], "free")
    ask(held[0], "keep", "902")
    assert ask(held[1]) == Fetch()
    assert ask(held[0]) == Kept("902")


def test_a_stale_holder_keeps_nobody_waiting(queue: Queue, held: list[Claimed], ask: Ask) -> None:
    queue.trip([Done(held[0], "back", [], seconds=60)])
    assert ask(held[0]) == Fetch()
    assert queue.redis.exists(queue.keys.reused("1", "d")) == 0
    ask(held[0], "forget", "900")
    assert queue.redis.hget(queue.keys.conversation(held[0].conversation), "ur") is None
