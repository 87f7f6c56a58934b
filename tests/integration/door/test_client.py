from __future__ import annotations

import gc
import threading
from datetime import UTC, datetime, timedelta

import pytest
import redis

from demo.redis_server import RedisServer
from envoi import (
    BadSettings,
    Envoi,
    InvalidJob,
    Job,
    KeyConflict,
    QueueFull,
    QueueUnavailable,
    Recovering,
    State,
    UnknownJob,
)
from envoi.client import BATCH
from envoi.queue.keys import Keys
from envoi.settings import settings
from tests.integration.door.conftest import hasty, opened

KEYS = Keys()
OPENED = {KEYS.epoch, KEYS.protocol, KEYS.script_sets}  # what an open and empty queue keeps
NOBODY = "01JDBQ8Z5V0000000000000000"


@pytest.fixture
def envoi(url: str) -> Envoi:
    """A client of an open queue."""
    return Envoi(url)


def job(text: str = "hello", recipient: str = "7", **options: object) -> Job:
    return Job(page="100", recipient=recipient, message=text, **options)


def test_a_sent_job_waits_in_line(envoi: Envoi, redis_client: redis.Redis) -> None:
    first = envoi.send("100", "7", "one")
    second = envoi.send("100", "7", "two")
    assert envoi.status(first).state is State.QUEUED
    assert envoi.status(first).attempts == 0
    assert redis_client.lrange(KEYS.line("100/id/7"), 0, -1) == [first, second]


def test_the_address_of_the_queue_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch, redis_url: str) -> None:
    monkeypatch.setenv("ENVOI_REDIS_URL", redis_url)
    opened(redis_url)
    sender = Envoi()
    assert sender.status(sender.send("100", "7", "hello")).state is State.QUEUED


def test_a_job_for_later_is_scheduled_and_says_when(envoi: Envoi) -> None:
    later = datetime.now(UTC) + timedelta(hours=2)
    found = envoi.status(envoi.send("100", "7", "hello", at=later))
    assert found.state is State.SCHEDULED
    assert found.due_at == later


def test_what_is_refused_at_the_door_leaves_nothing_behind(envoi: Envoi, redis_client: redis.Redis) -> None:
    with pytest.raises(InvalidJob, match=r"message\.text: must not be empty"):
        envoi.send("100", "7", "")
    assert set(redis_client.keys("*")) == OPENED


def test_a_repeat_with_the_same_key_returns_the_first_job(envoi: Envoi) -> None:
    first = envoi.send("100", "7", "hello", key="order-42")
    assert envoi.send("100", "7", "hello", key="order-42") == first
    assert envoi.send("100", "7", "hello", key="order-42", lane="bulk", typing=False) == first
    assert envoi.send("101", "7", "hello", key="order-42") != first
    assert envoi.send("100", "7", "hello") != first


def test_a_key_with_other_content_is_a_conflict_that_names_the_first_job(envoi: Envoi) -> None:
    first = envoi.send("100", "7", "hello", key="order-42")
    with pytest.raises(KeyConflict, match=first):
        envoi.send("100", "7", "hello!", key="order-42")


def test_many_jobs_keep_their_order_over_all_batches(envoi: Envoi, redis_client: redis.Redis) -> None:
    ids = envoi.send_many(job(f"no. {n}") for n in range(BATCH + 10))
    assert len(set(ids)) == BATCH + 10
    assert ids == sorted(ids)
    assert redis_client.lrange(KEYS.line("100/id/7"), 0, -1) == ids


def test_no_jobs_at_all_are_no_trouble(envoi: Envoi) -> None:
    assert envoi.send_many([]) == []


def test_an_error_among_many_says_which_jobs_were_enqueued_before_it(envoi: Envoi) -> None:
    envoi.send("100", "8", "first", key="taken")
    jobs = [job(f"no. {n}") for n in range(BATCH)] + [job("other", recipient="8", key="taken")]
    with pytest.raises(KeyConflict) as caught:
        envoi.send_many(jobs)
    assert len(caught.value.enqueued) == BATCH
    assert {envoi.status(job_id).state for job_id in caught.value.enqueued} == {State.QUEUED}


def test_a_malformed_job_among_many_says_which_were_enqueued_before_it(envoi: Envoi) -> None:
    with pytest.raises(InvalidJob) as caught:
        envoi.send_many(job("x" if n < BATCH + 5 else "") for n in range(BATCH + 10))
    assert len(caught.value.enqueued) == BATCH


