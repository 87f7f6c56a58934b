"""Jobs through a real queue, an engine and a Graph client to the sandbox, whose ledger says what Meta got to see."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from pydantic import SecretStr

from envoi import Action, Job
from envoi.log.credentials import Credentials
from envoi.queue.queue import Queue
from envoi.settings import Settings
from tests.integration.sandbox.client import INSTAGRAM, INSTAGRAM_TOKEN, PAGE, TOKEN, Client
from tests.integration.worker.scripted import wait_for_states
from worker import attachments
from worker.engine import Engine
from worker.graph import Graph
from worker.lines import Lines
from worker.tokens import Tokens

TIME = 30.0  # seconds that anything here may take
URL = "https://example.com/image.png"


class TwoTokens:
    """Keeps the sandbox's tokens."""

    def credentials(self, page: str) -> Credentials:
        return Credentials(SecretStr({PAGE: TOKEN, INSTAGRAM: INSTAGRAM_TOKEN}[page]), 1)

    def all_credentials(self) -> dict[str, Credentials]:
        return {}


@pytest.fixture
def queue(redis_client: redis.Redis, sandbox: Client) -> Queue:
    rules = Settings(
        graph_url=f"http://127.0.0.1:{sandbox.port}",
        lease=6.0,
        loss_bound=0.05,
        concurrency=16,
        page_pace=1000,
        page_media_pace=1000,
        page_calls=10_000,
        page_cap=1000,
        backoff_first=0.05,
        answered_wait=0.05,
    )
    made = Queue(redis_client, rules)
    made.open_gate(made.run_id())
    return made


@pytest.fixture
def engine(queue: Queue) -> Iterator[Engine]:
    graph, over = Graph(queue.settings, Tokens(TwoTokens())), threading.Event()
    made = Engine(queue, graph, "w1", lines=Lines(graph, queue.settings.concurrency))

    def keep_time() -> None:
        while not over.wait(0.05):
            if queue.tick().due:
                made.wake()

    scheduler = threading.Thread(target=keep_time)
    made.start()
    made.registered()
    scheduler.start()
    yield made
    over.set()
    scheduler.join(TIME)
    made.stop(TIME)
    graph.close()


def image(person: int, url: str = URL, page: str = PAGE, **payload: Any) -> Job:
    attachment = {"type": "image", "payload": {"url": url, **payload}}
    return Job(page=page, recipient=str(person), message={"attachment": attachment}, typing=False)


def delivered(queue: Queue, engine: Engine, sandbox: Client, jobs: list[Job]) -> list[dict[str, Any]]:
    """The ledger's entries of these jobs' message calls, once every job is sent."""
    before = len(sandbox.entries(step="message", limit=100_000))
    ids = queue.enqueue(jobs)
    engine.wake()
    wait_for_states(queue, ids, sent=len(ids))
    return sandbox.entries(step="message", limit=100_000)[before:]


def fetched(entries: list[dict[str, Any]]) -> list[str]:
    return [address for entry in entries for address in entry["fetched"]]


