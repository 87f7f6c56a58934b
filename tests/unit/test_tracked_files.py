"""What is in the repository runs anywhere: no path of one machine, no address of a package registry."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Spelt backwards, so that no part of a host's name stands here.
_HOSTS = [
    backwards[::-1]
    for backwards in (
        "gro.ipyp",
        "gro.detsohnohtyp",
        "sjmpn.yrtsiger",
        "gnalog.yxorp",
        "oi.setarc",
        "oi.rekcod",
        "oi.rchg",
        "oi.yauq",
    )
]
MACHINE_PATH = re.compile(r"(?<![\w.~/])/(?:tmp|work|root|home|Users|var/tmp)/[\w.]")
REGISTRY = re.compile("|".join([*map(re.escape, _HOSTS), "file:/{3}"]))


def project_files() -> list[Path]:
    """Files that git tracks or would track."""
    if not (ROOT / ".git").exists():
        pytest.skip("a copy without git: nobody can tell what belongs to the project")
    listed = subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert listed.returncode == 0, listed.stderr
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def lines_with(pattern: re.Pattern[str], files: list[Path]) -> list[str]:
    """``file:line: text`` for each match; files that are not text have no lines."""
    found = []
    for path in files:
        try:
            lines = path.read_text().splitlines()
        except UnicodeDecodeError:
            continue
        found += [f"{path.name}:{n}: {line.strip()}" for n, line in enumerate(lines, 1) if pattern.search(line)]
    return found


@pytest.mark.parametrize("pattern", [MACHINE_PATH, REGISTRY], ids=["machine path", "registry"])
def test_no_file_of_the_repository_holds(pattern: re.Pattern[str]) -> None:
    files = project_files()
    assert ROOT / "pyproject.toml" in files
    assert lines_with(pattern, files) == []


def test_planted_paths_and_registries_are_found(tmp_path: Path) -> None:
    planted = tmp_path / "planted.txt"
    home, relative, other = ("".join(parts) for parts in (("/ro", "ot/"), ("envoi/wo", "rk/"), ("/ro", "ot/")))
    hosts = [f"--index-url https://{host}/simple" for host in _HOSTS]
    planted.write_text("\n".join([f"home = {home}x", f"{relative}ok", *hosts, other]))
    assert lines_with(MACHINE_PATH, [planted]) == [f"planted.txt:1: home = {home}x"]
    assert len(lines_with(REGISTRY, [planted])) == len(_HOSTS)