def test_what_is_not_a_job_is_refused_by_its_place(envoi: Envoi, redis_client: redis.Redis) -> None:
    with pytest.raises(InvalidJob, match=r"jobs\[1\]: must be a Job"):
        envoi.send_many([job(), {"page": "100"}])  # type: ignore[list-item]  # that is the point
    assert set(redis_client.keys("*")) == OPENED


def test_threads_may_share_a_client(envoi: Envoi, redis_client: redis.Redis) -> None:
    sent: dict[str, list[str]] = {}

    def send(recipient: str) -> None:
        sent[recipient] = [envoi.send("100", recipient, f"no. {n}") for n in range(50)]

    threads = [threading.Thread(target=send, args=(str(n),)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {name: redis_client.lrange(KEYS.line(f"100/id/{name}"), 0, -1) for name in sent} == sent
    assert len({job_id for ids in sent.values() for job_id in ids}) == 400


def test_a_cancelled_job_says_so(envoi: Envoi) -> None:
    job_id = envoi.send("100", "7", "hello")
    assert envoi.cancel(job_id) == "cancelled"
    assert envoi.status(job_id).state is State.CANCELLED
    assert envoi.cancel(job_id) == "too_late"


@pytest.mark.parametrize("job_id", [NOBODY, "", "nonsense", "0" * 1_000_000, "01jdbq8z5v0000000000000000", None, 7])
def test_an_id_that_redis_does_not_know_is_an_unknown_job(envoi: Envoi, job_id: str) -> None:
    for ask in (envoi.status, envoi.cancel, lambda job_id: envoi.reschedule(job_id, datetime.now(UTC))):
        with pytest.raises(UnknownJob) as caught:
            ask(job_id)
        assert len(str(caught.value)) < 200


def test_a_queue_that_nobody_has_opened_refuses(redis_url: str) -> None:
    with pytest.raises(Recovering, match="start `envoi scheduler`"):
        Envoi(redis_url).send("100", "7", "hello")


@pytest.mark.usefixtures("envoi")
def test_a_full_log_refuses_before_redis_is_full(
    redis_url: str, redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENVOI_EVENTS_CAP", "2")
    settings.cache_clear()
    small = Envoi(redis_url)
    small.send_many([job("one"), job("two")])
    with pytest.raises(QueueFull):
        small.send("100", "7", "three")
    assert redis_client.llen(KEYS.line("100/id/7")) == 2


@pytest.mark.parametrize("url", ["redis//sesame", "http://sesame", "redis://:sesame@127.0.0.1:port", 6379])
def test_a_malformed_address_is_named_and_not_repeated(url: str) -> None:
    with pytest.raises(BadSettings, match=r"redis_url: must be a Redis address") as caught:
        Envoi(url)
    assert "sesame" not in str(caught.value)
    assert caught.value.__context__ is None


def test_no_redis_at_all_is_told_at_once(connection_tries: list[object]) -> None:
    with RedisServer(aof=False) as server:
        url = server.url
    with pytest.raises(QueueUnavailable):
        Envoi(url).send("100", "7", "hello")
    assert 1 <= len(connection_tries) <= 4  # what is tried again is so at once, without a pause


def test_a_frozen_redis_is_told_in_bounded_time_and_works_again_afterwards(own_server: RedisServer) -> None:
    envoi = Envoi(own_server.url)
    first = envoi.send("100", "7", "hello", key="k")
    own_server.child.pause()
    try:
        with pytest.raises(QueueUnavailable):
            envoi.send("100", "7", "hello", key="k")
        with pytest.raises(QueueUnavailable):  # and so for a client that has not connected yet
            Envoi(hasty(own_server.url)).send("100", "7", "hello", key="k")
    finally:
        own_server.child.cont()
    assert envoi.send("100", "7", "hello", key="k") == first
    gc.collect()  # a connection left open would warn here


def test_a_client_outlives_a_restart_of_redis(own_server: RedisServer) -> None:
    envoi = Envoi(own_server.url)
    envoi.send("100", "7", "hello")
    own_server.restart()
    with pytest.raises(Recovering):  # this Redis keeps nothing over a restart, so the queue is closed; it answers
        envoi.send("100", "7", "hello")
