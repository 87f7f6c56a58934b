"""The part of a core that benchmarks give to workers: what the kernel is told, with older and newer control groups."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks.processes import Cores
from benchmarks.worker_share import ShareRefusedError, WorkerShare


class KernelFolder(type(Path())):  # type: ignore[misc]  # the class of this system's paths
    """Removed, it takes its files with it, as the kernel's do."""

    def rmdir(self) -> None:
        for file in self.iterdir():
            file.unlink()
        super().rmdir()


def in_group(folder: Path, text: str) -> Path:
    (folder / "ours").write_text(text)
    return folder / "ours"


def test_the_older_groups_are_told_of_a_quota_in_a_period(tmp_path: Path) -> None:
    groups = KernelFolder(tmp_path)
    (groups / "cpu" / "session").mkdir(parents=True)
    ours = in_group(tmp_path, "9:name=systemd:/\n1:cpu:/session\n0::/\n")
    share = WorkerShare(0.4, groups, ours)
    group = groups / "cpu" / f"envoi-bench-{os.getpid()}"
    with share.made():
        period, quota = (int((group / f"cpu.cfs_{name}_us").read_text()) for name in ("period", "quota"))
        assert quota == 0.4 * period
        with share.entered():
            assert (group / "cgroup.procs").read_text() == str(os.getpid())
        assert (groups / "cpu" / "session" / "cgroup.procs").read_text() == str(os.getpid())
    assert not group.exists()


def test_the_newer_groups_are_told_of_both_in_one_line(tmp_path: Path) -> None:
    groups = KernelFolder(tmp_path)
    (groups / "cgroup.controllers").write_text("cpu memory")
    share = WorkerShare(0.4, groups, in_group(tmp_path, "0::/\n"))
    group = groups / f"envoi-bench-{os.getpid()}"
    with share.made():
        assert (groups / "cgroup.subtree_control").read_text() == "+cpu"
        quota, period = map(int, (group / "cpu.max").read_text().split())
        assert quota == 0.4 * period
        with share.entered():
            assert (group / "cgroup.procs").read_text() == str(os.getpid())
        assert (groups / "cgroup.procs").read_text() == str(os.getpid())
    assert not group.exists()


def test_only_what_is_started_as_a_worker_is_in_the_group(tmp_path: Path) -> None:
    groups = KernelFolder(tmp_path)
    (groups / "cpu").mkdir()
    share = WorkerShare(0.4, groups, in_group(tmp_path, "1:cpu:/\n"))
    entered = groups / "cpu" / f"envoi-bench-{os.getpid()}" / "cgroup.procs"
    cores = Cores(share)
    with share.made():
        with cores.for_others():
            assert not entered.exists()
        with cores.for_workers():
            assert entered.read_text() == str(os.getpid())


def test_where_there_are_none_it_says_so(tmp_path: Path) -> None:
    share = WorkerShare(0.4, tmp_path / "none", in_group(tmp_path, "0::/\n"))
    with pytest.raises(ShareRefusedError, match="no control group"), share.made():
        pass
