"""What the benchmark ran on: without it, its figures say little."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from importlib.metadata import distributions, version
from pathlib import Path

from benchmarks.peers.packages import NODE_FOLDER, installed, node_installed, package_folder
from benchmarks.servers import Servers

_PACKAGES = ("celery", "kombu", "redis", "requests", "sqlalchemy", "psycopg")


def facts(shared: Servers) -> dict[str, str]:
    """Processor, cores, load, and the versions of everything that takes part."""
    return {
        "processor": _processor(),
        "cores": f"workers on {sorted(shared.cores.workers)}, everything else on {sorted(shared.cores.others)}",
        "load before": f"{os.getloadavg()[0]:.2f}",
        "Python": f"{platform.python_version()} on {platform.system()} {platform.release()}",
        **shared.versions(),
        "packages": ", ".join(f"{name} {version(name)}" for name in _PACKAGES),
        **_of_peers(),
    }


def _of_peers() -> dict[str, str]:
    """Versions of what only peers need, as far as it is here."""
    found = {}
    for name in ("gevent", "arq"):
        if installed(name):
            packages = distributions(path=[str(package_folder(name))])
            found[f"packages of {name}"] = ", ".join(f"{one.name} {one.version}" for one in packages)
    if node_installed():
        node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
        wanted = json.loads((NODE_FOLDER / "package.json").read_text())["dependencies"]
        found["packages of bullmq"] = ", ".join(
            [f"Node {node}", *(f"{name} {number}" for name, number in wanted.items())]
        )
    return found


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
