"""What scripts are told of a job's options is the same, made of the job or of its payload."""

from __future__ import annotations

import json
from itertools import product
from typing import Any
from urllib.parse import quote

import pytest

from envoi import Job
from envoi.ids import id_after, new_job_id
from envoi.job_texts import options_of
from envoi.queue.keys import conversation_of

MESSAGES: list[Any] = [
    "hello",
    {"attachment": {"type": "image", "payload": {"url": "https://x.example/a.png"}}},
    {"attachments": [{"type": "image", "payload": {"url": "https://x.example/a.png"}}]},
]
RECIPIENTS = [{"id": "7"}, {"comment_id": "7_8"}, {"user_ref": "abc"}]
OPTIONS: list[dict[str, Any]] = [
    dict(zip(("typing", "mark_seen", "on_unknown", "ignore_opt_out"), chosen, strict=True))
    for chosen in product((True, False, 2, "auto"), (True, False), ("stop", "resend"), (True, False))
]


@pytest.mark.parametrize("outcome", [{}, {"on_outcome": "stream:app"}, {"on_outcome": "celery:a.b@c", "key": "k ;,é"}])
def test_options_of_a_job_are_those_of_its_payload(outcome: dict[str, Any]) -> None:
    seen = set()
    for message, recipient, options in product(MESSAGES, RECIPIENTS, OPTIONS):
        job = Job(page="1", recipient=recipient, message=message, **options, **outcome)
        assert job.options() == options_of(json.loads(job.payload(new_job_id())))
        seen.add(job.options())
    assert len(seen) >= 2 * 4 * 2 * 2  # media, calls, resend, ignore_opt_out; a reply to a comment has a key besides


@pytest.mark.parametrize("recipient", ["7001", "abcXYZ019", "7_8", "a/b", "é", "٣", "+12125552368", "a b;c", "~.-_"])
def test_a_conversations_name_spells_what_is_no_letter_or_digit_of_ascii(recipient: str) -> None:
    assert conversation_of("1", "id", recipient) == f"1/id/{quote(recipient, safe='')}"


def test_an_id_is_spelled_in_base_32() -> None:
    assert id_after("0" * 26, 0) == "0" * 26
    assert id_after("0" * 26, 33) == "0" * 24 + "11"
    assert id_after("7" + "Z" * 24 + "Y", 1) == "7" + "Z" * 25
