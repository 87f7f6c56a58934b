"""A real console beside a stack."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Self

from demo.child import Child
from demo.ports import free_port, listens
from demo.stack import ROOT, Stack
from envoi.console.password import hashed


class Console(AbstractContextManager["Console"]):
    """``envoi console`` with the stack's environment.

    Args:
        stack: what it shows.
        password: what opens it.

    Attributes:
        url: where it is.
        stored: the password as it is kept.
    """

    def __init__(self, stack: Stack, password: str) -> None:
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self.stored = hashed(password)
        self.child = Child(
            "console",
            [sys.executable, "-m", "envoi", "console", "--port", str(self._port)],
            log=stack.folder / "console.log",
            env=stack.environment | {"ENVOI_CONSOLE_PASSWORD": self.stored},
            cwd=ROOT,
        )

    def __enter__(self) -> Self:
        self.child.start()
        self.child.wait_ready(lambda: listens(self._port), 60)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.child.kill()
