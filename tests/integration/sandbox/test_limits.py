"""Limits of calls: rates, quotas, and headers that ramp up to them (SEND_API 5)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.integration.sandbox.client import INSTAGRAM, INSTAGRAM_TOKEN, PAGE, TOKEN, Client, Response, json_headers

HOUR, DAY = 3600, 86_400
PICTURE = {"attachment": {"type": "image", "payload": {"url": "https://example.com/x"}}}


def limit(client: Client, **limits: int) -> None:
    client.control("PUT", "limits", limits)


def send(client: Client, person: str = "7001", token: str = TOKEN, **parameters: Any) -> Response:
    return client.call(token=token, recipient={"id": person}, **(parameters or {"message": {"text": "a"}}))


def outcome(answer: Response) -> int:
    return 0 if "error" not in answer.json else int(answer.json["error"]["code"])


def usage(answer: Response, page: str = PAGE) -> tuple[int, int, int]:
    app = json.loads(answer.headers["x-app-usage"])
    own: dict[str, Any] = json.loads(answer.headers["x-business-use-case-usage"])[page][0]
    return app["call_count"], own["call_count"], own["estimated_time_to_regain_access"]


@pytest.mark.parametrize(
    ("limits", "parameters"),
    [
        ({"calls_per_second": 2}, {"message": {"text": "a"}}),
        ({"calls_per_second": 2}, {"sender_action": "typing_on"}),
        ({"media_per_second": 2}, {"message": PICTURE}),
        ({"media_per_second": 2}, {"message": {"attachments": [PICTURE["attachment"]] * 3}}),
        ({"brake_per_second": 2}, {"message": {"text": "a"}}),
    ],
)
def test_a_page_may_do_so_much_in_a_second(client: Client, limits: dict[str, Any], parameters: dict[str, Any]) -> None:
    limit(client, **limits)
    assert [outcome(send(client, **parameters)) for _ in range(3)] == [0, 0, 613]
    assert outcome(send(client, token=INSTAGRAM_TOKEN, **parameters)) == 0
    assert [entry["delivered"] for entry in client.entries(3, page=PAGE)] == [True, True, False]
    client.control("POST", "clock/advance", {"seconds": 1})
    assert outcome(send(client, **parameters)) == 0


@pytest.mark.parametrize("limits", [{"media_per_second": 1}, {"brake_per_second": 1}])
def test_some_limits_are_of_some_calls_alone(client: Client, limits: dict[str, Any]) -> None:
    limit(client, **limits)
    answers = [send(client, sender_action="typing_on") for _ in range(3)]
    assert [outcome(answer) for answer in answers] == [0, 0, 0]


def test_a_page_over_the_brake_can_read_one_thread_but_not_list_all(client: Client) -> None:
    limit(client, brake_per_second=1)
    client.control("PUT", "switches", {"conversations_per_second": None})
    for _ in range(3):
        send(client)

    def look(query: str) -> int:
        return outcome(client.ask("GET", f"/me/conversations{query}", headers=json_headers()))

    assert (look(""), look("?user_id=7001")) == (613, 0)
    client.control("POST", "clock/advance", {"seconds": 1})
    assert look("") == 0


def test_calls_while_limited_lengthen_the_block(client: Client) -> None:
    limit(client, thread_per_minute=1)
    assert [outcome(send(client)) for _ in range(2)] == [0, 613]
    client.control("POST", "clock/advance", {"seconds": 45})
    assert outcome(send(client)) == 613
    client.control("POST", "clock/advance", {"seconds": 30})
    assert outcome(send(client)) == 613
    client.control("POST", "clock/advance", {"seconds": 61})
    assert outcome(send(client)) == 0


def test_a_thread_can_have_a_limit_of_its_own(client: Client) -> None:
    limit(client, thread_per_minute=1)
    assert [outcome(send(client, person)) for person in ("7001", "7001", "7002")] == [0, 613, 0]


def test_the_apps_usage_ramps_up_to_its_quota(client: Client) -> None:
    limit(client, app_calls_per_hour=4)
    answers = [send(client, sender_action="typing_on") for _ in range(5)]
    assert [usage(answer)[0] for answer in answers] == [25, 50, 75, 100, 125]
    assert [outcome(answer) for answer in answers] == [0, 0, 0, 0, 4]
    assert answers[4].status == 403
    assert outcome(send(client, token=INSTAGRAM_TOKEN)) == 4
    client.control("POST", "clock/advance", {"seconds": HOUR})
    assert outcome(send(client)) == 0


@pytest.mark.parametrize(
    ("page", "token", "code"), [(PAGE, TOKEN, 80006), (INSTAGRAM, INSTAGRAM_TOKEN, 80002)], ids=["page", "ig"]
)
def test_a_pages_usage_ramps_up_to_its_quota_and_tells_when_it_may_call_again(
    client: Client, page: str, token: str, code: int
) -> None:
    limit(client, page_calls_per_day=2)
    answers = [send(client, token=token) for _ in range(3)]
    assert [usage(answer, page)[1:] for answer in answers] == [(50, 0), (100, 1440), (150, 1440)]
    assert [outcome(answer) for answer in answers] == [0, 0, code]
    client.control("POST", "clock/advance", {"seconds": DAY - 600})
    assert usage(send(client, token=token), page)[2] == 10
    client.control("POST", "clock/advance", {"seconds": DAY})
    assert outcome(send(client, token=token)) == 0


def test_what_a_test_sets_in_the_headers_stays_where_it_is_more(client: Client) -> None:
    client.control("PUT", "usage", {"app": {"call_count": 60}, "pages": {PAGE: {"call_count": 90}}})
    limit(client, app_calls_per_hour=2, page_calls_per_day=4)
    assert [usage(send(client))[:2] for _ in range(2)] == [(60, 90), (100, 90)]


def test_a_limit_of_nothing_is_refused(client: Client) -> None:
    answer = client.ask("PUT", "/sandbox/limits", '{"calls_per_second": 0}')
    assert (answer.status, answer.json["problems"][0]["field"]) == (422, "calls_per_second")
