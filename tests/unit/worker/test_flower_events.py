"""What of a job Flower gets to see."""

from __future__ import annotations

from envoi.events import GraphError
from worker.flower import redacted, told

JOB = {
    "id": "01",
    "page": "100",
    "recipient": {"id": "7000000000001234"},
    "message": {"text": "your PIN is 4711", "metadata": "mine"},
}


def test_neither_the_text_nor_the_whole_recipient_is_shown() -> None:
    shown = redacted(JOB, "replies")
    assert shown == "{'page': '100', 'id': '…1234', 'lane': 'replies', 'message': 'text(16), metadata(4)'}"


def test_an_attachment_is_named_and_not_shown() -> None:
    job = {**JOB, "message": {"attachment": {"type": "image", "payload": {"url": "https://secret.example/x.png"}}}}
    assert "secret" not in redacted(job, "bulk")
    assert "'message': 'attachment'" in redacted(job, "bulk")


def test_a_graph_error_is_told_by_its_codes() -> None:
    assert told("failed", GraphError("No matching user", 100, 2018001)) == "Graph error 100/2018001: No matching user"
    assert told("retry", GraphError("temporary", 2)) == "Graph error 2: temporary"


def test_an_error_of_our_own_is_told_by_what_the_job_came_to() -> None:
    assert told("unsure", GraphError("no answer")) == "unsure: no answer"
    assert told("expired", None) == "expired"
