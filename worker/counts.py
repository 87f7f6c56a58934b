"""What a worker process counts of its attempts, in the engine's thread: some microseconds a job."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from prometheus_client.core import Metric

from envoi.events import CallRecord
from envoi.ids import wanted_from
from envoi.metrics import families
from envoi.metrics.exposition import exposed, exposed_histogram
from envoi.metrics.families import OTHER
from envoi.metrics.labels import Labels
from envoi.metrics.tallies import Histogram
from worker.delivery import Delivery
from worker.verdicts import Accepted

CODES = 60  # of Graph's, with a label of their own
SERIES = 5000  # of calls: beyond that pages and codes are told apart no more
_CALL_BOUNDS = (0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0, 10.0, 30.0, 60.0, 90.0, 180.0)
_WAIT_BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 14_400.0, 86_400.0)


class Counts:
    """A watcher of the engine that counts.

    Args:
        pages: how many have a label of their own.
    """

    def __init__(self, pages: int) -> None:
        self._pages = Labels(pages)
        self._codes = Labels(CODES)
        self._calls: defaultdict[tuple[str, str, str, str], int] = defaultdict(int)
        self._attempts: defaultdict[tuple[str, str], int] = defaultdict(int)
        self._seconds = Histogram(_CALL_BOUNDS)
        self._accepted = Histogram(_WAIT_BOUNDS)

    def started(self, delivery: Delivery) -> None:
        """Nothing: what there is to count is known at the end."""

    def ended(self, delivery: Delivery, came_to: str, seconds: float) -> None:  # noqa: ARG002  # a watcher's signature
        """Count an attempt and its calls."""
        held = delivery.held
        page = self._pages.of(held.job["page"])
        for call in delivery.records:
            self._count(page, call)
            self._seconds.observe(call.step, call.duration_ms / 1e3)
        self._attempts[held.lane, came_to] += 1
        message = delivery.message
        if message and message.record and isinstance(message.verdict, Accepted):
            accepted_at = message.record.started_at + message.record.duration_ms / 1e3
            waited = accepted_at - wanted_from(held.job_id, held.job.get("at"))
            self._accepted.observe(held.lane, max(0.0, waited))  # below 0: the clocks of two hosts differ

    def collect(self) -> Iterator[Metric]:
        """All of it, for a scrape, in any thread."""
        yield exposed(families.CALLS, self._calls.copy())
        yield exposed_histogram(families.CALL_SECONDS, self._seconds)
        yield exposed_histogram(families.ACCEPTED_SECONDS, self._accepted)
        yield exposed(families.ATTEMPTS, self._attempts.copy())

    def _count(self, page: str, call: CallRecord) -> None:
        key = (page, call.step, call.verdict, self._code(call))
        if key not in self._calls and len(self._calls) >= SERIES:
            key = (OTHER, call.step, call.verdict, OTHER)
        self._calls[key] += 1

    def _code(self, call: CallRecord) -> str:
        if call.error_code is None:
            return ""
        subcode = "" if call.error_subcode is None else f"/{call.error_subcode}"
        return self._codes.of(f"{call.error_code}{subcode}")
