"""What a tree of processes has cost, from /proc; and who runs on which core."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from benchmarks.worker_share import WorkerShare

_TICK = 1.0 / os.sysconf("SC_CLK_TCK")


def cpu_seconds(roots: list[int]) -> float:
    """CPU time, user and system, that the processes and all their descendants have used.

    Descendants that have ended count too, as far as a parent has waited for them; the kernel counts in steps of 10 ms a
    process, so measure over seconds.

    Args:
        roots: process ids.
    """
    total = 0.0
    for pid in _trees(roots):
        fields = _stat(pid)
        if fields is not None:
            total += sum(int(field) for field in fields[11:15]) * _TICK  # utime, stime, cutime, cstime (proc(5))
    return total


def memory_bytes(roots: list[int]) -> int:
    """Memory of the processes and their descendants; what several share is counted once (PSS)."""
    total = 0
    for pid in _trees(roots):
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:  # it has ended meanwhile, and has no memory
            continue
        total += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
    return total


class Cores:
    """Two sets of cores: one core for workers, all others for everything else.

    On a machine with one core nothing is pinned.

    Args:
        share: the part of their core that workers get; None: all of it.
    """

    def __init__(self, share: WorkerShare | None = None) -> None:
        self._share = share
        self._all = os.sched_getaffinity(0)
        first = min(self._all)
        self.workers = {first}
        self.others = self._all - {first} or self._all

    @contextmanager
    def for_others(self) -> Iterator[None]:
        """We, and what we start, run on the cores for everything else."""
        os.sched_setaffinity(0, self.others)
        try:
            yield
        finally:
            os.sched_setaffinity(0, self._all)

    @contextmanager
    def for_workers(self) -> Iterator[None]:
        """What we start now runs on the workers' core from its first instruction on."""
        before = os.sched_getaffinity(0)
        os.sched_setaffinity(0, self.workers)
        try:
            with self._share.entered() if self._share else nullcontext():
                yield
        finally:
            os.sched_setaffinity(0, before)


def _trees(roots: list[int]) -> set[int]:
    """The processes themselves and their descendants."""
    children: dict[int, list[int]] = defaultdict(list)
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and (fields := _stat(int(folder.name))) is not None:
            children[int(fields[1])].append(int(folder.name))
    found: set[int] = set()
    left = list(roots)
    while left:
        pid = left.pop()
        found.add(pid)
        left += children[pid]
    return found


def _stat(pid: int) -> list[str] | None:
    """Fields of ``/proc/PID/stat`` from the third (state) on; None if the process has ended."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return text.rpartition(")")[2].split()  # the program's name before it may hold anything
