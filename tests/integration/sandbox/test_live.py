"""The feed of the sandbox's page, and what the page can tell the sandbox, over HTTP."""

from __future__ import annotations

import http.client
import json
import re
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from sandbox.feed import MOST_SPECTATORS
from tests.integration.sandbox.client import (
    INSTAGRAM,
    INSTAGRAM_TOKEN,
    PAGE,
    ROOT,
    TOKEN,
    WAIT,
    Client,
    sandbox_process,
)
from tests.integration.sandbox.receiver import receiver
from tests.waiting import wait_until

PERSON = "7001"


class Watching:
    """A feed, read part by part."""

    def __init__(self, connection: http.client.HTTPConnection) -> None:
        self.connection = connection
        self.answer = connection.getresponse()
        self.raw = b""

    def part(self) -> dict[str, Any]:
        """The next part; empty at the end of the feed."""
        while line := self.answer.readline():
            self.raw += line
            if line.startswith(b"data: "):
                return dict(json.loads(line[6:]))
        return {}

    def until(self, name: str) -> Any:
        """The next part that has something under this name."""
        while part := self.part():
            if part.get(name):
                return part[name]
        raise AssertionError(f"the feed ended without {name}")


@contextmanager
def watching(client: Client, **watch: str) -> Iterator[Watching]:
    connection = http.client.HTTPConnection("127.0.0.1", client.port, timeout=WAIT)
    try:
        connection.request("GET", f"/sandbox/live?{urlencode(watch)}")
        yield Watching(connection)
    finally:
        connection.close()


def test_a_spectator_sees_all_there_is_and_then_what_happens(client: Client) -> None:
    client.call()
    client.order(match={"recipient": PERSON}, fault={"kind": "error", "code": 613}, times=1)
    with watching(client, page=PAGE, person=PERSON) as feed:
        whole = feed.part()
        assert whole["whole"]
        assert [page["id"] for page in whole["pages"]] == [PAGE, INSTAGRAM]
        assert [message["content"]["text"] for message in whole["chat"]["messages"]] == ["hello"]
        assert json.loads(whole["calls"][0]["answer"])["recipient_id"] == PERSON
        client.call()
        while (call := feed.until("calls")[0])["ending"] == "open":
            pass
        assert (call["http_status"], call["error_code"], call["rule"]) == (400, 613, 1)
        client.call(recipient={"id": PERSON}, sender_action="typing_on")
        assert feed.until("chat")["typing_until"] is not None
        client.control("POST", "reset")
        while not (part := feed.part())["whole"]:
            pass
        assert (part["chat"]["messages"], part["calls"], part["rules"]) == ([], [], [])


def test_calls_may_be_those_of_one_person_alone(client: Client) -> None:
    client.call()
    client.call(recipient={"id": "7002"}, message={"text": "x"})
    client.call(recipient={"user_ref": "r"}, message={"text": "x"})
    for person, kind in ((PERSON, "id"), ("user_ref:r", "user_ref")):
        with watching(client, page=PAGE, person=person, calls_of_person="true") as feed:
            assert [list(call["recipient"]) for call in feed.part()["calls"]] == [[kind]]


def test_there_is_room_for_so_many_and_for_another_once_one_leaves(client: Client) -> None:
    with ExitStack() as all_of_them:
        feeds = [all_of_them.enter_context(watching(client)) for _ in range(MOST_SPECTATORS)]
        assert all(feed.part()["whole"] for feed in feeds)
        assert client.ask("GET", "/sandbox/live").status == 503
        feeds[0].connection.close()
        feeds[0].answer.close()
        wait_until(lambda: let_in(client), "the sandbox has noticed")


def let_in(client: Client) -> bool:
    with watching(client) as feed:
        return feed.answer.status == 200


def test_the_end_of_the_sandbox_is_the_end_of_its_feeds(tmp_path: Path) -> None:
    with sandbox_process(tmp_path) as (child, client), watching(client) as feed:
        assert feed.part()["whole"]
        child.process.send_signal(signal.SIGTERM)
        assert child.process.wait(WAIT) == 0
        while feed.part():
            pass
        assert child.log.read_text() == f"sandbox ready on http://127.0.0.1:{client.port}\n"


