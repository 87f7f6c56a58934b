"""The workers of a scene: forked by a nursery (nursery.py), known here by pid and log file."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from demo.stack import ROOT
from tests.faults.strikes import Strike
from tests.waiting import Stuck, wait_until

_START_SECONDS = 60.0


class Worker:
    """One worker.

    Attributes:
        status: its exit status once it has ended; negative if a signal ended it.
    """

    def __init__(self, pid: int, log: Path) -> None:
        self.pid = pid
        self.log = log
        self.status: int | None = None
        self.ended = threading.Event()

    @property
    def running(self) -> bool:
        """Whether it has not ended; a frozen one runs."""
        return not self.ended.is_set()

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, if it runs."""
        if self.running:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL: it has no say in it."""
        self.send(signal.SIGKILL)
        self.wait()

    def wait(self, seconds: float = 30.0) -> int | None:
        """Wait for its end.

        Raises:
            Stuck: it has not ended in time.
        """
        if not self.ended.wait(seconds):
            raise Stuck(f"{self.log.stem} has not ended within {seconds:g} s: {self.last_lines(5)}")
        return self.status

    def wait_for(self, words: str, seconds: float = _START_SECONDS) -> None:
        """Wait until its log holds these words.

        Raises:
            Stuck: it has ended, or the time is up.
        """

        def said() -> bool:
            lives = self.running  # asked first: the last words of one that ends count
            if words in (self.log.read_text(errors="replace") if self.log.exists() else ""):
                return True
            if not lives:
                raise Stuck(f"it has ended with status {self.status}")
            return False

        try:
            wait_until(said, f"{words!r}", seconds)
        except Stuck as error:
            raise Stuck(f"{self.log.stem}: {error}: {self.last_lines(5)}") from None

    def last_lines(self, count: int) -> str:
        """The last lines of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-count:]) if self.log.exists() else ""


class Nursery:
    """Starts workers, all with the same environment.

    Args:
        folder: for their log files.
        environment: of all of them.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.workers: list[Worker] = []
        self._folder = folder
        self._news: SimpleQueue[dict[str, Any]] = SimpleQueue()
        with (folder / "nursery.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.nursery"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=ROOT,
                env=dict(environment),
                text=True,
            )
        self._reader = threading.Thread(target=self._read, name="nursery", daemon=True)
        self._reader.start()
        self._hear()

    def start(self, *arguments: str, strike: Strike | None = None) -> Worker:
        """Start a worker; it is ready when its log says so.

        Args:
            arguments: of ``envoi worker``.
            strike: what it does to itself.
        """
        log = self._folder / f"worker-{len(self.workers)}.log"
        order = {"log": str(log), "arguments": arguments, "strike": strike and strike.as_json()}
        assert self._process.stdin
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        worker = Worker(int(self._hear()["pid"]), log)
        self.workers.append(worker)
        return worker

    def living(self) -> list[Worker]:
        """Those that run, frozen ones among them."""
        return [worker for worker in self.workers if worker.running]

    def close(self) -> None:
        """End them, in good order where they can, and the nursery."""
        for worker in self.living():
            worker.send(signal.SIGCONT)
            worker.send(signal.SIGTERM)
        troubles = []
        for worker in self.living():
            try:
                worker.wait()
            except Stuck as trouble:
                troubles.append(trouble)
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait(30)
        self._reader.join()
        self._process.stdout.close()
        if troubles:
            raise troubles[0]

    def _read(self) -> None:
        """In a thread: hand answers on, and note ends."""
        assert self._process.stdout
        for line in self._process.stdout:
            news = json.loads(line)
            if "ended" not in news:
                self._news.put(news)
                continue
            for worker in [worker for worker in self.workers if worker.pid == news["ended"]][-1:]:
                worker.status = news["status"]
                worker.ended.set()
        self._news.put({})

    def _hear(self) -> dict[str, Any]:
        news = self._news.get(timeout=_START_SECONDS)
        if not news:
            raise Stuck(f"the nursery has ended: {(self._folder / 'nursery.log').read_text()[-2000:]}")
        return news