def payload_of(entry: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = entry["parameters"]["message"]["attachment"]["payload"]
    return found


def test_one_image_to_two_hundred_people_is_fetched_once(queue: Queue, engine: Engine, sandbox: Client) -> None:
    sandbox.order(fault={"kind": "slow", "seconds": 0.5}, match={"step": "message"}, times=1)
    entries = delivered(queue, engine, sandbox, [image(1000 + n) for n in range(200)])
    assert len(entries) == 200
    assert fetched(entries) == [URL]
    first, *later = sorted(entries, key=lambda entry: entry["committed_at"])
    assert payload_of(first) == {"url": URL, "is_reusable": True}
    assert {frozenset(payload_of(entry)) for entry in later} == {frozenset({"attachment_id"})}


def test_an_expired_attachment_id_is_let_go_and_the_address_is_sent_again_once(
    queue: Queue, engine: Engine, sandbox: Client
) -> None:
    delivered(queue, engine, sandbox, [image(1), image(2)])
    sandbox.control("POST", "clock/advance", {"seconds": 91 * 86_400})
    entries = delivered(queue, engine, sandbox, [image(1000 + n) for n in range(20)])
    refused = [entry for entry in entries if entry["error_code"]]
    assert {(entry["error_code"], entry["error_subcode"]) for entry in refused} == {(100, 2018074)}
    assert fetched(entries) == [URL]
    assert sum(entry["delivered"] for entry in entries) == 20
    # Of each job that met the old id there is one refused call and one that took effect, and no more.
    tries = Counter(entry["recipient"]["id"] for entry in entries)
    assert sum(tries.values()) == 20 + len(refused)
    assert max(tries.values()) == 2


def test_a_message_call_that_fails_leaves_the_fetch_to_the_next_job_at_once(
    queue: Queue, engine: Engine, sandbox: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attachments, "FETCH_TIME", 3600.0)  # whoever waits for its end waits too long
    sandbox.order(fault={"kind": "error", "code": 100, "subcode": 2018047}, match={"recipient": "1"}, times=1)
    (refused,) = queue.enqueue([image(1)])
    engine.wake()
    wait_for_states(queue, [refused], failed=1)
    entries = delivered(queue, engine, sandbox, [image(2), image(3)])
    assert fetched(entries) == [URL]


def test_pages_and_addresses_are_apart_and_what_the_job_or_the_platform_rules_out_is_left_alone(
    queue: Queue, engine: Engine, sandbox: Client
) -> None:
    other = "https://example.com/other.png"
    entries = delivered(queue, engine, sandbox, [image(1), image(2, other), image(1), image(2, other)])
    assert sorted(fetched(entries)) == sorted([URL, other])
    unwilling = delivered(queue, engine, sandbox, [image(3, is_reusable=False), image(4, is_reusable=False)])
    assert [payload_of(entry) for entry in unwilling] == [{"url": URL, "is_reusable": False}] * 2
    job = image(5, page=INSTAGRAM).model_copy(update={"platform": "instagram"})
    (instagram,) = delivered(queue, engine, sandbox, [job])
    assert payload_of(instagram) == {"url": URL}


def steps_to(sandbox: Client, person: str) -> list[tuple[str, bool]]:
    """What the person saw, in the order of arrival, and whether it took effect."""
    return [(entry["step"], entry["delivered"]) for entry in sandbox.entries(recipient=person)]


def test_actions_keep_their_place_in_the_conversation(queue: Queue, engine: Engine, sandbox: Client) -> None:
    message = Job(page=PAGE, recipient="1", message="hello", typing=False)
    (sent,) = delivered(queue, engine, sandbox, [message])
    ids = queue.enqueue(
        [
            Action(page=PAGE, recipient="1", action="mark_seen"),
            Action(page=PAGE, recipient="1", action="react", message_id=sent["message_id"], reaction="❤"),
            message,
            Action(page=PAGE, recipient="1", action="unreact", message_id=sent["message_id"]),
            Action(page=PAGE, recipient="1", action="typing_on"),
            Action(page=PAGE, recipient="1", action="typing_off"),
        ]
    )
    engine.wake()
    wait_for_states(queue, ids, sent=len(ids))
    steps = ["message", "mark_seen", "react", "message", "unreact", "typing_on", "typing_off"]
    assert steps_to(sandbox, "1") == [(step, True) for step in steps]
    react = sandbox.entry(step="react")
    assert react["parameters"]["payload"] == {"message_id": sent["message_id"], "reaction": "❤"}
    assert queue.status(ids[1])["recipient_id"] == "1"


def test_an_action_that_fails_is_made_once_and_delays_nothing_behind_it(
    queue: Queue, engine: Engine, sandbox: Client
) -> None:
    faults: list[dict[str, Any]] = [
        {"kind": "error", "code": 100, "subcode": 2018048},
        {"kind": "error", "code": 2},
        {"kind": "error", "code": 613},
        {"kind": "error", "code": 10},
        {"kind": "reset"},
    ]
    for number, fault in enumerate(faults):
        person = str(50 + number)
        sandbox.order(fault=fault, match={"recipient": person, "step": "mark_seen"})
        (job_id,) = queue.enqueue([Action(page=PAGE, recipient=person, action="mark_seen")])
        delivered(queue, engine, sandbox, [Job(page=PAGE, recipient=person, message="hello", typing=False)])
        assert steps_to(sandbox, person) == [("mark_seen", False), ("message", True)]
        found = queue.status(job_id)
        assert found["state"] == "failed"
        assert str(fault.get("code", "Graph API")) in found["error"]


def test_already_replied_is_evidence_where_an_earlier_call_may_have_been_taken(
    queue: Queue, engine: Engine, sandbox: Client
) -> None:
    sandbox.order(fault={"kind": "error", "code": 2, "delivered": True}, match={"recipient": "1_2"}, times=1)
    taken, of_others = queue.enqueue(
        [Job(page=PAGE, recipient={"comment_id": comment}, message="hello") for comment in ("1_2", "3_4")]
    )
    engine.wake()
    wait_for_states(queue, [taken, of_others], sent=2)
    codes = [(entry["delivered"], entry["error_code"]) for entry in sandbox.entries(recipient="1_2")]
    assert codes == [(True, 2), (False, 10900)]
    found = queue.status(taken)
    assert found.get("message_id") is None
    assert "sent by an earlier call" in found["error"]
    (again,) = queue.enqueue([Job(page=PAGE, recipient={"comment_id": "3_4"}, message="more", key="another")])
    engine.wake()
    wait_for_states(queue, [again], failed=1)
    assert "10900" in queue.status(again)["error"]
