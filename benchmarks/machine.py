"""What the benchmark ran on: without it, its figures say little."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

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
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
