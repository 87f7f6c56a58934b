"""Malformed jobs: a clear error for each, nothing enqueued but what was accepted, and no value told again."""

from __future__ import annotations

import time
import warnings
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from envoi import Envoi, InvalidJob, Job, KeyConflict
from envoi.client import open_queue
from envoi.errors import EnvoiError
from envoi.queue.keys import Keys
from envoi.sendapi.tags import RetiredTag
from tests.integration.fuzz.chance import EXAMPLES, PATIENCE, Chance
from tests.integration.fuzz.spoil import PLANTED, Spoilt, spoilt_job

pytestmark = pytest.mark.timeout(PATIENCE)
KEYS = Keys()
SLOWEST = 2.0  # CPU seconds for one job: a megabyte is looked at once, and nothing twice
_NOT_OURS = ("Input should", "Value error", "should match pattern", "Assertion", "pydantic", "Traceback")


@pytest.fixture
def queue(redis_url: str, redis_client: redis.Redis) -> redis.Redis:
    """An open queue with nothing in it."""
    opened = open_queue(redis_url)
    opened.open_gate(opened.run_id())
    return redis_client


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RetiredTag)
        yield


def check_error(error: InvalidJob, fields: Spoilt) -> None:
    """It names each field and its limit, in our words, at moderate length, and can be written anywhere."""
    assert 1 <= len(error.problems) <= 100
    told = str(error)
    told.encode()
    assert PLANTED not in told
    assert not any(words in told for words in _NOT_OURS), told
    known = {*Job.model_fields, *(str(name).partition(".")[0][:100] for name in fields), "the name of a field"}
    for problem in error.problems:
        assert len(problem.field) <= 100
        assert 0 < len(problem.limit) <= 200, problem
        first = problem.field.partition(".")[0]
        assert first in known, problem


def refused(chance: Chance, fields: Spoilt, ask: Any) -> bool:
    """Whether it was refused, as it should be; what was accepted by chance is no mistake."""
    before = time.process_time()
    error: EnvoiError | None = None
    try:
        ask(fields)
    except (InvalidJob, KeyConflict) as found:  # KeyConflict: good, but for the key of one that was accepted before
        error = found
    assert time.process_time() - before < SLOWEST, chance
    if isinstance(error, InvalidJob):
        check_error(error, fields)
    return error is not None


def jobs_in(client: redis.Redis) -> set[str]:
    """Ids of all jobs that Redis holds."""
    prefix = KEYS.job("")
    return {name.removeprefix(prefix) for name in client.scan_iter(f"{prefix}*", count=10_000)}


def test_a_malformed_job_is_refused_with_its_fields_and_limits_and_leaves_nothing(
    queue: redis.Redis, redis_url: str
) -> None:
    envoi = Envoi(redis_url)
    chance = Chance("send")
    ids: set[str] = set()
    count: Counter[bool] = Counter()

    def send(fields: Spoilt) -> None:
        given = {name: value for name, value in fields.items() if name not in ("self", "page", "recipient", "message")}
        ids.add(envoi.send(fields.get("page"), fields.get("recipient"), fields.get("message"), **given))  # type: ignore[arg-type]  # wrong on purpose

    keys = queue.dbsize()
    while count[True] < EXAMPLES:
        fields = spoilt_job(chance.next())
        try:
            was_refused = refused(chance, fields, send)
            count[was_refused] += 1
            if was_refused and count[True] % 20 == 0:
                assert queue.dbsize() == keys
            keys = keys if was_refused else queue.dbsize()
        except Exception as error:
            error.add_note(str(chance))
            raise
    assert jobs_in(queue) == ids
    assert queue.xlen(KEYS.events) == len(ids)
    print(f"\nsend: {count[True]} refused, {count[False]} accepted by chance and enqueued")


def test_a_malformed_job_among_many_leaves_its_whole_batch_out(queue: redis.Redis, redis_url: str) -> None:
    envoi = Envoi(redis_url)
    chance = Chance("send_many")
    ids: set[str] = set()
    wrong = 0
    good = Job(page="1001", recipient="7001", message="hello")
    while wrong < EXAMPLES // 10:
        draw = chance.next()
        jobs: list[Any] = [good, spoilt_job(draw), good]
        draw.shuffle(jobs)
        whole = (
            job if isinstance(job, Job) else draw.choice((lambda job: Job(**job), lambda job: job))(job) for job in jobs
        )
        try:
            ids |= set(envoi.send_many(whole))
        except (InvalidJob, KeyConflict) as error:
            wrong += 1
            ids |= set(error.enqueued)  # none: there is one batch
        except Exception as error:
            error.add_note(str(chance))
            raise
    assert jobs_in(queue) == ids
