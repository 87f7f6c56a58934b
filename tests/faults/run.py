"""One run: jobs go through a scene while a fault, or several at random, does its work; then the checker is asked."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from random import Random

from tests.faults.checker import Findings
from tests.faults.faults import FAULTS, Fault
from tests.faults.scene import Scene, dice

PER_PERSON = 5  # jobs to one person in a run
ROUND = 5_000  # jobs that one ledger holds at most: a longer run is made of rounds
_MOST = 0.8  # of all jobs: delivered under a fault that is in force throughout
_SETTLE_SECONDS = 90.0  # that the last job may take, over what the machine needs for all of them
_CORRECT_SECONDS = 20.0  # that a fact may come after its job's end
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
    possible = [
        replace(fault, when="amid") for fault in FAULTS if fault.when == "amid" or fault.name.startswith("worker-")
    ]
    rules = [fault for fault in FAULTS if fault.needs in ("none", scene.evidence) and fault.name in _MIXED_RULES]
    for number, size in enumerate(_rounds(jobs)):
        chance = dice(seed, f"mixed {number}")
        drawn = [chance.choice(rules), *(chance.choice(possible) for _ in range(turns))]
        planned = [(fault, min(fault.seconds, 4.0)) for fault in drawn]
        total.drawn += [fault.name for fault in drawn]
        scene.mixed = True
        try:
            total.add(_round(scene, total.name, size, chance, planned))
        finally:
            scene.mixed = False
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
    takes = 0.0 if any(fault.at_once for fault, _ in planned) else max(2.0, lasting)
    producer = scene.producer(jobs, -(-jobs // PER_PERSON), takes, f"{name} {time.time_ns()}")
    with ExitStack() as before:
        for fault in {fault.name: fault for fault, _ in planned if fault.when != "amid"}.values():
            before.enter_context(fault.does(scene, chance))
        producer.start()
        if any(fault.when == "amid" for fault, _ in planned):
            scene.wait_for_work(jobs // 20, lambda: producer.trouble)
        for fault, seconds in planned:
            if fault.when == "amid":
                with fault.does(scene, chance):
                    time.sleep(seconds)
        sent = producer.finish(lasting + 60.0 + jobs / _JOBS_A_SECOND)
        if any(fault.when == "throughout" for fault, _ in planned):
            scene.wait_for_work(round(_MOST * jobs), lambda: producer.trouble, 60.0 + jobs / _JOBS_A_SECOND)
    scene.mend()
    first = min(job.job_id for job in sent)
    scene.wait_settled(first, len(sent), _SETTLE_SECONDS + jobs / _JOBS_A_SECOND)
    scene.wait_quiet(_SETTLE_SECONDS)
    allowed = sum(fault.caught for fault, _ in planned) if scene.evidence == "none" else 0
    scene.wait_corrected(first, allowed, _CORRECT_SECONDS)
    return Figures(
        name,
        found=scene.findings(sent, first),
        recovery=scene.recovery(first) if all(fault.timed for fault, _ in planned) else None,
        seconds=time.monotonic() - began,
        refused=producer.refused,
        allowed=allowed,
    )
