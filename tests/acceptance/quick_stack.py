"""A whole Envoi for tests that look at something else than how it starts and ends."""

from __future__ import annotations

import io
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import partial
from unittest.mock import patch

from demo.child import Child, ChildFailed
from demo.stack import Stack
from envoi.cli import main
from envoi.settings import settings


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended: its exit status, standard output and standard error."""

    status: int
    out: str
    err: str


class QuickStack(Stack):
    """A stack whose commands run in this process, whose workers start all at once, and which ends by SIGKILL.

    A process for each command, one worker after the other, and an end in good order take seconds that forty tests need
    not wait for. They are what test_first_path.py, test_compose.py, test_systemd_units.py, test_kubernetes_manifests.py
    and tests/integration/cli/test_process.py look at.
    """

    def start(self, workers: int = 1) -> None:
        """Start everything; the workers all at once."""
        super().start(workers=0)
        started = [self._start("worker", "envoi", "worker") for _ in range(workers)]
        for child in started:
            child.wait_ready(partial(_ready, child), 60)

    def command(self, *arguments: str, stdin: str = "") -> Ran:
        """Run one command of ``envoi``, however it ends."""
        out, err, given = (io.TextIOWrapper(io.BytesIO(text.encode()), "utf-8") for text in ("", "", stdin))
        with (
            patch.dict(os.environ, self.environment, clear=True),
            patch.object(sys, "stdin", given),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            settings.cache_clear()
            try:
                status = main(arguments)
            finally:
                settings.cache_clear()
        return Ran(status, _written(out), _written(err))

    def run(self, *arguments: str, stdin: str = "", timeout: float = 60.0) -> str:
        """Run one command of ``envoi`` that must succeed. Returns its standard output."""
        del timeout  # a test's own
        ran = self.command(*arguments, stdin=stdin)
        if ran.status != 0:
            raise ChildFailed(f"envoi {' '.join(arguments)} ended with status {ran.status}:\n{ran.out}{ran.err}")
        return ran.out

    def close(self) -> None:
        """End everything, and leave nothing."""
        for child in [*self.children(), *([self.redis.child] if self.redis else [])]:
            if child.running:
                child.kill()
        super().close()


def _ready(worker: Child) -> bool:
    return "ready" in worker.last_lines(1000)


def _written(stream: io.TextIOWrapper) -> str:
    stream.flush()
    stream.seek(0)
    return stream.read()
