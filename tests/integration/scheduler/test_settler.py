"""What the settler tells the queue after a look. What looks prove: tests/integration/settling."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog

from envoi.events import GraphError
from envoi.queue.begin import Begin
from envoi.queue.done import Done
from envoi.queue.looks import DueLook
from envoi.queue.queue import Queue
from scheduler.settler import Settler
from scheduler.troubles import Troubles
from tests.integration.scheduler.hands import PAGE, Worker, job
from worker.looks import Dead, Looked


class Eyes:
    """See what the test says."""

    def __init__(self, seen: Looked) -> None:
        self.seen = seen

    def look(self, job: dict[str, Any], token_version: int, asked_at: float) -> Looked:
        del job, token_version, asked_at
        return self.seen


def test_a_token_that_a_look_finds_dead_pauses_the_page_and_says_why_as_a_call_would(
    redis_url: str, open_queue: Callable[[str], Queue]
) -> None:
    queue = open_queue(redis_url)
    queue.open_gate(queue.run_id())
    queue.enqueue([job()])
    [held] = Worker(queue, "w").claim()
    queue.trip([Begin(held, None, []), Done(held, "unsure", [], error=GraphError("no answer"), seconds=600)])
    now = queue.time()
    look = DueLook(
        held.conversation, held.job_id, held.fence, now, absence_counts=False, last=False,
        token_version=held.token_version, known={}, asked_at=now, job=held.job,
    )  # fmt: skip  # one line a kind
    dead = Looked(Dead(GraphError("the user changed the password", 190, 460)), 400)
    with structlog.testing.capture_logs() as lines:
        Settler(queue, Eyes(dead), Troubles()).settle(look)
    [page] = queue.pages([PAGE])
    assert page.reason == "190/460: the user changed the password"
    assert queue.status(held.job_id)["state"] == "settling"
    assert [(line["action"], line["why"]) for line in lines if line["action"] == "look"] == [("look", page.reason)]
