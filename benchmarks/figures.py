"""The figures of a peer: medians over its rounds, sums of what went wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from benchmarks.check import Faults
from benchmarks.run import Measurement

PARTS = ("worker", "scheduler", "redis", "sql", "stub")


@dataclass(frozen=True, slots=True)
class Figures:
    """What the rounds of one peer at one latency showed.

    Attributes:
        jobs: messages measured in each round.
        rounds: how many.
        cpu_ms: milliseconds of CPU a job by part; a part that the peer does not have is missing.
        jobs_per_second: from the first enqueued to the last row committed.
        p50: seconds from enqueueing to accepted, the median of each round's median; None if nothing was accepted.
        p99: the same of each round's 99th percentile.
        worker_mb: memory of the worker and its children, 10^6 bytes.
        missing: jobs without their rows, in all rounds.
        faults: what went wrong, in all rounds.
        stub_load: the share of a core that the stub took, in the round where it took most: near 1 it was the limit.
    """

    jobs: int
    rounds: int
    cpu_ms: dict[str, float]
    jobs_per_second: float
    p50: float | None
    p99: float | None
    worker_mb: float
    missing: int
    faults: Faults
    stub_load: float

    def as_json(self) -> dict[str, Any]:
        """Ready for ``json.dumps``."""
        return {
            "jobs": self.jobs,
            "rounds": self.rounds,
            "cpu_ms_per_job": self.cpu_ms,
            "jobs_per_second": self.jobs_per_second,
            "send_to_accepted_p50_seconds": self.p50,
            "send_to_accepted_p99_seconds": self.p99,
            "worker_megabytes": self.worker_mb,
            "missing_rows": self.missing,
            "lost": self.faults.lost,
            "doubled": self.faults.doubled,
            "reordered": self.faults.reordered,
            "interleaved": self.faults.interleaved,
            "foreign": self.faults.foreign,
            "stub_load": self.stub_load,
        }


def figures(rounds: Sequence[Measurement]) -> Figures:
    """Sum up the rounds of one peer at one latency; there is at least one."""
    parts = [part for part in PARTS if part in rounds[0].cpu]
    waited = [one.waits for one in rounds if one.waits]
    return Figures(
        jobs=rounds[0].jobs,
        rounds=len(rounds),
        cpu_ms={part: median(one.cpu[part] / one.jobs * 1000 for one in rounds) for part in parts},
        jobs_per_second=median((one.jobs - one.missing) / one.seconds for one in rounds),
        p50=median(percentile(waits, 0.50) for waits in waited) if waited else None,
        p99=median(percentile(waits, 0.99) for waits in waited) if waited else None,
        worker_mb=median(one.worker_bytes for one in rounds) / 1e6,
        missing=sum(one.missing for one in rounds),
        faults=sum((one.faults for one in rounds), Faults()),
        stub_load=max(one.cpu["stub"] / one.seconds for one in rounds),
    )


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest of the sorted ``values`` that at least ``share`` of them do not exceed (nearest rank)."""
    rank = -(-len(values) * share // 1)  # rounded up
    return values[max(int(rank), 1) - 1]
