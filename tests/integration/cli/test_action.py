from __future__ import annotations

import json

import pytest
import redis

from envoi.queue.keys import Keys
from tests.integration.cli.conftest import Run


def test_an_action_prints_the_id_of_its_job(run: Run, queue_open: redis.Redis) -> None:
    job_id = run("action", "100", "7", "react", "--message-id", "m_1", "--reaction", "❤", "--json").json["id"]
    text = str(queue_open.get(Keys().job(job_id)))
    assert json.loads(text.partition("\n")[2])["payload"] == {"message_id": "m_1", "reaction": "❤"}
    assert run("status", job_id, "--json").json["state"] == "queued"
    again = run("action", "100", "7", "mark_seen", "--key", "k").out
    assert run("action", "100", "7", "mark_seen", "--key", "k").out == again


@pytest.mark.usefixtures("queue_open")
def test_an_action_that_meta_would_refuse_is_refused(run: Run) -> None:
    refused = run("action", "100", "7", "react", "--reaction", "love", status=1)
    assert "message_id: is required with react and unreact" in refused.err
