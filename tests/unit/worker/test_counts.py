"""What a worker counts of its attempts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from prometheus_client import generate_latest

from envoi.events import CallRecord, GraphError
from envoi.ids import made_at, new_job_id
from envoi.metrics.exposition import registry_of
from tests.unit.metrics.scrape import Labels, samples, total
from tests.unit.worker.attempt import Play, held, outcome
from worker import counts as counting
from worker.counts import CODES, Counts
from worker.graph import Outcome
from worker.steps import Step
from worker.verdicts import Accepted, Refused, Throttled, TryLater, Unknown, Verdict


def shown(counts: Counts) -> dict[str, dict[Labels, float]]:
    return samples(generate_latest(registry_of(counts.collect)).decode())


def play(counts: Counts, answer: Verdict | Outcome | None = None, **job: Any) -> Play:
    """One attempt, counted."""
    claimed = replace(held(**job), job_id=new_job_id())
    played = Play(claimed, {} if answer is None else {Step.MESSAGE: answer})
    counts.ended(played.delivery, played.end, 0.5)
    return played


def test_every_call_is_counted_by_page_step_verdict_and_code() -> None:
    counts = Counts(10)
    play(counts)
    play(counts, page="2")
    refused = GraphError("No matching user", 100, 2018001)
    record = CallRecord("message", 0.0, 120.0, "Refused", 400, 100, 2018001)
    play(counts, Outcome(Refused(refused, "recipient"), record))
    found = shown(counts)["envoi_calls_total"]
    for page, number in (("1", 2), ("2", 1)):
        assert total({"": found}, "", page=page, step="typing_on", verdict="Accepted", code="") == number
    assert total({"": found}, "", page="1", step="message", verdict="Accepted") == 1
    assert total({"": found}, "", page="1", step="message", verdict="Refused", code="100/2018001") == 1
    assert shown(counts)["envoi_call_seconds_count"][(("step", "message"),)] == 3
    assert shown(counts)["envoi_call_seconds_bucket"][(("le", "0.1"), ("step", "message"))] == 2


@pytest.mark.parametrize(
    ("verdict", "came_to"),
    [
        (Accepted("m_1"), "sent"),
        (Unknown(GraphError("no answer")), "unsure"),
        (TryLater(GraphError("not reached"), answered=False), "retry"),
        (Throttled(GraphError("limit"), "page", 60.0), "back"),
        (Refused(GraphError("no"), "message"), "failed"),
    ],
)
def test_an_attempt_is_counted_by_what_it_came_to(verdict: Verdict, came_to: str) -> None:
    counts = Counts(10)
    play(counts, verdict)
    assert shown(counts)["envoi_attempts_total"] == {(("came_to", came_to), ("lane", "replies")): 1}


def accepted_after(seconds: float, **job: Any) -> dict[str, dict[Labels, float]]:
    counts = Counts(10)
    claimed = replace(held(**job), job_id=new_job_id())
    made = outcome(Step.MESSAGE, Accepted("m_1"))
    assert made.record
    answered = replace(made.record, started_at=made_at(claimed.job_id) + seconds - 0.2, duration_ms=200.0)
    played = Play(claimed, {Step.MESSAGE: Outcome(made.verdict, answered)})
    counts.ended(played.delivery, played.end, 0.5)
    return shown(counts)


def test_the_time_to_acceptance_runs_from_enqueueing_to_the_answer() -> None:
    found = accepted_after(7.0)
    assert found["envoi_accepted_seconds_sum"] == {(("lane", "replies"),): pytest.approx(7.0, abs=1e-3)}
    assert found["envoi_accepted_seconds_bucket"][(("lane", "replies"), ("le", "10.0"))] == 1
    assert found["envoi_accepted_seconds_bucket"][(("lane", "replies"), ("le", "5.0"))] == 0


def test_of_a_job_with_a_time_it_runs_from_that_time_and_is_never_below_0() -> None:
    found = accepted_after(7.0, at="2999-01-01T00:00:00+00:00")
    assert found["envoi_accepted_seconds_sum"] == {(("lane", "replies"),): 0.0}


def test_pages_codes_and_series_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "SERIES", 300)
    counts = Counts(5)
    for number in range(600):
        record = CallRecord("message", 0.0, 1.0, "Refused", 400, number, None)
        play(counts, Outcome(Refused(GraphError("no", number), "message"), record), page=str(number % 50))
    found = shown(counts)["envoi_calls_total"]
    labels = [dict(each) for each in found]
    assert len({each["page"] for each in labels}) <= 6
    assert len({each["code"] for each in labels if each["code"]}) <= CODES + 1
    assert len(found) <= 302  # and one for what is beyond the bound, of each step and verdict met there
    assert total({"": found}, "", step="message") == 600  # nothing goes uncounted


def test_nothing_of_what_was_written_to_whom_is_in_them() -> None:
    counts = Counts(10)
    play(
        counts,
        TryLater(GraphError("the text was swordfish, for 7000000000001234", 2), answered=True),
        recipient={"id": "7000000000001234"},
        message={"text": "swordfish", "metadata": "mine"},
    )
    text = generate_latest(registry_of(counts.collect)).decode()
    assert "envoi_calls_total" in text
    assert not any(secret in text for secret in ("swordfish", "7000000000001234", "mine"))
