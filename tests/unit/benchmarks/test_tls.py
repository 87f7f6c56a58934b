"""The stub with TLS: a client that trusts the run's authority, and only such a one, makes calls."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from benchmarks.ledger import count_messages, read_ledger
from benchmarks.servers import RunningStub, running_stub


@pytest.fixture(scope="module")
def stub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStub]:
    with running_stub(Path(tmp_path_factory.mktemp("stub")), 0.0, tls=True) as running:
        yield running


def test_calls_are_made_over_one_connection_and_are_in_the_ledger(stub: RunningStub) -> None:
    context = ssl.create_default_context(cafile=str(stub.ca_file))
    connection = http.client.HTTPSConnection(str(urlsplit(stub.graph_url).netloc), context=context, timeout=30)
    sockets = set()
    for number in range(3):
        body = json.dumps({"recipient": {"id": "p1"}, "message": {"text": f"{number} " + "x" * 40_000}})
        connection.request("POST", "/v25.0/7/messages?access_token=t", body)
        answer = json.loads(connection.getresponse().read())
        assert answer["recipient_id"] == "p1"
        assert answer["message_id"]
        sockets.add(connection.sock)
    connection.close()
    assert len(sockets) == 1
    assert count_messages(stub.url) == 3
    assert [(entry.text or "")[:2] for entry in read_ledger(stub.url)] == ["0 ", "1 ", "2 "]


def test_who_does_not_trust_the_authority_makes_no_call(stub: RunningStub) -> None:
    context = ssl.create_default_context()
    connection = http.client.HTTPSConnection(str(urlsplit(stub.graph_url).netloc), context=context, timeout=30)
    before = len(read_ledger(stub.url))
    with pytest.raises(ssl.SSLCertVerificationError):
        connection.request("POST", "/v25.0/7/messages?access_token=t", "{}")
    assert len(read_ledger(stub.url)) == before
