"""A shut door: connections are refused, and no request is cut off."""

from __future__ import annotations

import http.client
import json

import pytest

from tests.integration.sandbox.client import MESSAGE, WAIT, Client, Response, json_headers
from tests.waiting import wait_until


def test_an_open_connection_gets_its_answer_and_closes_and_the_next_is_refused_for_a_while(client: Client) -> None:
    kept = http.client.HTTPConnection("127.0.0.1", client.port, timeout=WAIT)
    try:
        for _ in range(2):
            assert _call(kept).getheader("connection") != "close"
        client.control("POST", "refuse", {"seconds": 0.5})
        answer = _call(kept)
        assert (answer.status, answer.getheader("connection")) == (200, "close")
        with pytest.raises(ConnectionRefusedError):
            client.call()
    finally:
        kept.close()
    assert wait_until(lambda: _answer(client), "somebody lets it in").status == 200
    assert len(client.entries(step="message", delivered="true")) == 4
    assert client.ask("POST", "/sandbox/refuse", '{"seconds": -1}').status == 422


def _answer(client: Client) -> Response | None:
    try:
        return client.call()
    except ConnectionRefusedError:
        return None


def _call(kept: http.client.HTTPConnection) -> http.client.HTTPResponse:
    kept.request("POST", "/v25.0/me/messages", json.dumps(MESSAGE), json_headers())
    answer = kept.getresponse()
    answer.read()
    return answer
