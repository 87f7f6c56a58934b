"""The bodies of the calls."""

from __future__ import annotations

import json
from typing import Any

import pytest

from envoi import Job
from envoi.ids import new_job_id
from worker.steps import Step, body_of

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
