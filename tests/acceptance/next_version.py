"""A later version of Envoi to run beside this one: the same code under a higher protocol, so with other scripts."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Self

from demo.child import Child
from demo.stack import ROOT, Stack
from envoi.queue.scripts import PROTOCOL

_PARTS = ("envoi", "worker", "scheduler", "migrations")


class NextVersion:
    """A copy of the code, with a protocol so many steps higher, and its processes.

    Args:
        stack: what they work on.
        folder: takes the copy and the log files.
        steps: by how much its protocol is higher.
    """

    def __init__(self, stack: Stack, folder: Path, steps: int) -> None:
        self._stack, self._folder, self.protocol = stack, folder, PROTOCOL + steps
        for part in _PARTS:
            shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        scripts = folder / "envoi" / "queue" / "scripts.py"
        written = f"\nPROTOCOL = {PROTOCOL}\n"
        text = scripts.read_text()
        assert text.count(written) == 1
        scripts.write_text(text.replace(written, f"\nPROTOCOL = {self.protocol}\n"))
        self._children: list[Child] = []

    def start(self, part: str) -> Child:
        """Start a ``worker`` or a ``scheduler`` of it; not waited for."""
        child = Child(
            f"{part} of protocol {self.protocol}",
            [sys.executable, "-m", "envoi", part],
            log=self._folder / f"{part}-{len(self._children)}.log",
            env=self._stack.environment,
            cwd=self._folder,
        )
        child.start()
        self._children.append(child)
        return child

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for child in self._children:
            child.terminate()
        for child in self._children:
            child.stop()