def test_no_token_and_no_secret_is_ever_shown(client: Client) -> None:
    with receiver() as app, watching(client, page=PAGE, person=PERSON) as feed:
        client.control("PUT", "webhooks", {"url": app.url, "app_secret": "sesame"})
        client.ask("GET", f"/v25.0/debug_token?input_token={TOKEN}&access_token={TOKEN}")
        client.call()
        client.call(token=INSTAGRAM_TOKEN)
        while not any(call["ending"] == "answered" and call["page"] == INSTAGRAM for call in feed.until("calls")):
            pass
        for secret in (TOKEN, INSTAGRAM_TOKEN, "sesame"):
            assert secret.encode() not in feed.raw
        assert PAGE.encode() in feed.raw


def test_a_person_is_known_by_a_name_and_taps_quick_replies(client: Client) -> None:
    with receiver() as app:
        client.control("PUT", "webhooks", {"url": app.url, "app_secret": "sesame"})
        client.control("POST", "people", {"page": PAGE, "recipient": PERSON, "name": "Ada"})
        tapped = {"page": PAGE, "recipient": PERSON, "from": "person", "text": "Yes", "quick_reply": "YES"}
        client.control("POST", "messages", tapped)
        (webhook,) = app.wait_for(1)
        assert webhook.event["message"]["quick_reply"] == {"payload": "YES"}
        assert webhook.signed_with("sesame")
        shown = client.control("GET", "chat", page=PAGE, person=PERSON)
        assert shown["name"] == "Ada"
        assert client.control("GET", "chats")["chats"][0]["person"] == PERSON
        refused = client.ask("POST", "/sandbox/messages", json.dumps({**tapped, "from": "page"}))
        assert refused.json["problems"][0]["field"] == "quick_reply"


def test_deeds_and_receipts_show_in_the_chat(client: Client) -> None:
    first = client.call().json["message_id"]
    client.control("POST", "happenings", {"kind": "read", "page": PAGE, "recipient": PERSON})
    second = client.call().json["message_id"]
    client.control("POST", "happenings", {"kind": "postback", "page": PAGE, "recipient": PERSON, "title": "Track"})
    reaction = {"kind": "reaction", "page": PAGE, "recipient": PERSON, "message_id": second, "emoji": "!"}
    client.control("POST", "happenings", reaction)
    shown = client.control("GET", "chat", page=PAGE, person=PERSON)
    assert [(one["id"], one["mark"]) for one in shown["messages"]] == [(first, "read"), (second, "sent")]
    assert [deed["kind"] for deed in shown["deeds"]] == ["postback", "reaction"]
    assert shown["messages"][1]["reactions"] == {"person": "!"}
    assert client.ask("GET", f"/sandbox/chat?page=none&person={PERSON}").status == 404


def test_other_pages_in_the_browser_may_tell_it_nothing(client: Client) -> None:
    for origin, status in (("http://evil.example", 403), ("null", 403), (f"http://127.0.0.1:{client.port}", 200)):
        headers = {"Origin": origin, "Content-Type": "text/plain"}
        assert client.ask("POST", "/sandbox/reset", "", headers).status == status


@pytest.mark.parametrize(
    "path", ["/sandbox/", *sorted(f"/sandbox/page/{file.name}" for file in (ROOT / "sandbox" / "page").iterdir())]
)
def test_the_page_runs_its_own_scripts_alone(client: Client, path: str) -> None:
    answer = client.ask("GET", path)
    assert answer.status == 200
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_page_names_nothing_from_elsewhere_and_no_inline_script() -> None:
    for file in (ROOT / "sandbox" / "page").iterdir():
        text = file.read_text().replace("http://www.w3.org/2000/svg", "").replace("http://127.0.0.1:8000/webhook", "")
        assert not re.search(r"""(src|href|from|url\()\s*=?\s*["'(]?(https?:)?//""", text), file.name
        assert not re.search(r"\son[a-z]+=|style=|innerHTML|insertAdjacentHTML|document\.write", text), file.name
        assert not re.search(r"<script(?![^>]*\ssrc=)", text), file.name


def test_a_feed_can_be_asked_for_without_being_watched(client: Client) -> None:
    answer = client.ask("HEAD", "/sandbox/live")
    assert (answer.status, answer.body) == (200, b"")


def test_the_short_address_leads_to_the_page(client: Client) -> None:
    answer = client.ask("GET", "/sandbox")
    assert answer.status in (302, 307)
    assert answer.headers["location"] == "/sandbox/"
