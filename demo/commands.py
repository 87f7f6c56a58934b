"""Running commands of Envoi in processes of their own, with settings that the caller alone decides."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from demo.child import ChildFailed

_ROOT = Path(__file__).parents[1]


def own_environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Our environment without its ``ENVOI_…`` variables, and these settings in their place."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("ENVOI_")}
    return {**others, "PYTHONUNBUFFERED": "1", **settings}


def new_secret_key() -> str:
    """A key for ``ENVOI_SECRET_KEYS``."""
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


def envoi(*arguments: str) -> list[str]:
    """The command line of a command."""
    return [sys.executable, "-m", "envoi", *arguments]


def run(environment: Mapping[str, str], *arguments: str, stdin: str = "", timeout: float = 60.0) -> str:
    """Run one command to its end.

    Args:
        environment: the whole of it.
        arguments: of ``envoi``.
        stdin: what it reads.
        timeout: seconds until it is killed.

    Returns:
        Its standard output.

    Raises:
        ChildFailed: it ended with another status than 0.
    """
    ran = subprocess.run(
        envoi(*arguments),
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
        cwd=_ROOT,
        env=dict(environment),
    )
    if ran.returncode != 0:
        command = " ".join(["envoi", *arguments])
        raise ChildFailed(f"{command} ended with status {ran.returncode}:\n{ran.stdout}{ran.stderr}".rstrip())
    return ran.stdout
