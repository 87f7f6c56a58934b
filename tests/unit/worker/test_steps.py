"""The bodies of the calls."""

from __future__ import annotations

import json
from typing import Any

import pytest

from envoi import Job
from envoi.ids import new_job_id
from worker.steps import Step, body_of, is_media

JOB_ID = new_job_id()


def job(**more: Any) -> dict[str, Any]:
    payload: dict[str, Any] = json.loads(Job(page="1", recipient="7", message="grüß", **more).payload(JOB_ID))
    return payload


@pytest.mark.parametrize("step", [Step.MARK_SEEN, Step.TYPING_ON, Step.TYPING_OFF])
def test_an_action_carries_the_recipient_and_nothing_else(step: Step) -> None:
    assert json.loads(body_of(step, job(tag="HUMAN_AGENT", messaging_type="MESSAGE_TAG"))) == {
        "recipient": {"id": "7"},
        "sender_action": step.value,
    }


def test_a_message_carries_the_send_api_parameters_and_the_jobs_id_in_its_metadata() -> None:
    found = json.loads(body_of(Step.MESSAGE, job(tag="HUMAN_AGENT", messaging_type="MESSAGE_TAG", persona_id="5")))
    assert found == {
        "recipient": {"id": "7"},
        "message": {"text": "grüß", "metadata": f"envoi:{JOB_ID}"},
        "messaging_type": "MESSAGE_TAG",
        "tag": "HUMAN_AGENT",
        "persona_id": "5",
    }


def test_the_callers_own_metadata_goes_first() -> None:
    given = {**job(), "message": {"text": "x", "metadata": "mine"}}
    assert json.loads(body_of(Step.MESSAGE, given))["message"]["metadata"] == f"mine|envoi:{JOB_ID}"


def test_the_proof_is_a_parameter_of_every_call() -> None:
    assert {json.loads(body_of(step, job(), "abc"))["appsecret_proof"] for step in Step} == {"abc"}


def image(**payload: Any) -> dict[str, Any]:
    return {"attachment": {"type": "image", "payload": payload}}


@pytest.mark.parametrize(
    "message",
    [
        image(url="https://example.org/a.png", is_reusable=True),
        {"attachments": [image(attachment_id="1")["attachment"], image(url="https://example.org/b")["attachment"]]},
        {
            "attachment": {
                "type": "template",
                "payload": {"template_type": "newest", "z": [1, 2.5, {"b": None, "a": "é"}], "a": True},
            }
        },
    ],
)
def test_what_is_sent_is_what_was_given(message: dict[str, Any]) -> None:
    given = Job(page="1", recipient={"comment_id": "1_2"}, message=message, allow_unknown=True, platform="instagram")
    body = json.loads(body_of(Step.MESSAGE, json.loads(given.payload(JOB_ID))))
    assert body == {
        "recipient": {"comment_id": "1_2"},
        "message": {**message, "metadata": f"envoi:{JOB_ID}"},
        "messaging_type": "RESPONSE",
    }


@pytest.mark.parametrize(
    ("message", "media"),
    [
        ({"text": "x"}, False),
        (image(url="https://example.org/a.png"), True),
        ({"attachments": [image(attachment_id="1")["attachment"]]}, True),
        ({"attachment": {"type": "template", "payload": {"template_type": "button", "text": "x"}}}, False),
        ({"attachment": {"type": "template", "payload": {"template_type": "media"}}}, True),
        ({"attachment": {"type": "like_heart"}}, False),
    ],
)
def test_media_is_what_meta_has_to_handle(message: dict[str, Any], media: bool) -> None:
    assert is_media({"message": message}) is media
