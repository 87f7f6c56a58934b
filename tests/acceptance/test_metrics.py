"""Real workers and schedulers, scraped: their counters equal the sandbox's ledger, their health goes by progress."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text

from demo.ports import free_port
from demo.stack import Stack
from envoi import Envoi, Job, State
from envoi.metrics.families import ALL
from envoi.outbox.table import metadata
from tests.acceptance.conftest import MakeStack
from tests.acceptance.ledger import entries, lift_look_limit, order_fault
from tests.acceptance.outcomes import wait_until_settled
from tests.unit.metrics.scrape import Labels, ask, samples, scrape, total
from tests.waiting import wait_until_equal

PEOPLE = 7_000_000_000_000_001
QUICK = {
    "ENVOI_PAGE_PACE": "500",
    "ENVOI_PAGE_CALLS": "10000",
    "ENVOI_BACKOFF_FIRST": "0.2",
    "ENVOI_BACKOFF_CAP": "1",
    "ENVOI_ANSWERED_WAIT": "0.2",
    "ENVOI_THROTTLE_WAIT": "0.3",
    "ENVOI_LOOKS_PACE": "50",
    "ENVOI_MAX_ATTEMPTS": "30",
}


class Shown:
    """A stack whose scheduler and workers each have a port."""

    def __init__(self, stack: Stack, workers: int) -> None:
        self.stack = stack
        self.scheduler, *self.workers = (free_port() for _ in range(workers + 1))
        self._at(self.scheduler)
        stack.start(workers=0)
        for port in self.workers:
            self._at(port)
            stack.start_worker()

    @property
    def ports(self) -> list[int]:
        """Of all."""
        return [self.scheduler, *self.workers]

    def statuses(self, page: str) -> list[int]:
        """What each answers."""
        return [ask(port, page)[0] for port in self.ports]

    def of_workers(self) -> dict[str, dict[Labels, float]]:
        """The sum over workers of all that they count."""
        found: dict[str, dict[Labels, float]] = {}
        for port in self.workers:
            for name, rows in scrape(port).items():
                sums = found.setdefault(name, {})
                for labels, value in rows.items():
                    sums[labels] = sums.get(labels, 0) + value
        return found

    def _at(self, port: int) -> None:
        self.stack.environment["ENVOI_METRICS_PORT"] = str(port)


def names(port: int) -> set[str]:
    """Of families that have a sample."""
    shown = {name.removesuffix("_bucket").removesuffix("_sum").removesuffix("_count") for name in scrape(port)}
    return {name for name in shown if name.startswith("envoi_")}


def test_counters_equal_the_ledger_and_every_metric_there_is_is_shown(
    make_stack: MakeStack, opened_log: Callable[[Stack], Engine], tmp_path: Path
) -> None:
    outbox = f"sqlite:///{tmp_path / 'app.sqlite3'}"
    app = create_engine(outbox)
    metadata.create_all(app)
    app.dispose()
    stack = make_stack(latency=0.01, settings=QUICK | {"ENVOI_OUTBOX_DATABASE_URL": outbox})
    shown = Shown(stack, workers=2)
    lift_look_limit(stack.sandbox_url)
    order_fault(stack.sandbox_url, {"kind": "error", "code": 2, "status": 500}, probability=0.1)
    order_fault(stack.sandbox_url, {"kind": "error", "code": 100, "subcode": 2018001}, probability=0.05)
    order_fault(stack.sandbox_url, {"kind": "error", "code": 613}, every=90)
    engine = opened_log(stack)
    client = Envoi(stack.redis_url)
    ids = client.send_many(
        Job(page=stack.page, recipient=str(PEOPLE + number % 80), message=f"swordfish {number}", lane=lane)
        for lane in ("replies", "bulk")
        for number in range(200)
    )
    outcomes = wait_until_settled(stack, engine, len(ids), timeout=120)

    wait_until_equal(lambda: total(shown.of_workers(), "envoi_attempts_in_flight"), 0)
    found = shown.of_workers()
    calls = entries(stack.sandbox_url, edge="messages")
    assert len(calls) > 3 * outcomes[State.SENT]
    for step, number in Counter(entry["step"] for entry in calls).items():
        assert total(found, "envoi_calls_total", step=step) == number, step
        assert total(found, "envoi_call_seconds_count", step=step) == number
    with engine.connect() as connection:
        logged = connection.execute(
            text("SELECT verdict, error_code, count(*) FROM calls WHERE step = 'message' GROUP BY verdict, error_code")
        ).all()
    for verdict, code, number in logged:
        label = {None: "", 100: "100/2018001"}.get(code, str(code))
        assert total(found, "envoi_calls_total", step="message", verdict=verdict, code=label) == number
    assert total(found, "envoi_calls_total", page=stack.page) == len(calls)
    assert total(found, "envoi_accepted_seconds_count") == outcomes[State.SENT]
    assert total(found, "envoi_attempts_total", came_to="sent") == outcomes[State.SENT]
    assert total(found, "envoi_attempts_total", came_to="failed") == outcomes[State.FAILED] > 0

    stack.run("pages", "pause", stack.page, "--reason", "swordfish is sold out")
    client.send(stack.page, str(PEOPLE), "swordfish again")
    wait_until_equal(lambda: total(scrape(shown.scheduler), "envoi_page_waiting_conversations", page=stack.page), 1)
    told = scrape(shown.scheduler)
    assert total(told, "envoi_paused_pages", reason="operator") == 1
    assert total(told, "envoi_waiting_conversations", lane="replies", page_state="paused") == 1
    assert told["envoi_workers"] == {(): 2}
    assert told["envoi_schedulers"] == told["envoi_gate_open"] == told["envoi_ready"] == {(): 1}
    for state, number in outcomes.items():
        assert total(told, "envoi_events_logged_total", state=state.value) == number
    assert names(shown.scheduler) == {family.name for family in ALL if family.of in {"scheduler", "both"}}
    for port in shown.workers:
        assert names(port) == {family.name for family in ALL if family.of in {"worker", "both"}}

    everything = "\n".join(ask(port, "/metrics")[2] for port in shown.ports)
    secrets = [stack._token, stack.environment["ENVOI_SECRET_KEYS"], "swordfish", str(PEOPLE)[:-3], *ids[:50]]
    assert [secret for secret in secrets if secret in everything] == []


def test_while_redis_stands_still_nobody_is_ready_and_all_are_healthy_and_can_be_scraped(make_stack: MakeStack) -> None:
    stack = make_stack(settings=QUICK)
    shown = Shown(stack, workers=1)
    assert stack.redis
    wait_until_equal(lambda: shown.statuses("/readyz"), [200, 200])
    stack.redis.child.pause()
    try:
        wait_until_equal(lambda: shown.statuses("/readyz"), [503, 503])
        assert shown.statuses("/healthz") == [200, 200]
        for port in shown.ports:
            found = samples(ask(port, "/metrics")[2])
            assert found["envoi_ready"] == {(): 0}
            assert found["envoi_healthy"] == {(): 1}
    finally:
        stack.redis.child.cont()
    wait_until_equal(lambda: shown.statuses("/readyz"), [200, 200])
    stack.check()


@pytest.mark.parametrize("name", ["worker", "scheduler"])
def test_one_that_waits_for_redis_is_healthy_and_not_ready(make_stack: MakeStack, name: str) -> None:
    stack = make_stack(settings=QUICK)
    port = free_port()
    stack.environment["ENVOI_METRICS_PORT"] = str(port)
    stack.run("migrate")
    child = stack._start(name, "envoi", name)
    child.wait_ready(lambda: _answers(port) == (200, 503), 60)
    assert stack.redis
    stack.redis.start()
    if name == "worker":
        del stack.environment["ENVOI_METRICS_PORT"]
        stack.start_scheduler()
    child.wait_ready(lambda: _answers(port) == (200, 200), 60)


def _answers(port: int) -> tuple[int, int]:
    """What it says of its health and of being ready; 0 while nobody listens."""
    try:
        return ask(port, "/healthz")[0], ask(port, "/readyz")[0]
    except ConnectionError:
        return 0, 0
