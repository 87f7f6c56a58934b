"""Freezes a queue as the version that runs this leaves it.

``python -m tests.acceptance.earlier.make URL FILE``, on an empty Redis, with the code of a version whose keys the next
change of the queue alters. The file is committed with that change, and stays for as long as queues may be upgraded
from that version.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from envoi.action import Action
from envoi.events import CallRecord, GraphError
from envoi.job import Job
from envoi.queue.begin import Begin, Go
from envoi.queue.claim import Claim
from envoi.queue.connection import connect
from envoi.queue.done import Done
from envoi.queue.queue import Queue
from envoi.settings import Settings
from envoi.states import State
from tests.acceptance.earlier.frozen import freeze

PAGE = "100000000000001"
_PERSON = 7_000_000_000_000_000


def person(number: int) -> str:
    """A person-scoped id."""
    return str(_PERSON + number)


def fill(queue: Queue) -> None:
    """Jobs in every state that a queue can hold them in. Person 1 to 4 are claimed first; each text says its place."""

    def put(number: int, text: str, **options: object) -> str:
        return queue.enqueue([Job(page=PAGE, recipient=person(number), message=text, **options)])[0]

    later = datetime.now(UTC) + timedelta(seconds=5)
    for number in range(1, 5):
        put(number, f"{number} first")
    held = queue.trip([Claim(4, "w1-gone:1")])[0].claimed
    assert [one.conversation.rpartition("/")[2] for one in held] == [person(number) for number in range(1, 5)]
    lost, marked, retried, settled = held  # the worker that held them is gone
    assert lost.attempt == 1
    call = CallRecord(step="message", started_at=1.5, duration_ms=2.0, verdict="TryLater")
    assert isinstance(queue.trip([Begin(marked, None, [])])[0], Go)
    assert isinstance(queue.trip([Begin(retried, None, [])])[0], Go)
    queue.trip([Done(retried, "retry", [call], error=GraphError("later", 2), seconds=3.0)])
    assert isinstance(queue.trip([Begin(settled, None, [])])[0], Go)
    queue.trip([Done(settled, "settle", [], state=State.SENT, message_id="m_before")])
    for number in range(1, 4):
        put(number, f"{number} second")
    put(5, "5 first", lane="bulk", key="five")
    put(5, "5 second", lane="bulk")
    put(5, "5 third")  # lifts the conversation to the other lane
    put(6, "6 first", typing=False)
    put(6, "6 later", at=later)
    queue.enqueue([Action(page=PAGE, recipient=person(7), action="mark_seen")])
    put(7, "7 first", on_outcome="stream:shop", key="seven")
    put(8, "8 first")
    queue.cancel(put(8, "8 cancelled"))
    put(8, "8 second")


def main(url: str, file: str) -> None:
    """Fill an empty Redis, and write down what is in it."""
    client = connect(url)
    if client.dbsize():
        sys.exit("this Redis is not empty")
    # Short times: they are written into what is kept of a call.
    quick = Settings(page_pace=1000.0, lease=4.0, graph_latest=3.0, graph_latest_media=3.0, graph_visible=1.0)
    queue = Queue(client, quick)
    queue.open_gate(queue.run_id())
    fill(queue)
    base = queue.keys.base
    found = freeze(client, {f"{base}{name}" for name in ("epoch", "proto", "scripts", "tpl", "bells")})
    Path(file).write_text(json.dumps(found, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
