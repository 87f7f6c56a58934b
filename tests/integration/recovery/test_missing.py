"""Jobs that the log holds and an open queue has lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from envoi.job import Job
from envoi.recovery.backlog import Backlog
from envoi.recovery.missing import Missing
from envoi.recovery.stored import StoredJob
from tests.integration.recovery.house import House
from tests.integration.scheduler.hands import PAGE


def lose(house: House, *jobs: str) -> None:
    """Redis forgets jobs and their lines, as after a crash that took its last moments."""
    for job in jobs:
        house.redis.delete(house.queue.keys.job(job))
        house.redis.zrem(f"{house.queue.keys.base}at", job)
        for person in ("1", "2", "3"):
            house.redis.lrem(house.queue.keys.line(f"{PAGE}/id/{person}"), 0, job)


def put_back(house: House, older_than: float = 0.0) -> dict[str, str]:
    return {found.job.id: found.now for found in Missing(house.queue, house.engine, older_than).put_back()}


@pytest.mark.parametrize(
    "options", [{}, {"key": "k", "lane": "bulk", "expires_at": datetime.now(UTC) + timedelta(days=1)}]
)
def test_what_the_log_holds_of_a_queued_job_can_be_told_without_it(house: House, options: dict[str, Any]) -> None:
    job_id = house.put("1", **options)
    house.log()
    (stored,) = Backlog(house.engine).open_jobs()
    job = Job(page=PAGE, recipient="1", message="hello", **options)
    rules = house.queue.settings
    age = rules.bulk_age if job.lane == "bulk" else rules.replies_age
    assert StoredJob.queued(job, job_id, stored.enqueued_at, age) == stored


def test_a_missing_job_waits_for_facts_and_is_not_sent_again_blindly(house: House) -> None:
    job, kept = house.put("1", key="k"), house.put("2")
    house.log()
    lose(house, job)
    assert put_back(house) == {job: "settling"}
    assert house.state(job) == "settling"
    assert put_back(house) == {}
    house.log()
    assert house.logged(job).state.value == "settling"
    assert house.put("1", key="k") == job
    assert house.send_all() == [kept]


def test_that_a_job_was_missing_is_still_known_after_a_restart(house: House) -> None:
    job = house.put("1")
    house.log()
    lose(house, job)
    assert put_back(house) == {job: "settling"}
    mark = partial(house.redis.hget, house.queue.keys.conversation(f"{PAGE}/id/1"), "m")
    assert mark() == "missing"
    for run in ("another", "and another"):
        house.redis.script_flush()
        step = house.queue.suspect(run)
        while step.cursor is not None:
            step = house.queue.suspect(run, step.cursor)
        assert mark() == f"missing:{run}"


def test_a_missing_job_that_a_fact_has_come_of_is_sent(house: House) -> None:
    job = house.put("1")
    held = house.take()
    house.worker.begin(held)
    house.log()
    lose(house, job)
    house.redis.delete(house.queue.keys.conversation(f"{PAGE}/id/1"))
    assert house.done(held, "settle") == "known"
    house.log()
    assert put_back(house) == {job: "sent"}
    house.log()
    assert house.logged(job).state.value == "sent"


def test_a_missing_job_whose_time_has_not_come_is_scheduled_again(house: House) -> None:
    job = house.put("1", in_seconds=500)
    house.log()
    lose(house, job)
    assert put_back(house) == {job: "scheduled"}
    assert house.state(job) == "scheduled"


def test_a_missing_job_waits_while_another_heads_its_line(house: House) -> None:
    lost, other = house.put("1"), house.put("1")
    house.log()
    lose(house, lost)
    assert put_back(house) == {lost: "later"}
    assert house.send() == other
    assert put_back(house) == {lost: "settling"}


def test_a_job_that_settles_while_the_log_is_read_is_not_missing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.put("1")
    house.log()
    search = Missing(house.queue, house.engine, 0.0)
    look = search._absent

    def late(batch: object) -> object:
        house.send()
        house.log()
        house.redis.delete(*house.redis.scan_iter(f"{house.queue.keys.base}s:*"))  # its status has run out
        return look(batch)  # type: ignore[arg-type]  # handed on as it came

    monkeypatch.setattr(search, "_absent", late)
    assert list(search.find()) == []


def test_young_jobs_are_left_alone(house: House) -> None:
    job = house.put("1")
    house.log()
    lose(house, job)
    assert put_back(house, older_than=60.0) == {}
