"""``AsyncEnvoi`` on a real Redis: what asyncio brings with it. The contract tests hold what both clients do alike."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis

from demo.redis_server import RedisServer
from envoi import (
    AsyncEnvoi,
    BadSettings,
    Envoi,
    InvalidConversation,
    InvalidJob,
    Job,
    KeyConflict,
    QueueUnavailable,
    Recovering,
    State,
    StillOpen,
    UnknownJob,
)
from envoi.client import BATCH
from envoi.queue.async_queue import connect_async
from envoi.queue.keys import Keys
from tests.integration.door.conftest import hasty
from tests.waiting import wait_until_equal

KEYS = Keys()


def job(number: int, **options: object) -> Job:
    return Job(page="100", recipient="7", message=f"no. {number}", **options)


def run(url: str, does: Callable[[AsyncEnvoi], Awaitable[Any]], **options: Any) -> Any:
    async def whole() -> Any:
        async with AsyncEnvoi(url, **options) as envoi:
            return await does(envoi)

    return asyncio.run(whole())


def test_what_one_client_enqueues_the_other_knows(url: str) -> None:
    async def does(envoi: AsyncEnvoi) -> None:
        job_id = await envoi.send("100", "7", "hello", key="k")
        assert sync.send("100", "7", "hello", key="k") == job_id
        assert await envoi.status(job_id) == sync.status(job_id)
        assert await envoi.cancel(job_id) == "cancelled"
        assert sync.status(job_id).state is State.CANCELLED

    sync = Envoi(url)
    run(url, does)


def test_many_jobs_of_an_asynchronous_iterable_keep_their_order(url: str, redis_client: redis.Redis) -> None:
    async def jobs() -> AsyncIterator[Job]:
        for number in range(BATCH + 10):
            await asyncio.sleep(0)
            yield job(number)

    ids = run(url, lambda envoi: envoi.send_many(jobs()))
    assert redis_client.lrange(KEYS.line("100/id/7"), 0, -1) == ids
    assert ids == sorted(ids)


def test_an_error_among_many_says_which_jobs_were_enqueued_before_it(url: str) -> None:
    async def does(envoi: AsyncEnvoi) -> None:
        await envoi.send("100", "7", "first", key="taken")
        with pytest.raises(KeyConflict) as caught:
            await envoi.send_many([*(job(number) for number in range(BATCH)), job(7, key="taken")])
        assert len(caught.value.enqueued) == BATCH

    run(url, does)


def test_a_thousand_tasks_share_a_few_connections(url: str, redis_client: redis.Redis) -> None:
    async def does(envoi: AsyncEnvoi) -> list[str]:
        ids = await asyncio.gather(*(envoi.send("100", str(number), "hello") for number in range(1000)))
        assert int(redis_client.info("clients")["connected_clients"]) < 60
        return list(ids)

    assert len(set(run(url, does))) == 1000


def test_a_cancelled_call_is_repaired_by_its_repetition(url: str, redis_client: redis.Redis) -> None:
    """Cancelled at every step of the event loop that a call has."""

    async def does(envoi: AsyncEnvoi) -> None:
        await envoi.send("100", "6", "a connection is there")
        ended = 0
        for steps in range(60):
            sending = asyncio.ensure_future(envoi.send("100", "7", f"no. {steps}", key=f"k{steps}"))
            for _ in range(steps % 20):
                await asyncio.sleep(0)
            sending.cancel()
            try:
                await sending
                ended += 1
            except asyncio.CancelledError:
                pass
            first = await envoi.send("100", "7", f"no. {steps}", key=f"k{steps}")
            assert (await envoi.status(first)).state is State.QUEUED
            assert await envoi.send("100", "7", f"no. {steps}", key=f"k{steps}") == first
        assert ended < 60, "none was cancelled"

    run(url, does)
    assert redis_client.llen(KEYS.line("100/id/7")) == 60


def test_a_cancelled_call_leaves_no_answer_behind_for_the_next(url: str) -> None:
    async def does(envoi: AsyncEnvoi) -> None:
        ids = [await envoi.send("100", str(number), "hello") for number in range(20)]
        await envoi.cancel(ids[0])
        for number in range(200):
            asking = asyncio.ensure_future(envoi.status(ids[0]))
            for _ in range(number % 12):
                await asyncio.sleep(0)
            asking.cancel()
            assert (await envoi.status(ids[1 + number % 19])).state is State.QUEUED

    run(url, does)


def test_the_wait_for_a_job_ends_with_its_outcome(url: str) -> None:
    async def does(envoi: AsyncEnvoi) -> None:
        job_id = await envoi.send("100", "7", "hello")
        waiting = asyncio.ensure_future(envoi.wait(job_id, 60))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        await envoi.cancel(job_id)
        found = await waiting
        assert found.state is State.CANCELLED
        assert await envoi.wait(job_id, 0) == found

    run(url, does)


def test_the_wait_for_a_job_that_stays_open_is_a_time_out(url: str) -> None:
    async def does(envoi: AsyncEnvoi) -> None:
        job_id = await envoi.send("100", "7", "hello")
        with pytest.raises(StillOpen, match=f"job {job_id} is still queued after 0.1 s") as caught:
            await envoi.wait(job_id, 0.1)
        assert isinstance(caught.value, TimeoutError)
        assert caught.value.state is State.QUEUED
        with pytest.raises(UnknownJob):
            await envoi.wait("0" * 26, 1)

    run(url, does)


def test_whole_conversations(url: str) -> None:
    async def does(envoi: AsyncEnvoi) -> None:
        until = datetime.now(UTC) + timedelta(hours=1)
        await envoi.hold("100", "7", until=until)
        await envoi.opt_out("100", "8")
        assert [one.recipient async for one in envoi.held("100")] == [{"id": "7"}]
        assert [one.recipient async for one in envoi.opt_outs("100")] == [{"id": "8"}]
        assert (await envoi.conversation("100", "7")).held_until == until
        with pytest.raises(InvalidConversation):
            [one async for one in envoi.held("no page")]
        with pytest.raises(InvalidJob, match="opted out"):
            await envoi.send("100", "8", "hello")
        assert await envoi.opt_in("100", "8")
        assert await envoi.release("100", "7")
        await envoi.send("100", "8", "hello")
        assert (await envoi.cancel_all("100", "8")).cancelled == 1

    run(url, does)


def test_outcomes_come_until_they_are_acknowledged(url: str) -> None:
    async def does(envoi: AsyncEnvoi) -> None:
        ids = [await envoi.send("100", "7", f"no. {number}") for number in range(3)]
        for job_id in ids:
            await envoi.cancel(job_id)
        reader = envoi.outcomes("shop")
        assert [one.job_id for one in await reader.read()] == ids
        seen = []
        async for one in reader.follow():
            seen.append(one.job_id)
            if len(seen) == 3:
                break
        assert seen == ids
        [last] = await reader.read()
        await reader.acknowledge(last)
        assert await reader.read() == []
        assert await reader.take_over(idle=0) == 0

    run(url, does, on_outcome="stream:shop")


def test_a_client_that_is_closed_leaves_no_connection(url: str, redis_client: redis.Redis) -> None:
    before = len(redis_client.client_list())
    run(url, lambda envoi: envoi.send("100", "7", "hello"))
    gc.collect()  # a connection left open would warn here
    # Redis hears of the end a moment later.
    wait_until_equal(lambda: len(redis_client.client_list()), before, "connections")
    own = redis.asyncio.Redis.from_url(url, decode_responses=True)

    async def does() -> None:
        async with AsyncEnvoi(client=own) as envoi:
            await envoi.send("100", "7", "hello")
        assert await own.ping(), "a client that was given is not closed"
        await own.aclose()

    asyncio.run(does())


def test_a_frozen_redis_is_told_in_bounded_time_and_works_again_afterwards(own_server: RedisServer) -> None:
    async def does(envoi: AsyncEnvoi) -> None:
        first = await envoi.send("100", "7", "hello", key="k")
        own_server.child.pause()
        try:
            with pytest.raises(QueueUnavailable):
                await asyncio.wait_for(envoi.send("100", "7", "hello", key="k"), 120)
        finally:
            own_server.child.cont()
        assert await envoi.send("100", "7", "hello", key="k") == first

    run(hasty(own_server.url), does)
    assert connect_async(own_server.url).connection_pool.connection_kwargs["socket_timeout"] == 5


def test_a_restart_of_redis_and_a_shut_queue_are_told(own_server: RedisServer) -> None:
    async def does(envoi: AsyncEnvoi) -> None:
        job_id = await envoi.send("100", "7", "hello")
        own_server.restart()
        with pytest.raises(Recovering):
            await envoi.send("100", "7", "hello")
        with pytest.raises(Recovering):
            await envoi.cancel(job_id)
        with pytest.raises(UnknownJob):
            await envoi.status(job_id)

    run(own_server.url, does)


def test_no_redis_at_all_is_told() -> None:
    with pytest.raises(QueueUnavailable):
        run("redis://127.0.0.1:1/0", lambda envoi: envoi.send("100", "7", "hello"))


@pytest.mark.parametrize("url", ["redis//sesame", "http://sesame", "redis://:sesame@127.0.0.1:port", 6379])
def test_a_malformed_address_is_named_and_not_repeated(url: str) -> None:
    with pytest.raises(BadSettings, match=r"redis_url: must be a Redis address") as caught:
        AsyncEnvoi(url)
    assert "sesame" not in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize("timeout", [-1, float("nan"), "1", None, True])
def test_a_time_out_that_is_none_is_refused(url: str, timeout: Any) -> None:
    with pytest.raises(BadSettings, match="timeout: must be seconds"):
        Envoi(url).wait("0" * 26, timeout)


def test_threads_wait_for_an_outcome_too(url: str) -> None:
    envoi = Envoi(url)
    job_id = envoi.send("100", "7", "hello")
    with pytest.raises(StillOpen):
        envoi.wait(job_id, 0.05)
    envoi.cancel(job_id)
    assert envoi.wait(job_id, 0).state is State.CANCELLED


def test_who_waits_asks_more_and_more_seldom(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        clock[0] += seconds

    envoi = Envoi(url)
    job_id = envoi.send("100", "7", "hello")
    monkeypatch.setattr("envoi.asks.time.monotonic", lambda: clock[0])
    monkeypatch.setattr("envoi.queue.runner.time.sleep", pause)
    with pytest.raises(StillOpen):
        envoi.wait(job_id, 60)
    assert len(pauses) < 60
    assert max(pauses) <= 2
    assert sum(pauses) == pytest.approx(60)
