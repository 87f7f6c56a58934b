"""One run: jobs go through a scene while a fault, or several at random, does its work; then the checker is asked."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from random import Random

from tests.acceptance.ledger import control
from tests.faults.checker import Findings
from tests.faults.faults import FAULTS, Fault
from tests.faults.scene import Producer, Scene, dice
from tests.faults.workers import Stuck

PER_PERSON = 5  # jobs to one person in a run
ROUND = 5_000  # jobs that one ledger holds at most: a longer run is made of rounds
_POLL = 0.05
_SETTLE_SECONDS = 90.0  # that the last job may take, over what the machine needs for all of them
_JOBS_A_SECOND = 60.0  # that the slowest machine gets through


@dataclass(slots=True)
class Figures:
    """What a run came to.

    Attributes:
        name: of the fault.
        recovery: the longest that a job which had begun stayed without its outcome, seconds; None: no clock says.
        seconds: that it took, all in all.
        refused: batches that a producer had to hand over again.
        allowed: jobs that may have been left unknown.
        drawn: the faults of a mixed run, in order.
    """

    name: str
    found: Findings = field(default_factory=Findings)
    recovery: float | None = 0.0
    seconds: float = 0.0
    refused: int = 0
    allowed: int = 0
    drawn: list[str] = field(default_factory=list)

    def add(self, other: Figures) -> None:
        """Count another round in."""
        self.found.add(other.found)
        self.recovery = (
            None if None in (self.recovery, other.recovery) else max(self.recovery or 0, other.recovery or 0)
        )
        self.seconds += other.seconds
        self.refused += other.refused
        self.allowed += other.allowed
        self.drawn += other.drawn


def run_alone(scene: Scene, fault: Fault, jobs: int, seed: int, *, long: bool = False) -> Figures:
    """One fault alone, in rounds."""
    total = Figures(fault.name)
    for number, size in enumerate(_rounds(jobs)):
        chance = dice(seed, f"{fault.name} {number}")
        lasts = (fault.long_seconds if long else None) or fault.seconds
        total.add(_round(scene, fault.name, size, chance, [(fault, lasts)] * fault.turns))
    return total


def run_mixed(scene: Scene, jobs: int, seed: int, *, turns: int = 6) -> Figures:
    """Faults drawn at random, some of them while another still lasts."""
    total = Figures("mixed at random")
    possible = [fault for fault in FAULTS if fault.needs in ("none", scene.evidence) and fault.when == "amid"]
    rules = [fault for fault in FAULTS if fault.needs in ("none", scene.evidence) and fault.name in _MIXED_RULES]
    for number, size in enumerate(_rounds(jobs)):
        chance = dice(seed, f"mixed {number}")
        drawn = [chance.choice(rules), *(chance.choice(possible) for _ in range(turns))]
        planned = [(fault, min(fault.seconds, 4.0)) for fault in drawn]
        total.drawn += [fault.name for fault in drawn]
        total.add(_round(scene, total.name, size, chance, planned))
    return total


_MIXED_RULES = ("reset before delivery", "502 after delivery", "code 2, not delivered", "reset after delivery")


def _rounds(jobs: int) -> list[int]:
    full, rest = divmod(jobs, ROUND)
    return [ROUND] * full + ([rest] if rest else [])


def _round(scene: Scene, name: str, jobs: int, chance: Random, planned: Sequence[tuple[Fault, float]]) -> Figures:
    began = time.monotonic()
    scene.clear()
    scene.mend()
    lasting = sum(seconds for _, seconds in planned)
    producer = scene.producer(jobs, -(-jobs // PER_PERSON), max(2.0, lasting), f"{name} {time.time_ns()}")
    with ExitStack() as before:
        for fault in {fault.name: fault for fault, _ in planned if fault.when == "before"}.values():
            before.enter_context(fault.does(scene, chance))
        producer.start()
        _wait_for_work(scene, jobs // 20, producer)
        for fault, seconds in planned:
            if fault.when == "amid":
                with fault.does(scene, chance):
                    time.sleep(seconds)
        sent = producer.finish(lasting + 60.0 + jobs / _JOBS_A_SECOND)
    scene.mend()
    first = min(job.job_id for job in sent)
    scene.wait_settled(first, len(sent), _SETTLE_SECONDS + jobs / _JOBS_A_SECOND)
    scene.wait_quiet(_SETTLE_SECONDS)
    return Figures(
        name,
        found=scene.findings(sent, first),
        recovery=scene.recovery(first) if all(fault.timed for fault, _ in planned) else None,
        seconds=time.monotonic() - began,
        refused=producer.refused,
        allowed=sum(fault.caught for fault, _ in planned) if scene.evidence == "none" else 0,
    )


def _wait_for_work(scene: Scene, messages: int, producer: Producer) -> None:
    """Wait until so many messages were delivered: the work is under way."""
    deadline = time.monotonic() + 30
    while True:
        delivered = control(scene.stack.sandbox_url, "GET", "summary")["delivered_by_step"].get("message", 0)
        if delivered >= messages:
            return
        if time.monotonic() > deadline or producer.trouble:
            raise Stuck(f"{delivered} messages in 30 s: {producer.trouble}")
        time.sleep(_POLL)
