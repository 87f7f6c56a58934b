"""What operators browse, in both databases; and that PostgreSQL never reads all jobs for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event, insert, text

from envoi.ids import new_job_id
from envoi.log import browsing, counting, tables
from envoi.log.browsing import Filter, Place
from envoi.log.database import open_log
from envoi.log.erasing import LogErasing
from envoi.log.letters import DEAD
from envoi.standing import Whose
from envoi.states import State

NOW = datetime(2026, 11, 26, 12, 30, tzinfo=UTC)


@pytest.fixture
def put(engine: Engine) -> Callable[..., str]:
    """Puts a job into the log."""

    def add(state: str = "failed", *, minutes_ago: float = 1, **columns: Any) -> str:
        at = NOW - timedelta(minutes=minutes_ago)
        row = {"id": new_job_id(), "page_id": "P", "recipient_kind": "id", "recipient": "7", "attempts": 1}
        row |= {"state": state, "enqueued_at": at, "settled_at": at, **columns}
        with engine.begin() as connection:
            connection.execute(insert(tables.jobs).values(row))
        return str(row["id"])

    return add


def test_lists_go_on_behind_a_place_also_among_jobs_of_one_moment(engine: Engine, put: Callable[..., str]) -> None:
    ids = [put(minutes_ago=number // 3) for number in range(10)]
    found: list[str] = []
    behind = None
    while batch := browsing.listed(engine, Filter(State.FAILED), behind=behind, limit=2):
        found += [job.id for job in batch]
        behind = Place(batch[-1].enqueued_at, batch[-1].id)
    assert sorted(found) == sorted(ids)
    assert [job.id for job in browsing.listed(engine, Filter(), limit=20)] == found


def test_dead_letters_are_listed_by_page_and_code_without_discarded_ones(
    engine: Engine, put: Callable[..., str]
) -> None:
    mine = put(error_code=551)
    other = put(page_id="Q", error_code=10)
    put(error_code=551, discarded_at=NOW)
    put("sent")

    def ids(wanted: Filter) -> set[str]:
        return {job.id for job in browsing.listed(engine, wanted)}

    assert ids(Filter(State.FAILED)) == {mine, other}
    assert ids(Filter(State.FAILED, page="Q")) == {other}
    assert ids(Filter(State.FAILED, code=551)) == {mine}
    assert ids(Filter(State.FAILED, page="Q", code=551)) == set()
    assert counting.count_up_to(engine, State.FAILED, 10) == 2
    assert counting.count_up_to(engine, State.FAILED, 1) == 1


def test_an_hour_is_counted_by_outcome_and_code(engine: Engine, put: Callable[..., str]) -> None:
    put("sent", error_code=1)  # of an attempt before the one that went well
    for code in (551, 551, None):
        put(error_code=code)
    put("failed", minutes_ago=40)
    put("queued", settled_at=None)
    since = NOW.replace(minute=0)
    hour = counting.hour(engine, since, since + timedelta(hours=1))
    assert hour.counts == {(State.SENT, None): 1, (State.FAILED, 551): 2, (State.FAILED, None): 1}
    assert not hour.more


def test_the_newest_failure_of_a_code_says_why(engine: Engine, put: Callable[..., str]) -> None:
    put(error_code=551, error_message="older", minutes_ago=2)
    put(error_code=551, error_message="newer")
    put(error_message="without a code")
    assert counting.examples(engine, [551, None, 7]) == {551: "newer", None: "without a code", 7: ""}


def test_a_person_is_found_with_each_page(engine: Engine, put: Callable[..., str]) -> None:
    for page in ("P", "Q", "R"):
        with engine.begin() as connection:
            connection.execute(
                insert(tables.pages).values(
                    id=page, platform="messenger", token=b"", token_version=1, created_at=NOW, updated_at=NOW
                )
            )
    put(minutes_ago=9)
    put(minutes_ago=5)
    put(page_id="R", minutes_ago=1)
    put(recipient="8")
    jobs, people = browsing.search(engine, "7")
    assert jobs == []
    assert [(one.page_id, one.newest_at) for one in people] == [
        ("R", NOW - timedelta(minutes=1)),
        ("P", NOW - timedelta(minutes=5)),
    ]


def test_a_job_is_found_by_id_message_id_and_key(engine: Engine, put: Callable[..., str]) -> None:
    job_id = put("sent", message_id="m_1", key="order")
    for word in (job_id, "m_1", "order"):
        assert [job.id for job in browsing.search(engine, word)[0]] == [job_id]


def test_a_timeline_is_one_conversations(engine: Engine, put: Callable[..., str]) -> None:
    first, second = put(minutes_ago=2), put("sent")
    put(recipient="8")
    put(page_id="Q")
    put(recipient_kind="user_ref")
    with engine.begin() as connection:
        for step in ("typing_on", "message"):
            connection.execute(
                insert(tables.calls).values(
                    job_id=second, step=step, started_at=NOW, duration_ms=1.0, verdict="Accepted"
                )
            )
    found = browsing.timeline(engine, "P", "id", "7")
    assert [(job.id, [call.step for call in calls]) for job, calls in found] == [
        (second, ["typing_on", "message"]),
        (first, []),
    ]


# --- what PostgreSQL does with many rows ---


@pytest.fixture
def full(migrated_postgres_url: str, request: pytest.FixtureRequest) -> Iterator[Engine]:
    """A log of so many jobs, 12,000 an hour."""
    engine = open_log(migrated_postgres_url)
    with engine.begin() as connection:
        connection.execute(text(_FILL), {"rows": request.param, "now": NOW})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
    yield engine
    engine.dispose()


_FILL = """
WITH made AS (
    INSERT INTO jobs (id, page_id, recipient_kind, recipient, lane, enqueued_at, settled_at, state, attempts,
                      error_code, error_message, message_id, key)
    SELECT upper(lpad(to_hex(n), 26, '0')), 'P' || n % 50, 'id', (n % 20000)::text, 'replies',
           CAST(:now AS timestamptz) - n * interval '0.3 second',
           CASE WHEN n % 100 = 7 THEN NULL ELSE CAST(:now AS timestamptz) - n * interval '0.3 second' END,
           CASE WHEN n % 100 = 7 THEN 'queued' WHEN n % 20 = 1 THEN 'failed' WHEN n % 500 = 2 THEN 'unknown'
                WHEN n % 300 = 3 THEN 'expired' ELSE 'sent' END,
           1, CASE WHEN n % 20 = 1 THEN 100 + n % 7 END, 'why', 'm_' || n, CASE WHEN n % 2 = 0 THEN 'k' || n END
    FROM generate_series(1, :rows) AS n RETURNING id, enqueued_at
), called AS (
    INSERT INTO calls (job_id, attempt, step, started_at, duration_ms, verdict)
    SELECT id, 1, 'message', enqueued_at, 1, 'Accepted' FROM made
)
INSERT INTO pages (id, platform, token, token_version, created_at, updated_at)
SELECT 'P' || n, 'messenger', '', 1, now(), now() FROM generate_series(0, 49) AS n
"""


@contextmanager
def plans(engine: Engine) -> Iterator[list[str]]:
    """The plan of every question that is asked meanwhile."""
    found: list[str] = []

    def explain(_connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.lstrip().upper().startswith("SELECT"):
            rows = cursor.connection.execute(f"EXPLAIN {statement}", parameters).fetchall()
            found.append(statement + "\n" + "\n".join(row[0] for row in rows))

    event.listen(engine, "before_cursor_execute", explain)
    yield found
    event.remove(engine, "before_cursor_execute", explain)


@pytest.mark.parametrize("full", [250_000], indirect=True)
def test_nothing_that_operators_browse_reads_all_jobs_or_calls(full: Engine) -> None:
    place = Place(NOW - timedelta(hours=5), "0" * 26)
    with plans(full) as found:
        for state in (None, *State):
            for behind in (None, place):
                browsing.listed(full, Filter(state), behind=behind)
            if state:
                counting.count_up_to(full, state, 1001)
        for state in DEAD:
            for wanted in (Filter(state, "P1"), Filter(state, None, 101), Filter(state, "P1", 101)):
                browsing.listed(full, wanted, behind=place)
        browsing.search(full, "77")
        browsing.search(full, "m_77")
        counting.examples(full, [101, None, 9999])
        browsing.timeline(full, "P1", "id", "1001", behind=place)
        browsing.last_inbound(full, "P1", "1001")
        for back in range(24):
            counting.hour(full, NOW - timedelta(hours=back + 1), NOW - timedelta(hours=back))
    assert len(found) > 60
    wrong = [plan for plan in found if "Seq Scan on jobs" in plan or "Seq Scan on calls" in plan]
    assert not wrong, wrong[0]


@pytest.mark.parametrize("full", [250_000], indirect=True)
def test_erasing_a_person_reads_no_other_jobs(full: Engine) -> None:
    with full.begin() as connection:  # all of one page, all answered by Meta, some to comments
        connection.execute(text("UPDATE jobs SET page_id = 'P1', recipient_id = recipient"))
        connection.execute(
            text("UPDATE jobs SET recipient_kind = 'comment_id', recipient = '1_' || key WHERE key LIKE '%10000'")
        )
    with full.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE jobs"))
    person, comment = Whose("P1", "id", "10000"), Whose("P1", "comment_id", "1_k110000")
    erasing = LogErasing(full, person)
    with plans(full) as found:
        assert comment in erasing.conversations()
        ids = erasing.jobs_of(person)
        told = [trace.id for batch in erasing.traces(person) for trace in batch]
    assert len(ids) == len(set(ids)) == 13
    assert sorted(told) == sorted(ids)
    assert erasing.jobs_of(person) == []
    wrong = [plan for plan in found if "Seq Scan on jobs" in plan]
    assert not wrong, wrong[0]


@pytest.mark.parametrize("full", [12_000], indirect=True)
def test_counts_of_an_hour_stop_at_a_bound(full: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "COUNTED", 1000)
    hour = counting.hour(full, NOW - timedelta(hours=1), NOW)
    assert hour.more
    assert sum(hour.counts.values()) == 1001
