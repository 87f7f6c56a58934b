"""A scheduler shows itself in both of its forms, and the one that leads says so."""

from __future__ import annotations

import signal

from demo.ports import free_port
from envoi.queue.queue import Queue
from tests.integration.scheduler.hands import job
from tests.integration.scheduler.processes import ENVOI, Processes, lines
from tests.unit.metrics.scrape import ask, scrape, total
from tests.waiting import wait_until_equal


def answers(port: int, page: str) -> int:
    """The status; 0 while nobody listens."""
    try:
        return ask(port, page)[0]
    except ConnectionError:
        return 0


def shown_duties(port: int) -> set[str]:
    """Those that have run."""
    return {dict(labels)["duty"] for labels in scrape(port)["envoi_duty_last_run_timestamp_seconds"]}


def test_it_shows_its_health_its_duties_and_the_queue_until_it_stops(
    command: list[str], redis_url: str, queue: Queue, start: Processes
) -> None:
    queue.enqueue([job(in_seconds=3600)])  # before the first sample is taken: the next one comes seconds later
    port = free_port()
    child = start(command, redis_url, ENVOI_METRICS_PORT=str(port))
    child.wait_ready(lambda: answers(port, "/readyz") == 200, 60)
    wait_until_equal(lambda: total(scrape(port), "envoi_duty_leads", duty="log_writer"), 1)
    wait_until_equal(lambda: total(scrape(port), "envoi_events_logged_total", state="scheduled"), 1)
    wait_until_equal(lambda: total(scrape(port), "envoi_scheduled_jobs"), 1)
    duties = {"due", "gate", "room", "register", "keeper", "log_writer", "prune", "sample_queue", "sample_log"}
    wait_until_equal(lambda: duties - shown_duties(port), set(), "duties that have not run")
    child.process.send_signal(signal.SIGTERM)
    assert child.process.wait(30) == 0
    assert answers(port, "/healthz") == 0


def test_without_a_port_nothing_is_shown_and_nothing_sampled(redis_url: str, start: Processes) -> None:
    child = start(ENVOI, redis_url)
    child.wait_ready(lambda: any(line["action"] == "ready" for line in lines(child)), 60)
    assert not any(line["action"] == "metrics" for line in lines(child))
