"""An operator's word on a message that nobody answered for."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import redis

from envoi.client import open_queue
from envoi.queue.begin import Begin
from envoi.queue.claim import Claim
from envoi.queue.done import Done
from tests.integration.cli.conftest import Run


@pytest.fixture
def settling(run: Run, queue_open: redis.Redis) -> str:
    """A job whose call nobody answered for."""
    del queue_open
    job_id = run("send", "100", "7", "hello").out.strip()
    queue = open_queue()
    [held] = queue.trip([Claim(1, "w")])[0].claimed
    queue.trip([Begin(held, None, []), Done(held, "unsure", [], seconds=60)])
    return job_id


@pytest.fixture
def unknown(settling: str) -> str:
    """A job that nobody will ever answer for."""
    queue = open_queue()
    queue.redis.zadd(f"{queue.keys.base}due", {"100/id/7": 0})
    queue.tick()
    assert queue.status(settling)["state"] == "unknown"
    return settling


def test_sent_ends_a_settling_job_with_the_id_that_is_given(run: Run, settling: str) -> None:
    assert run("resolve", settling, "sent", "--message-id", "m_1").out == "sent\n"
    assert run("status", settling, "--json").json["message_id"] == "m_1"


def test_sent_needs_no_message_id(run: Run, settling: str) -> None:
    found = run("resolve", settling, "sent", "--json").json
    assert (found["state"], found["message_id"]) == ("sent", None)


def test_not_sent_makes_the_next_attempt(run: Run, settling: str) -> None:
    assert run("resolve", settling, "not-sent").out == "retrying\n"
    queue = open_queue()
    queue.tick()
    [held] = queue.trip([Claim(1, "w2")])[0].claimed
    assert (held.job_id, held.attempt) == (settling, 2)


def test_sent_corrects_an_unknown_job_and_not_sent_points_to_replay(run: Run, unknown: str) -> None:
    assert f"envoi replay --unknown {unknown}" in run("resolve", unknown, "not-sent", status=1).err
    assert run("status", unknown, "--json").json["state"] == "unknown"
    assert run("resolve", unknown, "sent").out == "sent\n"


def test_what_is_not_in_doubt_is_left_alone(run: Run, queue_open: redis.Redis) -> None:
    del queue_open
    job_id = run("send", "100", "7", "hello").out.strip()
    for word in ("sent", "not-sent"):
        assert "only what is settling or unknown" in run("resolve", job_id, word, status=1).err
    assert run("status", job_id, "--json").json["state"] == "queued"


def test_a_wrong_word_or_a_message_id_that_makes_no_sense_is_refused(run: Run, settling: str) -> None:
    run("resolve", settling, "perhaps", status=2)
    assert "goes with sent" in run("resolve", settling, "not-sent", "--message-id", "m", status=2).err
    assert run("status", settling, "--json").json["state"] == "settling"


@pytest.mark.parametrize("state", ["settling", "unknown"])
def test_jobs_in_doubt_can_be_listed(run: Run, log_job: Callable[..., str], state: str) -> None:
    log_job("01JDBQ8Z5V0000000000000001", state=state)
    log_job("01JDBQ8Z5V0000000000000002", state="sent")
    assert [job["state"] for job in run("jobs", "--state", state, "--json").json["jobs"]] == [state]
