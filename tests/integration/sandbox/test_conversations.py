"""The Conversations API: what a look shows, of what, and how often (SEND_API 8)."""

from __future__ import annotations

import calendar
import re
import time
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from tests.integration.sandbox.client import (
    INSTAGRAM,
    INSTAGRAM_TOKEN,
    PAGE,
    TOKEN,
    Client,
    Response,
    json_headers,
)

PERSON = "7001"
DETAILS = "id,created_time,from,to,message"


def look(client: Client, path: str, token: str = TOKEN, **query: Any) -> Response:
    target = f"/v25.0/{path}?{urlencode(query)}" if query else f"/v25.0/{path}"
    return client.ask("GET", target, headers={"Authorization": f"Bearer {token}"})


def send(client: Client, text: str, recipient: dict[str, str] | None = None, **more: Any) -> str:
    answer = client.call(recipient=recipient or {"id": PERSON}, message={"text": text}, **more)
    message_id: str = answer.json["message_id"]
    return message_id


def thread_id(client: Client) -> str:
    found: str = look(client, "me/conversations", platform="messenger", user_id=PERSON).json["data"][0]["id"]
    return found


def write(client: Client, **parts: Any) -> Any:
    return client.control("POST", "messages", {"page": PAGE, "recipient": PERSON, "text": "x", **parts})


@pytest.fixture
def free(client: Client) -> Client:
    """Without the limit of two looks a second, which is not the matter of most tests."""
    client.control("PUT", "switches", {"conversations_per_second": None})
    return client


@pytest.mark.parametrize("node", ["me", PAGE])
def test_a_thread_is_found_by_page_and_person(free: Client, node: str) -> None:
    assert look(free, f"{node}/conversations", platform="messenger", user_id=PERSON).json == {"data": []}
    send(free, "a")
    found = look(free, f"{node}/conversations", platform="messenger", user_id=PERSON).json
    assert [set(row) for row in found["data"]] == [{"id"}]
    assert re.fullmatch(r"t_\d{16}", found["data"][0]["id"])
    assert look(free, f"{node}/conversations", platform="messenger", user_id="7002").json == {"data": []}


def test_one_call_shows_the_messages_newest_first_with_their_authors(free: Client) -> None:
    before = int(time.time())
    sent = send(free, "from the app")
    inbound = write(free, **{"from": "person"}, text="hello?")["message_id"]
    human = write(free, **{"from": "page"}, text="a human here", app_id=263902037430900)["message_id"]
    fields = f"messages.limit(10){{{DETAILS}}}"
    answer = look(free, "me/conversations", platform="messenger", user_id=PERSON, fields=fields)
    rows = answer.json["data"][0]["messages"]["data"]
    page, person = {"id": PAGE}, {"id": PERSON}
    assert [(row["id"], row["message"], row["from"], row["to"]["data"]) for row in rows] == [
        (human, "a human here", page, [person]),
        (inbound, "hello?", person, [page]),
        (sent, "from the app", page, [person]),
    ]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0000", row["created_time"]) for row in rows)
    parsed = [time.strptime(row["created_time"], "%Y-%m-%dT%H:%M:%S+0000") for row in rows]
    assert all(before <= calendar.timegm(moment) <= time.time() for moment in parsed)


def test_without_fields_a_message_shows_its_id_and_time_alone(free: Client) -> None:
    sent = send(free, "a")
    shown = look(free, thread_id(free), fields="messages").json["messages"]["data"]
    assert [set(row) for row in shown] == [{"id", "created_time"}]
    assert set(look(free, sent).json) == {"id", "created_time"}


def test_only_the_20_most_recent_messages_have_details(free: Client) -> None:
    sent = [send(free, str(number)) for number in range(21)]
    thread = thread_id(free)
    rows = look(free, thread, fields=f"messages.limit(50){{{DETAILS}}}").json["messages"]["data"]
    assert [row["id"] for row in rows] == sent[::-1]
    assert [row.get("message") for row in rows[:20]] == [str(number) for number in range(20, 0, -1)]
    assert set(rows[20]) == {"id", "created_time"}
    assert look(free, sent[1], fields=DETAILS).json["message"] == "1"
    assert look(free, sent[0], fields=DETAILS).error == (9000001, None)


def test_cursors_lead_through_all_messages_both_ways(free: Client) -> None:
    sent = [send(free, str(number)) for number in range(7)][::-1]
    thread = thread_id(free)
    part = look(free, f"{thread}/messages", limit=3, fields="message").json
    seen = [row["id"] for row in part["data"]]
    while "next" in part["paging"]:
        assert TOKEN not in part["paging"]["next"]
        step = urlsplit(part["paging"]["next"])
        part = free.ask("GET", f"{step.path}?{step.query}", headers=json_headers()).json
        assert all("message" in row for row in part["data"])
        seen += [row["id"] for row in part["data"]]
    assert seen == sent
    back = look(free, f"{thread}/messages", limit=2, before=part["paging"]["cursors"]["before"]).json
    assert [row["id"] for row in back["data"]] == sent[4:6]


