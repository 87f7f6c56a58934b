"""A server of our own: it keeps its port and data over a restart, and takes both with it when it is closed."""

from __future__ import annotations

import shutil
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import Self

from demo.child import Child


class OwnServer(ABC):
    """One server process, with its data in a folder of ours.

    Attributes:
        child: the process.
        folder: its data and its log; :meth:`close` removes it.
    """

    child: Child
    folder: Path

    @abstractmethod
    def start(self) -> None:
        """Run it and wait until it serves.

        Raises:
            ChildFailed: it ended, or did not serve in time.
        """

    @property
    def pid(self) -> int:
        """The process id of its first process."""
        return self.child.pid

    def stop(self) -> None:
        """End it in good order."""
        self.child.stop()

    def kill(self) -> None:
        """End it by SIGKILL."""
        self.child.kill()

    def restart(self, *, hard: bool = False) -> None:
        """End it, by SIGKILL if ``hard``, and run it again with the same address and data."""
        if hard:
            self.kill()
        else:
            self.stop()
        self.start()

    def close(self) -> None:
        """End it and remove its data."""
        try:
            self.child.stop()
        finally:
            shutil.rmtree(self.folder)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
