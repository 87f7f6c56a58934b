from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from tests.integration.cli.conftest import Run

FIRST, SECOND, THIRD = (f"01JDBQ8Z5V000000000000000{n}" for n in range(3))
LogJob = Callable[..., str]


@pytest.fixture
def three(log_job: LogJob) -> None:
    log_job(FIRST, minute=1, message_id="m_1", sent_at=datetime(2026, 11, 24, 12, 1, 30, tzinfo=UTC), calls=3)
    log_job(
        SECOND, minute=2, state="failed", error_code=100, error_subcode=2018001, error_message="no\nsuch \x1b[31muser"
    )
    log_job(THIRD, minute=3, state="queued", attempts=0)


@pytest.mark.usefixtures("three")
def test_jobs_lists_the_newest_first_without_their_messages(run: Run) -> None:
    found = run("jobs", "--json").json["jobs"]
    assert [job["id"] for job in found] == [THIRD, SECOND, FIRST]
    assert found[2]["message_id"] == "m_1"
    assert found[2]["enqueued_at"] == "2026-11-24T12:01:00.000000Z"
    assert found[2]["sent_at"] == "2026-11-24T12:01:30.000000Z"
    assert found[2]["settled_at"] is None
    assert found[1]["error_code"] == 100
    assert "payload" not in found[0]
    assert "eyes" not in run("jobs").out


@pytest.mark.usefixtures("three")
def test_jobs_can_be_narrowed(run: Run) -> None:
    assert [job["id"] for job in run("jobs", "--state", "failed", "--json").json["jobs"]] == [SECOND]
    assert [job["id"] for job in run("jobs", "--limit", "2", "--json").json["jobs"]] == [THIRD, SECOND]
    assert run("jobs", "--state", "cancelled", "--json").json == {"jobs": []}


@pytest.mark.usefixtures("three")
def test_a_row_of_the_table_is_one_whole_line_where_a_program_reads_it(run: Run) -> None:
    header, *rows = run("jobs").out.splitlines()
    assert header.split() == [
        *("id", "state", "page_id", "recipient", "lane", "attempts", "message_id", "enqueued_at", "error_message"),
    ]
    assert [row.split()[:3] for row in rows] == [
        [THIRD, "queued", "100"],
        [SECOND, "failed", "100"],
        [FIRST, "sent", "100"],
    ]


@pytest.mark.usefixtures("three")
def test_nothing_in_the_log_can_steer_the_terminal(run: Run) -> None:
    for command in (["jobs"], ["job", SECOND]):
        shown = run(*command).out
        assert "\x1b" not in shown
        assert r"no such \x1b[31muser" in shown


@pytest.mark.usefixtures("three")
def test_job_shows_what_was_enqueued_and_every_call(run: Run) -> None:
    found = run("job", FIRST, "--json").json
    assert found["job"]["payload"] == {"page": "100", "message": {"text": "for your eyes only"}}
    assert [call["step"] for call in found["calls"]] == ["typing_on", "message", "typing_off"]
    assert found["calls"][1]["started_at"] == "2026-11-24T12:01:01.000000Z"
    assert found["calls"][1]["duration_ms"] == 12.5
    shown = run("job", FIRST).out
    assert "for your eyes only" in shown
    assert shown.index("typing_on") < shown.index("typing_off")


@pytest.mark.usefixtures("migrated")
@pytest.mark.parametrize("job_id", [FIRST, "nonsense", "'; DROP TABLE jobs; --"])
def test_a_job_that_the_log_does_not_know_is_one_line(run: Run, job_id: str) -> None:
    ran = run("job", job_id, status=1)
    assert ran.err.startswith(f"envoi: the log has no job {job_id}")
    assert ran.err.count("\n") == 1


def test_a_log_that_was_never_migrated_says_what_to_run(
    run: Run, monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    monkeypatch.setenv("ENVOI_DATABASE_URL", database_url)
    ran = run("jobs", status=1)
    assert "run `envoi migrate`" in ran.err
    assert ran.err.count("\n") == 1


def test_migrate_makes_the_tables_and_is_harmless_again(
    run: Run, monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    monkeypatch.setenv("ENVOI_DATABASE_URL", database_url)
    first = run("migrate", "--json").json
    assert first["before"] is None
    assert first["revision"]
    assert run("migrate").out == f"the log is at revision {first['revision']}\n"
    assert run("jobs", "--json").json == {"jobs": []}


def test_a_database_that_does_not_answer_is_one_line_without_its_password(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENVOI_DATABASE_URL", "postgresql://envoi:sesame@127.0.0.1:1/envoi")
    for command in (["jobs"], ["migrate"], ["job", FIRST]):
        ran = run(*command, status=1)
        assert ran.err.startswith("envoi: postgresql+psycopg://envoi:***@127.0.0.1:1/envoi ")
        assert ran.err.count("\n") == 1
        assert "sesame" not in ran.err
