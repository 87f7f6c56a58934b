"""Pages of several apps and hosts, tokens that are refused, quotas that ramp up: a real sandbox answers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydantic import SecretStr

from demo.ports import free_port
from envoi.log.credentials import Credentials
from envoi.queue.page_commands import HoldPage, SlowPage
from envoi.settings import Settings
from tests.integration.sandbox.client import PAGE, TOKEN, Client
from tests.integration.worker.graph_host import JOB
from worker.graph import Graph, Outcome
from worker.looks import Busy, Dead
from worker.steps import Step
from worker.token_doubt import BLIP
from worker.tokens import Tokens
from worker.verdicts import Accepted, Refused, Throttled

OWN_APP = "1517776481860111"
BLIPS: dict[str, Any] = {"match": {"step": "message"}, "fault": {"kind": "error", "code": 190}}  # of tokens that live


class Store:
    """Keeps the credentials of some pages."""

    def __init__(self, kept: dict[str, Credentials]) -> None:
        self.kept = kept

    def credentials(self, page: str) -> Credentials:
        return self.kept[page]

    def all_credentials(self) -> dict[str, Credentials]:
        return self.kept


MakeGraph = Callable[..., Graph]


@pytest.fixture
def graph(sandbox: Client) -> Iterator[MakeGraph]:
    """Makes clients of the sandbox; they are closed at the end."""
    made: list[Graph] = []

    def make(kept: Credentials | None = None, **settings: Any) -> Graph:
        own = {"app_id": OWN_APP, "app_secret": "sesame", "graph_url": f"http://127.0.0.1:{sandbox.port}", **settings}
        made.append(Graph(Settings(**own), Tokens(Store({PAGE: kept or Credentials(SecretStr(TOKEN), 1)}))))
        return made[-1]

    yield make
    for one in made:
        one.close()


def send(made: Graph, version: int = 1) -> Outcome:
    return made.call(Step.MESSAGE, {**JOB, "page": PAGE}, version, lambda: True)


def debugged(sandbox: Client) -> int:
    return len(sandbox.control("GET", "ledger", edge="debug_token")["entries"])


def test_a_page_sends_to_its_own_host_with_the_proof_of_its_own_app(sandbox: Client, graph: MakeGraph) -> None:
    page = {"id": PAGE, "token": "EAAofApp", "app_id": 7, "app_secret": "sesame-7"}
    sandbox.control("POST", "pages", page)
    host = f"http://127.0.0.1:{sandbox.port}"
    elsewhere = f"http://127.0.0.1:{free_port()}"
    token = SecretStr("EAAofApp")
    own = graph(Credentials(token, 1, "7", SecretStr("sesame-7"), host), graph_url=elsewhere)
    assert isinstance(send(own).verdict, Accepted)
    wrong = graph(Credentials(token, 1))  # the secret of the default app
    found = send(wrong)
    assert isinstance(found.verdict, Refused)
    assert "appsecret_proof" in found.verdict.error.message


def test_a_token_that_lives_is_a_blip_and_holds_the_page_for_a_moment(sandbox: Client, graph: MakeGraph) -> None:
    made = graph()
    sandbox.order(**BLIPS)
    found = send(made)
    assert isinstance(found.verdict, Throttled)
    assert (found.verdict.scope, found.verdict.seconds) == ("page", BLIP)
    assert found.record
    assert (found.record.verdict, found.record.error_code) == ("Refused", 190), "the log has what Graph answered"
    assert debugged(sandbox) == 1


def test_a_dead_token_pauses_and_is_asked_about_once_by_all_calls_in_flight(sandbox: Client, graph: MakeGraph) -> None:
    made = graph()
    sandbox.control("POST", f"pages/{PAGE}/kill-tokens", {"subcode": 460})
    found: list[Outcome] = []
    threads = [threading.Thread(target=lambda: found.append(send(made))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert [type(one.verdict) for one in found] == [Refused] * 6
    assert debugged(sandbox) == 1


def test_a_token_that_is_refused_again_and_again_pauses_though_it_lives(
    sandbox: Client, graph: MakeGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = graph()
    now = [0.0]
    monkeypatch.setattr(made._doubts, "_clock", lambda: now[0])
    sandbox.order(**BLIPS)
    verdicts = []
    for _ in range(5):
        verdicts.append(type(send(made).verdict))
        assert type(send(made).verdict) is verdicts[-1], "within the hold nobody asks again"
        now[0] += BLIP + 1
    assert verdicts == [Throttled, Throttled, Throttled, Refused, Refused]
    assert debugged(sandbox) == 3


def test_a_look_that_is_refused_for_a_token_that_lives_waits_and_finds_no_dead_token(
    sandbox: Client, graph: MakeGraph
) -> None:
    made, job = graph(), {**JOB, "page": PAGE}
    rule = sandbox.order(match={"step": "read"}, fault={"kind": "error", "code": 190})
    sight = made.look(job, 1, time.time()).sight
    assert isinstance(sight, Busy)
    assert sight.seconds == BLIP
    sandbox.order(**BLIPS)
    assert isinstance(send(made).verdict, Throttled)
    assert debugged(sandbox) == 1, "one answer for looks and calls"
    sandbox.control("DELETE", f"rules/{rule}")
    sandbox.control("POST", f"pages/{PAGE}/kill-tokens", {"subcode": 460})
    assert isinstance(graph().look(job, 1, time.time()).sight, Dead)
    assert debugged(sandbox) == 2


@pytest.mark.parametrize("lacking", [{"app_id": None}, {"app_secret": ()}])
def test_without_an_apps_token_nobody_asks_and_the_page_pauses(
    sandbox: Client, graph: MakeGraph, lacking: dict[str, Any]
) -> None:
    sandbox.order(**BLIPS)
    assert isinstance(send(graph(**lacking)).verdict, Refused)
    assert debugged(sandbox) == 0


def test_where_debug_token_fails_the_page_pauses(sandbox: Client, graph: MakeGraph) -> None:
    sandbox.order(**BLIPS)
    wrong_app = graph(app_id="7")
    assert isinstance(send(wrong_app).verdict, Refused)
    assert debugged(sandbox) == 1


def test_as_a_quota_ramps_up_the_page_is_slowed_more_and_more_and_then_held(sandbox: Client, graph: MakeGraph) -> None:
    sandbox.control("PUT", "limits", {"page_calls_per_day": 40})
    made = graph()
    told = [send(made).restraints for _ in range(40)]
    assert set(told[:31]) == {()}, "up to 80 percent nobody is told anything"
    slowed = [restraint for one in told for restraint in one if isinstance(restraint, SlowPage)]
    assert 2 <= len(slowed) < 7, "only of what is noticeable"
    parts = [one.part for one in slowed]
    assert parts == sorted(parts, reverse=True)
    assert all(0.1 <= part < 1 for part in parts)
    assert {(one.page, one.scope) for one in slowed} == {(PAGE, "page")}
    held = [restraint for one in told[37:] for restraint in one]
    assert len(held) == 3
    assert all(isinstance(one, HoldPage) and one.scope == "page" for one in held)


def test_an_apps_quota_slows_its_pages_together(sandbox: Client, graph: MakeGraph) -> None:
    sandbox.control("PUT", "usage", {"app": {"call_count": 90}})
    made = graph()
    (slow,) = send(made).restraints
    assert isinstance(slow, SlowPage)
    assert (slow.page, slow.scope) == (PAGE, "app")
    assert slow.part == pytest.approx(0.4)
    assert send(made).restraints == (), "the queue knows"
    sandbox.control("PUT", "usage", {"app": {"call_count": 97}})
    assert send(made).restraints == (HoldPage(PAGE, 60.0, "app"),)
