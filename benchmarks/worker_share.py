"""A part of a core for workers: as on a machine on which everything else has more room beside them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_GROUPS = Path("/sys/fs/cgroup")
_PERIOD = 5_000  # microseconds in which it gets its part: short beside the calls of what is measured
_LEAVING = 5.0  # seconds that the last of its processes may take to be gone
_VERSION_2 = "cgroup.controllers"  # a file that only the newer control groups have


class ShareRefusedError(Exception):
    """This machine does not let us give workers a part of a core."""


class WorkerShare:
    """A control group of the kernel that gives all its processes together so much of a core, and no more.

    Args:
        part: of one core, above 0.
        groups: where the kernel shows its control groups.
        ours: which of them we are in, as the kernel says it (cgroups(7)).
    """

    def __init__(self, part: float, groups: Path = _GROUPS, ours: Path = Path("/proc/self/cgroup")) -> None:
        self._newer = (groups / _VERSION_2).exists()
        self._above = groups if self._newer else groups / "cpu"
        self._home = self._above / _path_of("" if self._newer else "cpu", ours.read_text()).lstrip("/")
        self._group = self._above / f"envoi-bench-{os.getpid()}"
        self._quota = round(_PERIOD * part)

    @contextmanager
    def made(self) -> Iterator[None]:
        """The group is there. All that was started in it must have ended before the end.

        Raises:
            ShareRefusedError: it cannot be made: only root may, and not in most containers.
        """
        try:
            self._make()
        except OSError as error:
            raise ShareRefusedError(f"no control group with a part of a core: {error}") from error
        try:
            yield
        finally:
            self._remove()

    @contextmanager
    def entered(self) -> Iterator[None]:
        """What we start now is in the group."""
        _enter(self._group)
        try:
            yield
        finally:
            _enter(self._home)

    def _make(self) -> None:
        if self._newer:
            (self._above / "cgroup.subtree_control").write_text("+cpu")
        self._group.mkdir()
        try:
            if self._newer:
                (self._group / "cpu.max").write_text(f"{self._quota} {_PERIOD}")
            else:
                (self._group / "cpu.cfs_period_us").write_text(f"{_PERIOD}")
                (self._group / "cpu.cfs_quota_us").write_text(f"{self._quota}")
        except OSError:
            self._group.rmdir()
            raise

    def _remove(self) -> None:
        until = time.monotonic() + _LEAVING
        while self._group.exists():
            try:
                self._group.rmdir()
            except OSError:  # a process that has ended is in it for a moment more
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)


def _path_of(controller: str, text: str) -> str:
    """In which group a process is that the kernel says this of: a line has a number, controllers and a path."""
    lines = (line.split(":", 2) for line in text.splitlines())
    return next((path for _, names, path in lines if controller in names.split(",")), "/")


def _enter(group: Path) -> None:
    (group / "cgroup.procs").write_text(str(os.getpid()))
