"""A look: what is asked, and what each answer comes to."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from pydantic import SecretStr

from envoi.log.credentials import Credentials
from envoi.settings import Settings
from worker.call_errors import NoAnswerError
from worker.evidence import Shown, Thread
from worker.looks import Blind, Busy, Dead, Looks, Missed, Seen
from worker.thread import thread_of
from worker.token_doubt import TokenDoubts
from worker.tokens import NoTokenError, Tokens, TokensUnavailableError
from worker.transport import GraphAdapter, GraphRequest

JOB = {"page": "1", "platform": "instagram", "recipient": {"id": "7"}, "message": {"text": "hello"}}
ROW = {
    "id": "m_1",
    "created_time": "2022-07-12T19:11:07+0000",
    "from": {"id": "1"},
    "to": {"data": [{"id": "7"}]},
    "message": "hello",
}
AT = 1657653067.0
SEEN = Shown("m_1", AT, "1", "hello")


def body(*rows: object, **paging: object) -> bytes:
    return json.dumps({"data": [{"messages": {"data": rows, **({"paging": paging} if paging else {})}}]}).encode()


class Adapter(GraphAdapter):
    """Answers what the test says."""

    def __init__(self, answer: requests.Response | Exception) -> None:
        super().__init__(1)
        self.answer = answer
        self.asked: GraphRequest | None = None

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        assert isinstance(request, GraphRequest)
        self.asked = request
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class Purse(Tokens):
    """Has one token, or none."""

    def __init__(self, error: Exception | None = None) -> None:
        self._error = error

    def get(self, page: str, version: int) -> Credentials:
        assert (page, version) == ("1", 3)
        if self._error:
            raise self._error
        return Credentials(SecretStr("T"), 3)


def looks(adapter: Adapter, purse: Purse | None = None, **settings: Any) -> Looks:
    rules = Settings(**settings)
    return Looks(rules, purse or Purse(), adapter, TokenDoubts(rules))


def response(content: bytes, status: int = 200, headers: dict[str, str] | None = None) -> requests.Response:
    made = requests.Response()
    made.status_code = status
    made._content = content  # as the transport does it
    made.headers.update(headers or {})
    return made


def error(code: int, **fields: object) -> requests.Response:
    return response(json.dumps({"error": {"message": "no", "code": code, **fields}}).encode(), 400)


def test_the_thread_of_one_person_is_asked_for_with_the_token_in_the_header_and_the_proof_in_the_query() -> None:
    adapter = Adapter(response(body(ROW)))
    where, secret = "https://graph.example", SecretStr("S")
    looks(adapter, graph_url=where, graph_version="v25.0", app_secret=secret).look(JOB, 3, AT)
    assert adapter.asked is not None
    parts = urlsplit(str(adapter.asked.url))
    assert (adapter.asked.method, parts.path) == ("GET", "/v25.0/1/conversations")
    asked = {name: value for name, [value] in parse_qs(parts.query).items()}
    assert len(asked.pop("appsecret_proof")) == 64
    assert asked == {
        "platform": "instagram",
        "user_id": "7",
        "fields": "messages.limit(20){id,created_time,from,to,message,attachments}",
    }
    assert adapter.asked.headers["Authorization"] == "Bearer T"
    looks(adapter).look(JOB, 3, AT)
    assert "proof" not in str(adapter.asked.url)


@pytest.mark.parametrize(
    ("answer", "sight"),
    [
        (error(10), Blind),
        (error(3), Blind),
        (error(200), Blind),
        (error(299), Blind),
        (error(190), Dead),
        (error(190, error_subcode=463), Dead),
        (error(613), Busy),
        (error(4), Busy),
        (error(80006), Busy),
        (error(2), Missed),
        (error(100, error_subcode=33), Missed),
        (response(b"<html>", 502), Missed),
        (response(b"[]"), Missed),
        (NoAnswerError("cut"), Missed),
        (response(body(ROW)), Seen),
    ],
)
def test_each_answer_comes_to_its_own(answer: requests.Response | Exception, sight: type) -> None:
    assert isinstance(looks(Adapter(answer)).look(JOB, 3, AT).sight, sight)


@pytest.mark.parametrize(("problem", "sight"), [(NoTokenError("x"), Blind), (TokensUnavailableError("x"), Missed)])
def test_without_a_token_nothing_is_asked(problem: Exception, sight: type) -> None:
    adapter = Adapter(response(body(ROW)))
    assert isinstance(looks(adapter, Purse(problem)).look(JOB, 3, AT).sight, sight)
    assert adapter.asked is None


@pytest.mark.parametrize(("date", "ahead"), [("Tue, 12 Jul 2022 19:13:07 GMT", 120.0), ("soon", 0.0), ("", 0.0)])
def test_the_answers_date_says_how_far_graphs_clock_is_ahead(date: str, ahead: float) -> None:
    found = looks(Adapter(response(body(ROW), headers={"date": date}))).look(JOB, 3, AT).sight
    assert isinstance(found, Seen)
    assert found.thread.ahead == pytest.approx(ahead, abs=1.0)
    assert found.thread.messages == (SEEN,)


def test_usage_headers_keep_others_from_looking() -> None:
    used = json.dumps({"call_count": 99})
    answer = response(body(ROW), headers={"x-page-usage": used})
    assert looks(Adapter(answer), throttle_wait=60).look(JOB, 3, AT).hold == 60.0


def test_a_thread_is_whole_where_no_more_follows_and_not_all_places_are_taken() -> None:
    assert thread_of(body(ROW)) == ((SEEN,), True)
    assert thread_of(body(ROW, next="https://…")) == ((SEEN,), False)
    assert thread_of(body(*[ROW] * 20)) == ((SEEN,) * 20, False)
    assert thread_of(b'{"data": []}') == ((), True)


def test_what_is_attached_or_left_out_shows() -> None:
    attached = {**ROW, "attachments": {"data": [{"id": "a"}]}}
    bare = {"id": "m_1", "created_time": ROW["created_time"]}
    assert thread_of(body(attached)) == ((Shown("m_1", AT, "1", "hello", bare=False),), True)
    assert thread_of(body(bare)) == ((Shown("m_1", AT, None, None),), True)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b'{"data": null}',
        b'{"data": {}}',
        b'{"data": [{}]}',
        b'{"data": [{"messages": {}}]}',
        b'{"data": [{"messages": {"data": [null]}}]}',
        b'{"data": [1, 2]}',
        body({"id": "m"}),
        body({"id": 5, "created_time": ROW["created_time"]}),
        body({**ROW, "created_time": "yesterday"}),
        body({**ROW, "created_time": "2022-07-12T19:11:07"}),
        body({**ROW, "created_time": 5}),
        body({**ROW, "from": "x"}),
    ],
)
def test_an_answer_of_another_form_shows_nothing_rather_than_an_empty_thread(content: bytes) -> None:
    assert thread_of(content) is None


def test_a_thread_of_messages_is_what_is_weighed() -> None:
    found = looks(Adapter(response(body(ROW)))).look(JOB, 3, AT).sight
    assert found == Seen(Thread((SEEN,), whole=True))
