"""What only the double has: the hand that drives it, and its fixtures."""

from __future__ import annotations

import asyncio
import doctest
import json
import threading
from datetime import UTC, datetime, timedelta

import pytest

import envoi.testing
from envoi import EnvoiError, Job, KeyConflict, QueueFull, QueueUnavailable, State, StillOpen, UnknownJob
from envoi.testing import FakeAsyncEnvoi, FakeEnvoi
from tests.waiting import wait_until


def test_the_example_of_the_package_holds() -> None:
    found = doctest.testmod(envoi.testing)
    assert found.attempted
    assert not found.failed


def test_what_was_enqueued_can_be_looked_at(fake_envoi: FakeEnvoi) -> None:
    fake_envoi.send("100", "7001", "hello", key="k", lane="bulk")
    fake_envoi.send("101", "7001", {"attachment": {"type": "image", "payload": {"url": "https://a.example/b.png"}}})
    fake_envoi.send("100", {"user_ref": "R"}, "hello")
    fake_envoi.action("100", "7001", "mark_seen")
    text, image, seen = fake_envoi.sent_to("7001")
    assert (text.text, text.key, text.lane, text.page, text.recipient) == ("hello", "k", "bulk", "100", {"id": "7001"})
    assert image.text is None
    assert image.message is not None
    assert image.message["attachment"]["type"] == "image"
    assert (seen.action, seen.message) == ("mark_seen", None)
    assert [job.page for job in fake_envoi.sent_to("7001", page="101")] == ["101"]
    assert len(fake_envoi.sent_to("R")) == 1
    assert len(fake_envoi.jobs) == 4


def test_only_so_much_is_delivered_as_is_asked_for(fake_envoi: FakeEnvoi) -> None:
    first, second, third = (fake_envoi.send("100", "7001", f"no. {n}") for n in range(3))
    other = fake_envoi.send("100", "7002", "hello")
    assert [job.id for job in fake_envoi.deliver(second)] == [first, second]
    assert [fake_envoi.status(job_id).state for job_id in (third, other)] == [State.QUEUED] * 2
    assert {job.id for job in fake_envoi.deliver()} == {third, other}
    with pytest.raises(ValueError, match="no job X"):
        fake_envoi.deliver("X")


def test_replies_go_before_bulk(fake_envoi: FakeEnvoi) -> None:
    fake_envoi.send("100", "7001", "bulk", lane="bulk")
    fake_envoi.send("100", "7002", "reply")
    assert [job.text for job in fake_envoi.deliver()] == ["reply", "bulk"]


def test_what_cannot_begin_is_not_driven(fake_envoi: FakeEnvoi) -> None:
    first, second = fake_envoi.send("100", "7001", "a"), fake_envoi.send("100", "7001", "b")
    for drive in (fake_envoi.fail, fake_envoi.retry, fake_envoi.lose_answer):
        with pytest.raises(ValueError, match="cannot begin now"):
            drive(second)
    with pytest.raises(ValueError, match="only what settles"):
        fake_envoi.give_up(first)
    with pytest.raises(ValueError, match="no job"):
        fake_envoi.fail("X")


def test_every_end_of_a_job_can_be_had(fake_envoi: FakeEnvoi) -> None:
    failed, unknown, again = (
        fake_envoi.send("100", str(n), "a", on_unknown="resend" if n == 3 else "stop") for n in (1, 2, 3)
    )
    fake_envoi.fail(failed, code=551, subcode=7, message="gone")
    error = fake_envoi.status(failed).error
    assert error is not None
    assert (error.code, error.subcode, error.message) == (551, 7, "gone")
    fake_envoi.lose_answer(unknown)
    fake_envoi.give_up(unknown)
    assert fake_envoi.status(unknown).state is State.UNKNOWN
    fake_envoi.echoes(unknown, "m_late")
    found = fake_envoi.status(unknown)
    assert (found.state, found.message_id) == (State.SENT, "m_late")
    fake_envoi.lose_answer(again)
    fake_envoi.give_up(again)
    assert [job.id for job in fake_envoi.deliver()] == [again]


def test_a_person_who_writes_opens_the_window(fake_envoi: FakeEnvoi) -> None:
    fake_envoi.person_writes("100", "7001")
    fake_envoi.advance(86_401)
    with pytest.raises(EnvoiError, match="window"):
        fake_envoi.send("100", "7001", "too late")
    fake_envoi.person_writes("100", "7001", "are you there?")
    fake_envoi.send("100", "7001", "yes")


