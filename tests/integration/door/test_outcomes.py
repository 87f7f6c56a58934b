"""The app's side of outcomes: a client with a default, and the reader of a stream."""

from __future__ import annotations

import threading
from itertools import islice

import pytest
import redis

from envoi import BadSettings, Envoi, InvalidJob, Job, Outcome
from envoi.client import open_queue
from envoi.queue.keys import Keys
from envoi.queue.queue import Queue
from envoi.states import State
from tests.waiting import PATIENCE, wait_until_equal

KEYS = Keys()


@pytest.fixture
def queue(redis_url: str) -> Queue:
    """An open queue."""
    found = open_queue(redis_url)
    found.open_gate(found.run_id())
    return found


@pytest.fixture
def envoi(queue: Queue, redis_url: str) -> Envoi:
    """A client whose jobs tell their outcome in the stream `shop`."""
    assert queue.gate_open()
    return Envoi(redis_url, on_outcome="stream:shop")


def settle(envoi: Envoi, count: int = 1) -> list[str]:
    """Jobs that have their outcome."""
    ids = envoi.send_many(Job(page="1", recipient=str(n), message="hello", key=f"k{n}") for n in range(count))
    for job_id in ids:
        assert envoi.cancel(job_id) == "cancelled"
    return ids


def ids_of(outcomes: list[Outcome]) -> list[str]:
    return [outcome.job_id for outcome in outcomes]


def left(client: redis.Redis) -> int:
    return int(client.xlen(KEYS.outcomes("shop")))


def test_an_outcome_comes_until_it_is_acknowledged_and_before_any_newer(
    envoi: Envoi, redis_client: redis.Redis
) -> None:
    reader = envoi.outcomes("shop")
    assert reader.read() == []
    first = settle(envoi, 3)
    told = reader.read(count=2)
    assert ids_of(told) == first[:2]
    assert (told[0].state, told[0].key) == (State.CANCELLED, "k0")
    assert ids_of(envoi.outcomes("shop").read()) == first[:2], "the app was started anew"
    reader.acknowledge(told[0])
    assert ids_of(reader.read()) == first[1:2]
    reader.acknowledge(told[1])
    assert ids_of(reader.read()) == first[2:]
    reader.acknowledge(*reader.read())
    assert reader.read() == []
    assert left(redis_client) == 0


def test_outcomes_told_before_anybody_read_are_not_lost(envoi: Envoi) -> None:
    ids = settle(envoi, 2)
    assert ids_of(envoi.outcomes("shop").read()) == ids


def test_a_reader_waits_for_a_new_one(
    envoi: Envoi, redis_url: str, redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("envoi.outcomes.LONGEST_WAIT", 3600.0)  # nothing but an outcome ends it
    reader = Envoi(f"{redis_url}?socket_timeout=3600").outcomes("shop")
    found: list[Outcome] = []
    waiting = threading.Thread(target=lambda: found.extend(reader.read(wait=3600.0)), daemon=True)
    waiting.start()
    wait_until_equal(lambda: redis_client.info("clients")["blocked_clients"], 1, "readers that wait")
    ids = settle(envoi)
    waiting.join(PATIENCE)
    assert ids_of(found) == ids


def test_following_acknowledges_what_was_done_with_and_nothing_else(envoi: Envoi, redis_client: redis.Redis) -> None:
    ids = settle(envoi, 3)
    seen = []
    with pytest.raises(ZeroDivisionError):  # noqa: PT012  # the loop is what is tested
        for outcome in envoi.outcomes("shop").follow(wait=0.01):
            seen.append(outcome.job_id)
            if len(seen) == 2:
                raise ZeroDivisionError
    assert seen == ids[:2]
    assert left(redis_client) == 2
    assert ids_of(list(islice(envoi.outcomes("shop").follow(wait=0.01), 2))) == ids[1:]


def test_another_reader_takes_over_what_a_lost_one_held(envoi: Envoi, redis_client: redis.Redis) -> None:
    ids = settle(envoi, 2)
    assert len(envoi.outcomes("shop", consumer="lost").read(count=1)) == 1
    reader = envoi.outcomes("shop", consumer="other")
    assert reader.take_over(idle=60.0) == 0
    assert reader.take_over(idle=0.0) == 1
    reader.acknowledge(*reader.read())
    assert ids_of(reader.read()) == ids[1:]
    assert left(redis_client) == 1


def test_a_wiped_redis_does_not_stop_a_reader(envoi: Envoi, redis_client: redis.Redis, queue: Queue) -> None:
    reader = envoi.outcomes("shop")
    settle(envoi)
    reader.acknowledge(*reader.read())
    redis_client.flushall()
    queue.open_gate(queue.run_id())
    ids = settle(envoi)
    assert ids_of(reader.read()) == ids


def test_a_job_s_own_word_goes_before_the_clients(envoi: Envoi, queue: Queue, redis_client: redis.Redis) -> None:
    ids = [
        envoi.send("1", "1", "a"),
        envoi.send("1", "2", "b", on_outcome="stream:other"),
        envoi.send("1", "3", "c", on_outcome=None),
        *envoi.send_many(
            [
                Job(page="1", recipient="4", message="d"),
                Job(page="1", recipient="5", message="e", on_outcome="celery:shop.told@q"),
                Job(page="1", recipient="6", message="f", on_outcome=None),
            ]
        ),
    ]
    for job_id in ids:
        queue.cancel(job_id)
    assert ids_of(envoi.outcomes("shop").read()) == [ids[0], ids[3]]
    assert ids_of(envoi.outcomes("other").read()) == [ids[1]]
    assert redis_client.xlen(KEYS.tasks) == 1


@pytest.mark.parametrize(
    "target",
    [
        *("", "shop", "stream:", "stream:a b", "stream:a;b", "stream:a,b", "stream:é", "stream:a\n", "celery:"),
        *("celery:a b", "celery:a@", "celery:a@b@c", "celery:a@b c", "http:x", "stream:" + "x" * 65),
    ],
)
def test_a_target_that_cannot_be_is_refused(target: str, redis_url: str) -> None:
    with pytest.raises(InvalidJob, match=r"^on_outcome: must be"):
        Job(page="1", recipient="1", message="x", on_outcome=target)
    with pytest.raises(BadSettings, match="on_outcome: must be"):
        Envoi(redis_url, on_outcome=target)


@pytest.mark.parametrize("name", ["", "a b", "a:b", "x" * 65])
def test_a_stream_that_cannot_be_is_refused(envoi: Envoi, name: str) -> None:
    with pytest.raises(BadSettings, match="name: must be"):
        envoi.outcomes(name)
