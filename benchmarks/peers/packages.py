"""Where the packages of peers are that do not belong to Envoi: ``make bench`` puts them there."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_FOLDER = _ROOT / ".bench"
NODE_FOLDER = _ROOT / "benchmarks" / "bullmq"


def package_folder(name: str) -> Path:
    """Where the Python packages of this set (``gevent``, ``arq``) are, or would be."""
    return _FOLDER / name


def installed(name: str) -> bool:
    """Whether they are there."""
    return package_folder(name).is_dir()


def node_installed() -> bool:
    """Whether Node and the packages for it are there."""
    return shutil.which("node") is not None and (NODE_FOLDER / "node_modules").is_dir()


def python_path(name: str) -> dict[str, str]:
    """The environment in which Python finds the packages of this set before our own."""
    paths = [str(package_folder(name)), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {"PYTHONPATH": os.pathsep.join(paths)}