def test_a_webhook_can_be_made_for_the_apps_own_end_point(fake_envoi: FakeEnvoi) -> None:
    body, signature = fake_envoi.webhook_of("100", "7001", postback={"mid": "m_1", "payload": "BUY"})
    assert json.loads(body)["entry"][0]["messaging"][0]["postback"]["payload"] == "BUY"
    assert fake_envoi.webhook(body, signature) == 1


def test_an_outage_meets_every_call_and_ends(fake_envoi: FakeEnvoi) -> None:
    with fake_envoi.outage(), pytest.raises(QueueUnavailable):
        fake_envoi.send("100", "7001", "hello")
    with fake_envoi.outage(QueueFull("full")), pytest.raises(QueueFull):
        fake_envoi.send("100", "7001", "hello")
    fake_envoi.send("100", "7001", "hello")
    assert len(fake_envoi.jobs) == 1


def test_status_and_key_are_forgotten_after_their_time(fake_envoi: FakeEnvoi) -> None:
    job_id = fake_envoi.send("100", "7001", "hello", key="k")
    with pytest.raises(KeyConflict):
        fake_envoi.send("100", "7001", "good-bye", key="k")
    fake_envoi.deliver()
    fake_envoi.advance(86_401)
    with pytest.raises(UnknownJob):
        fake_envoi.status(job_id)
    assert fake_envoi.send("100", "7001", "good-bye", key="k") != job_id
    assert len(fake_envoi.sent_to("7001")) == 2, "the test still sees it"


def test_settings_and_time_are_the_tests_own() -> None:
    fake = FakeEnvoi(replies_age=60, clock=lambda: 1_700_000_000.0)
    job_id = fake.send("100", "7001", "hello")
    fake.advance(61)
    assert fake.deliver() == []
    assert fake.status(job_id).state is State.EXPIRED


def test_what_needs_the_log_or_meta_says_so(fake_envoi: FakeEnvoi) -> None:
    with pytest.raises(NotImplementedError, match="SQL"):
        fake_envoi.broadcast("100", ["7001"], "hello")
    with pytest.raises(NotImplementedError, match="calls"):
        fake_envoi.upload("100", "a.png")


def test_a_wait_ends_when_another_thread_delivers(fake_envoi: FakeEnvoi) -> None:
    job_id = fake_envoi.send("100", "7001", "hello")
    timer = threading.Timer(0.05, fake_envoi.deliver)
    timer.start()
    assert fake_envoi.wait(job_id, 60).state is State.SENT
    timer.join()


def test_a_reader_of_outcomes_waits_for_them() -> None:
    fake = FakeEnvoi(on_outcome="stream:shop")
    job_id = fake.send("100", "7001", "hello")
    timer = threading.Timer(0.05, fake.deliver)
    timer.start()
    found = wait_until(lambda: list(fake.outcomes("shop").read(wait=4)), "an outcome")
    timer.join()
    assert [outcome.job_id for outcome in found] == [job_id]


def test_the_asynchronous_double_has_the_same_queue(fake_envoi: FakeEnvoi, fake_async_envoi: FakeAsyncEnvoi) -> None:
    async def does() -> None:
        async with fake_async_envoi as client:
            job_id = await client.send("100", "7001", "hello")
            assert await client.send_many([Job(page="100", recipient="7001", message="more")])
            with pytest.raises(StillOpen):
                await client.wait(job_id, 0)
            waiting = asyncio.ensure_future(client.wait(job_id, 60))
            await asyncio.sleep(0)
            fake_envoi.deliver()
            assert (await waiting).state is State.SENT
            later = await client.send("100", "7001", "later", at=datetime.now(UTC) + timedelta(hours=1))
            assert (await client.status(later)).state is State.SCHEDULED
            assert await client.outcomes("shop").read() == []
            with pytest.raises(NotImplementedError):
                await client.broadcast("100", [], "hello")
            with pytest.raises(NotImplementedError):
                await client.upload("100", "a.png")

    asyncio.run(does())
    assert [job.text for job in fake_envoi.sent_to("7001")] == ["hello", "more", "later"]
