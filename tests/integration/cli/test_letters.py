"""Dead letters on a real Redis and a real database: replayed once, linked, in order; or discarded."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import redis
from sqlalchemy import Engine, update

from envoi.client import open_queue
from envoi.job import Job
from envoi.log import letters, queries, tables
from envoi.queue.keys import Keys
from envoi.queue.queue import Queue
from envoi.settings import settings
from envoi.states import State
from scheduler.log_writer import LogWriter
from tests.integration.cli.conftest import Run

KEYS = Keys()
LogJob = Callable[..., str]
pytestmark = pytest.mark.usefixtures("queue_open")


BATCH = 20


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(letters, "BATCH", BATCH)


def an_id(number: int) -> str:
    return f"01JDBQ8Z5V{number:016d}"


def payload(text: str = "hello", **options: object) -> dict[str, object]:
    """As the log has it: what a job says of itself."""
    job = Job(page="100", recipient="7", message=text, **options)
    found: dict[str, object] = json.loads(job.payload(an_id(0)))
    return found


def enqueued(client: redis.Redis, job_id: str) -> dict[str, object]:
    """A job as Redis keeps it."""
    found: dict[str, object] = json.loads(str(client.get(KEYS.job(job_id))).split("\n", 1)[1])
    return found


def line(client: redis.Redis) -> list[object]:
    """What waits for person 7, in order."""
    return [enqueued(client, str(job_id))["message"] for job_id in client.lrange(KEYS.line("100/id/7"), 0, -1)]


def copy_to_log(engine: Engine) -> None:
    queue = open_queue()
    writer = LogWriter(queue, engine)
    while writer.turn() or queue.redis.xlen(queue.keys.events):
        pass
    writer.release()


def test_a_replay_is_a_new_job_with_the_same_content_and_without_old_times(
    run: Run, log_job: LogJob, queue_open: redis.Redis
) -> None:
    later = datetime.now(UTC) + timedelta(days=1)
    old = payload(
        key="k", at=later, expires_at=later + timedelta(days=1), typing=3, mark_seen=True, max_attempts=2,
        messaging_type="MESSAGE_TAG", tag="HUMAN_AGENT",
    )  # fmt: skip  # one option after the other
    log_job(an_id(1), state="failed", payload=old)
    found = run("replay", an_id(1), "--json").json
    assert found["counts"] == {"enqueued": 1}
    [one] = found["jobs"]
    assert (one["job"], one["result"], one["reason"]) == (an_id(1), "enqueued", None)
    fresh = enqueued(queue_open, one["replay"])
    dropped = {"id", "key", "at", "expires_at"}
    assert {name: fresh[name] for name in fresh if name not in {*dropped, "replay_of"}} == {
        name: old[name] for name in old if name not in dropped
    }
    assert fresh["id"] == one["replay"] != an_id(1)
    assert (fresh["key"], fresh["replay_of"]) == (f"replay:{an_id(1)}:1", an_id(1))
    assert not {"at", "expires_at"} & fresh.keys()


@pytest.mark.parametrize(
    "given",
    [
        {"message": {"attachment": {"type": "image", "payload": {"url": "https://example.org/a.png"}}}},
        {"message": {"text": "?", "quick_replies": [{"content_type": "text", "title": "yes", "payload": "YES"}]}},
        {"message": {"text": "hi", "metadata": "mine"}, "reply_to": {"mid": "m_1"}, "typing": "auto"},
        {"message": "hi", "recipient": {"phone_number": "+1(212)555-2368"}, "typing": False, "lane": "bulk"},
    ],
)
def test_every_kind_of_job_can_be_replayed(
    run: Run, log_job: LogJob, queue_open: redis.Redis, given: dict[str, object]
) -> None:
    old = json.loads(Job(**{"page": "100", "recipient": "7", **given}).payload(an_id(1)))
    log_job(an_id(1), state="failed", payload=old)
    fresh = enqueued(queue_open, run("replay", an_id(1)).out.split()[2])
    assert {name: value for name, value in fresh.items() if name not in {"id", "key", "replay_of"}} == {
        name: value for name, value in old.items() if name != "id"
    }


def test_the_log_links_a_replay_to_the_job_it_replays(run: Run, log_job: LogJob, migrated: Engine) -> None:
    log_job(an_id(1), state="failed", payload=payload())
    fresh = run("replay", an_id(1)).out.split()[2]
    copy_to_log(migrated)
    assert run("job", fresh, "--json").json["job"]["replay_of"] == an_id(1)
    assert run("job", an_id(1), "--json").json["job"]["replay_of"] is None


def test_replaying_twice_by_mistake_enqueues_once(
    run: Run, log_job: LogJob, queue_open: redis.Redis, migrated: Engine
) -> None:
    log_job(an_id(1), state="failed", payload=payload())
    first = run("replay", an_id(1)).out.split()
    assert first[:2] == [an_id(1), "enqueued"]
    assert run("replay", an_id(1)).out.split() == [an_id(1), "already", first[2]], "the log does not know it yet"
    assert run("replay", "--state", "failed").out.split() == [an_id(1), "already", first[2]]
    copy_to_log(migrated)
    assert run("replay", an_id(1)).out.split() == [an_id(1), "already", first[2]], "now it does"
    assert run("replay", "--state", "failed").out == ""
    queue_open.delete(*queue_open.keys("*k:*"))  # as when the key's time is up
    assert run("replay", an_id(1)).out.split() == [an_id(1), "already", first[2]]
    assert len(line(queue_open)) == 1


def test_again_replays_once_more(run: Run, log_job: LogJob, queue_open: redis.Redis, migrated: Engine) -> None:
    log_job(an_id(1), state="expired", payload=payload())
    first = run("replay", an_id(1)).out.split()[2]
    copy_to_log(migrated)
    second = run("replay", an_id(1), "--again").out.split()
    assert second[1] == "enqueued"
    assert second[2] != first
    copy_to_log(migrated)
    third = run("replay", "--state", "expired", "--again").out.split()
    assert third[1] == "enqueued"
    assert len(line(queue_open)) == 3


def test_what_may_have_been_sent_needs_an_operators_word(run: Run, log_job: LogJob, queue_open: redis.Redis) -> None:
    log_job(an_id(1), state="unknown", payload=payload())
    assert "ended unknown and may have been sent" in run("replay", an_id(1), status=1).err
    assert "may have been sent" in " ".join(run("replay", "--state", "unknown", status=2).err.split())
    assert line(queue_open) == []
    assert run("replay", "--state", "unknown", "--unknown").out.split()[1] == "enqueued"
    assert len(line(queue_open)) == 1


@pytest.mark.parametrize("state", ["sent", "cancelled", "queued", "sending", "settling"])
def test_only_dead_letters_are_replayed_or_discarded(
    run: Run, log_job: LogJob, queue_open: redis.Redis, state: str
) -> None:
    log_job(an_id(1), state=state, payload=payload())
    for command in ("replay", "discard"):
        ran = run(command, an_id(1), status=1)
        assert f"{an_id(1)}: it is {state}, not failed, expired or unknown" in ran.err
        assert ran.out == ""
    assert line(queue_open) == []
    assert run("job", an_id(1), "--json").json["job"]["payload"]["message"] == {"text": "hello"}


def test_one_that_cannot_be_replayed_does_not_stop_the_others(
    run: Run, log_job: LogJob, queue_open: redis.Redis
) -> None:
    log_job(an_id(1), state="failed", payload=payload("one"))
    log_job(an_id(2), state="failed", payload={**payload("two"), "recipient": {"id": "not digits"}})
    log_job(an_id(3), state="failed", payload=None)
    log_job(an_id(4), state="failed", payload=payload("four"))
    found = run("replay", *(an_id(n) for n in range(1, 6)), "--json", status=1).json
    assert found["counts"] == {"enqueued": 2, "refused": 3}
    reasons = {one["job"]: one["reason"] for one in found["jobs"]}
    assert "recipient.id" in reasons[an_id(2)]
    assert reasons[an_id(3)] == "the log has its message no more, or never had it"
    assert reasons[an_id(5)] == "the log has no such job"
    assert line(queue_open) == [{"text": "one"}, {"text": "four"}]


def test_a_job_refused_by_the_queue_does_not_stop_the_others(
    run: Run, log_job: LogJob, queue_open: redis.Redis
) -> None:
    for number in (1, 2, 3):
        log_job(an_id(number), state="failed", payload=payload(f"text {number}"))
    open_queue().enqueue([Job(page="100", recipient="8", message="x", key=f"replay:{an_id(2)}:1")])
    found = run("replay", "--state", "failed", "--json", status=1).json
    assert [one["result"] for one in found["jobs"]] == ["enqueued", "refused", "enqueued"]
    assert line(queue_open) == [{"text": "text 1"}, {"text": "text 3"}]


def test_many_are_narrowed_and_keep_their_order(run: Run, log_job: LogJob, queue_open: redis.Redis) -> None:
    noon = datetime(2026, 11, 24, 12, tzinfo=UTC)
    for number, (page, minute) in enumerate([("100", 5), ("100", 1), ("100", 3), ("200", 4), ("100", 2)]):
        given = {**payload(f"minute {minute}"), "page": page}
        ended = noon + timedelta(minutes=minute)
        log_job(an_id(number), state="failed", minute=minute, page_id=page, payload=given, settled_at=ended)
    found = run(
        "replay", "--state", "failed", "--page", "100", "--since", "2026-11-24T13:02:00+01:00", "--limit", "2"
    ).out.splitlines()
    assert len(found) == 2
    assert line(queue_open) == [{"text": "minute 2"}, {"text": "minute 3"}]


def test_more_than_a_batch_goes_on_where_it_ended(
    run: Run, log_job: LogJob, queue_open: redis.Redis, migrated: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = BATCH + 5
    for number in range(many):
        log_job(an_id(number), state="failed", payload=payload(str(number)))
    monkeypatch.setenv("ENVOI_EVENTS_CAP", str(BATCH))
    ran = run("replay", "--state", "failed", status=1)
    assert len(ran.out.splitlines()) == BATCH
    assert "the log is too far behind" in ran.err
    copy_to_log(migrated)
    found = run("replay", "--state", "failed", "--json").json
    assert found["counts"] == {"enqueued": many - BATCH}
    assert line(queue_open) == [{"text": str(number)} for number in range(many)]


def test_a_discarded_job_keeps_its_row_but_not_its_text(run: Run, log_job: LogJob, migrated: Engine) -> None:
    log_job(an_id(1), state="failed", payload=payload("for your eyes only"), calls=2)
    log_job(an_id(2), state="failed", payload=payload("stays"))
    assert run("discard", an_id(1)).out == f"{an_id(1)} discarded\n"
    found = run("job", an_id(1), "--json").json
    assert found["job"]["state"] == "failed"
    assert found["job"]["discarded_at"] is not None
    assert len(found["calls"]) == 2
    assert "eyes" not in str(found)
    assert [job["id"] for job in run("jobs", "--state", "failed", "--json").json["jobs"]] == [an_id(2)]
    listed = run("jobs", "--state", "failed", "--discarded", "--json").json["jobs"]
    assert {job["id"] for job in listed} == {an_id(1), an_id(2)}
    assert f"{an_id(1)}: its message was discarded" in run("replay", an_id(1), status=1).err
    assert run("discard", an_id(1)).out == f"{an_id(1)} already\n"
    other = queries.job(migrated, an_id(2))
    assert other is not None
    assert other.payload == payload("stays")


def test_many_are_discarded_and_stay_so(run: Run, log_job: LogJob, migrated: Engine) -> None:
    for number in range(BATCH + 1):
        log_job(an_id(number), state="expired", payload=payload())
    assert run("discard", "--state", "expired", "--json").json["counts"] == {"discarded": BATCH + 1}
    assert run("discard", "--state", "expired", "--json").json == {"counts": {}, "jobs": []}
    assert run("replay", "--state", "expired", "--json").json == {"counts": {}, "jobs": []}
    assert all("message" not in (job.payload or {}) for job in queries.jobs(migrated, limit=1000, discarded=True))


def test_the_log_does_not_bring_a_discarded_text_back(run: Run, queue_open: redis.Redis, migrated: Engine) -> None:
    queue = Queue(queue_open, settings())
    [job_id] = queue.enqueue([Job(page="100", recipient="7", message="secret")])
    text = str(queue_open.get(KEYS.job(job_id)))
    copy_to_log(migrated)
    with migrated.begin() as connection:
        connection.execute(update(tables.jobs).where(tables.jobs.c.id == job_id).values(state="failed"))
    run("discard", job_id)
    queue_open.set(KEYS.job(job_id), text)  # a Redis that lost its last moments tells it anew
    queue_open.xadd(KEYS.events, {"e": State.QUEUED.value, "j": job_id, "t": "1.5"})
    copy_to_log(migrated)
    assert "secret" not in run("job", job_id, "--json").out


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ([], "name jobs, or say --state"),
        ([an_id(1), "--state", "failed"], "name jobs, or say --state"),
        ([an_id(1), "--limit", "1"], "go with --state"),
        (["--state", "sent"], "must be failed, expired or unknown"),
        (["--state", "failed", "--since", "yesterday"], "must be ISO 8601"),
    ],
)
@pytest.mark.parametrize("command", ["replay", "discard"])
def test_wrong_usage_is_told(run: Run, command: str, arguments: list[str], why: str) -> None:
    assert why in " ".join(run(command, *arguments, status=2).err.split())


def test_without_redis_nothing_is_replayed_and_it_says_so(
    run: Run, log_job: LogJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_job(an_id(1), state="failed", payload=payload())
    monkeypatch.setenv("ENVOI_REDIS_URL", "redis://127.0.0.1:1/0")
    assert "Redis did not answer" in run("replay", an_id(1), status=1).err
