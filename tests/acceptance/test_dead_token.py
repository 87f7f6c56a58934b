"""A page's token dies in the middle of the work: its jobs wait for the next token, and none is given up."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text

from demo.stack import Stack
from envoi import State
from envoi.log.queries import count_by_state
from tests.acceptance.conftest import MakeStack
from tests.acceptance.ledger import control
from tests.acceptance.outcomes import wait_for, wait_until_settled
from tests.acceptance.runs import assert_clean, enqueue, judge
from tests.waiting import wait_until

JOBS = 1000
PEOPLE = 100
WORKERS = 3
CONCURRENCY = 16
REFUSED = "SELECT count(*) FROM calls WHERE step = 'message' AND verdict = 'Refused'"
STARTED_AFTER = "SELECT count(*) FROM calls WHERE step <> 'typing_off' AND started_at > :since"


def listed(stack: Stack) -> dict[str, Any]:
    """The one page, as an operator sees it."""
    (page,) = json.loads(stack.run("pages", "list", "--json"))["pages"]
    return dict(page)


def pauses_told(stack: Stack) -> int:
    """How many log lines of all workers say that a page was paused."""
    workers = [stack.child("worker", index) for index in range(WORKERS)]
    return sum(child.log.read_text().count("page_paused") for child in workers)


def wait_until_all_wait(stack: Stack, engine: Engine, timeout: float) -> int:
    """Wait until a pause is told and the log stands still with no job on its way. Returns how many are sent."""

    def counts() -> dict[State, int] | None:
        before = count_by_state(engine)
        time.sleep(0.5)
        stands = count_by_state(engine) == before and set(before) <= {State.SENT, State.QUEUED}
        return before if pauses_told(stack) and stands else None

    return wait_until(counts, "no job is on its way", timeout)[State.SENT]


def wait_for_alert(path: Path) -> dict[str, Any]:
    """What an operator was told."""
    wait_until(lambda: path.exists() and path.read_text().endswith("\n"), "an operator is told")
    return dict(json.loads(path.read_text()))


def test_a_dead_token_costs_the_calls_in_flight_and_the_next_token_sends_the_rest_once_and_in_order(
    make_stack: MakeStack, opened_log: Callable[[Stack], Engine], tmp_path: Path
) -> None:
    alerts = tmp_path / "alerts"
    settings = {
        "ENVOI_PAGE_PACE": "300",
        "ENVOI_PAGE_CALLS": "10000",
        "ENVOI_CONCURRENCY": str(CONCURRENCY),
        "ENVOI_ALERT_COMMAND": f"sh -c 'cat >>{alerts}; echo >>{alerts}'",
    }
    stack = make_stack(latency=0.03, settings=settings)
    stack.start(workers=WORKERS)
    engine = opened_log(stack)
    sent = enqueue(stack, JOBS, people=PEOPLE)
    wait_for(200, State.SENT, engine, timeout=60)

    control(stack.sandbox_url, "POST", f"pages/{stack.page}/kill-tokens", {})
    already_sent = wait_until_all_wait(stack, engine, timeout=20)
    page = listed(stack)
    assert page["state"] == "paused"
    assert page["pause_reason"].startswith("190/460")
    assert already_sent < JOBS
    assert 0 < page["waiting"] <= PEOPLE, "conversations wait for the page"
    since = datetime.fromisoformat(page["paused_since"])
    with engine.connect() as connection:
        late = connection.execute(text(STARTED_AFTER), {"since": since + timedelta(seconds=1)}).scalar_one()
    assert late == 0, "calls went on a second after the page was paused"
    assert pauses_told(stack) == 1
    assert wait_for_alert(alerts)["page"] == stack.page

    token = "sandbox-the-next-token"
    control(stack.sandbox_url, "POST", "pages", {"id": stack.page, "token": token})
    stack.run("pages", "rotate", stack.page, stdin=token)
    assert wait_until_settled(stack, engine, JOBS, timeout=60) == {State.SENT: JOBS}

    assert_clean(judge(stack, engine, sent))
    assert listed(stack)["state"] == "sends"
    assert pauses_told(stack) == 1
    assert len(alerts.read_text().splitlines()) == 1, "an operator is told once"
    with engine.connect() as connection:
        refused = connection.execute(text(REFUSED)).scalar_one()
    assert 0 < refused <= WORKERS * CONCURRENCY
