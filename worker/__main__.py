"""``envoi worker``: a Celery worker that answers the queue's bells."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from celery.bin.celery import celery

from envoi.settings import settings


def parser() -> argparse.ArgumentParser:
    """What the command takes."""
    found = argparse.ArgumentParser(
        prog="envoi worker",
        description="Takes jobs from the queue and makes their calls, until SIGTERM. Any number may run.",
        epilog="Example: `envoi worker --concurrency 64`",
    )
    found.add_argument("--concurrency", type=int, help="conversations in flight in this process (ENVOI_CONCURRENCY)")
    found.add_argument(
        "--log-level", default="INFO", choices=["DEBUG", "INFO", "WARNING", "ERROR"], help="what is logged (INFO)"
    )
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a worker until SIGTERM.

    Args:
        arguments: of the command; the process's own if not given.

    Returns:
        Exit status: 0 after a stop in good order.
    """
    options = parser().parse_args(arguments)
    if options.concurrency is not None:
        os.environ["ENVOI_CONCURRENCY"] = str(options.concurrency)  # before the application reads its settings
        settings.cache_clear()
    settings()  # a wrong setting is told here, before Celery's banner
    app = import_module("worker.celery").app
    name = f"envoi-{os.getpid()}@%h"
    command = ["--app", "worker", "worker", "--loglevel", options.log_level, "--hostname", name, "--pool", "threads"]
    app.set_current()
    try:
        # Not app.worker_main: it drops the exit status.
        return int(celery.main(args=command, prog_name="celery", standalone_mode=False) or 0)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)


if __name__ == "__main__":
    sys.exit(main())