def test_all_threads_of_a_page_are_listed_the_last_written_in_first(free: Client) -> None:
    for person in ("7001", "7002", "7001", "7003"):
        send(free, "a", {"id": person})
    rows = look(free, "me/conversations", fields="participants,message_count,updated_time").json["data"]
    assert [row["participants"]["data"][0]["id"] for row in rows] == ["7003", "7001", "7002"]
    assert [row["message_count"] for row in rows] == [1, 2, 1]
    first = look(free, "me/conversations", limit=2).json
    cursor = first["paging"]["cursors"]["after"]
    assert len(first["data"]) == 2
    assert len(look(free, "me/conversations", limit=2, after=cursor).json["data"]) == 1


def test_a_message_is_not_seen_before_its_time(free: Client) -> None:
    free.control("PUT", "switches", {"conversations_per_second": None, "visible_after_seconds": 30})
    sent = send(free, "a")
    assert look(free, "me/conversations", user_id=PERSON).json == {"data": []}
    assert look(free, sent).error == (100, 33)
    free.control("POST", "clock/advance", {"seconds": 30})
    assert look(free, "me/conversations", user_id=PERSON).json["data"] != []
    assert look(free, sent).json["id"] == sent


def test_a_page_may_look_twice_a_second(client: Client) -> None:
    answers = [look(client, "me/conversations", user_id=PERSON).status for _ in range(3)]
    assert answers == [200, 200, 400]
    assert client.entries(1, step="read")[-1]["error_code"] == 613
    other = look(client, "me/conversations", INSTAGRAM_TOKEN, platform="instagram", user_id=PERSON)
    assert other.status == 200
    client.control("POST", "clock/advance", {"seconds": 1})
    assert look(client, "me/conversations", user_id=PERSON).status == 200


def test_without_the_permission_nothing_is_shown(free: Client) -> None:
    free.control("PUT", "switches", {"conversations_permission": False})
    sent = send(free, "a")
    assert look(free, "me/conversations", user_id=PERSON).error == (10, None)
    assert look(free, sent).error == (10, None)


def test_nobody_sees_the_threads_of_another_page_or_platform(free: Client) -> None:
    sent = send(free, "a")
    thread = thread_id(free)
    for path in (sent, thread, f"{thread}/messages"):
        assert look(free, path, INSTAGRAM_TOKEN).error == (100, 33)
    assert look(free, f"{PAGE}/conversations", INSTAGRAM_TOKEN).error == (10, None)
    assert look(free, "me/conversations", platform="instagram", user_id=PERSON).json == {"data": []}
    assert look(free, "me/conversations", "EAAwrong", user_id=PERSON).error == (190, None)
    free.call(token=INSTAGRAM_TOKEN, recipient={"id": PERSON}, message={"text": "i"})
    shown = look(free, "me/conversations", INSTAGRAM_TOKEN, platform="instagram", fields=f"messages{{{DETAILS}}}")
    assert shown.json["data"][0]["messages"]["data"][0]["from"] == {"id": INSTAGRAM}


def test_what_is_sent_without_knowing_the_person_is_in_no_thread(free: Client) -> None:
    for recipient in ({"user_ref": "r"}, {"phone_number": "+1"}):
        send(free, "a", recipient)
    assert look(free, "me/conversations").json == {"data": []}
    sent = send(free, "a", {"comment_id": "1_2"})
    person = free.entry(recipient="1_2")["parameters"]
    assert person["message"] == {"text": "a"}
    assert look(free, sent, fields="message").json == {"id": sent, "message": "a"}


@pytest.mark.parametrize(
    ("path", "query", "error"),
    [
        ("me/conversations", {"platform": "telegram"}, (100, None)),
        ("me/conversations", {"fields": "messages{"}, (2500, None)),
        ("me/conversations", {"fields": "nonsense"}, (100, None)),
        ("me/conversations", {"limit": "none"}, (100, None)),
        ("me/conversations", {"after": "\u00e9"}, (100, None)),
        ("t_1", {}, (100, 33)),
        ("m_1", {}, (100, 33)),
        ("me/messages", {}, (100, 33)),
    ],
)
def test_what_cannot_be_read_is_refused(
    free: Client, path: str, query: dict[str, str], error: tuple[int, int | None]
) -> None:
    assert look(free, path, **query).error == error


def test_a_look_is_in_the_ledger_and_meets_only_faults_meant_for_looks(free: Client) -> None:
    sent = send(free, "a")
    free.order(fault={"kind": "error", "code": 2})
    assert look(free, sent).status == 200
    free.order(match={"step": "read"}, fault={"kind": "error", "code": 1}, times=1)
    assert look(free, "me/conversations", user_id=PERSON).error == (1, None)
    assert look(free, "me/conversations", user_id=PERSON).status == 200
    looks = free.entries(3, step="read")
    assert [entry["edge"] for entry in looks] == ["message", "conversations", "conversations"]
    assert {entry["conversation"] for entry in looks} == {f"{PAGE}/id:{PERSON}"}
    assert not any(entry["delivered"] for entry in looks)
    assert len(free.entries(2, edge="conversations")) == 2


def test_a_message_in_a_page_that_is_not_there_is_refused_by_control(client: Client) -> None:
    body = '{"page": "9", "recipient": "7001", "from": "person", "text": "x"}'
    assert client.ask("POST", "/sandbox/messages", body).status == 404
    bad = client.ask("POST", "/sandbox/messages", '{"page": "1001", "recipient": "x", "from": "cat", "text": ""}')
    assert bad.status == 422
    assert {problem["field"] for problem in bad.json["problems"]} == {"recipient", "from", "text"}
