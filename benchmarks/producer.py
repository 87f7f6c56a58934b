"""A producer in a process of its own: another language, or packages that do not go with Envoi's."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.work import Message
from demo.child import ChildFailed

_STOP = 30.0


@dataclass(frozen=True, slots=True)
class Spent:
    """What enqueueing a batch took in the producer: seconds by the clock, and of CPU."""

    seconds: float
    cpu_seconds: float


class Producer:
    """A program that reads batches, a line of JSON each, and answers each with a line once it is enqueued.

    It ends at the end of its input, and so with us.
    """

    def __init__(self, name: str, command: Sequence[str], *, log: Path, env: Mapping[str, str], cwd: Path) -> None:
        """Describe the program; :meth:`start` runs it.

        Args:
            name: what messages call it.
            command: the program and its arguments.
            log: file that its standard error is appended to.
            env: its whole environment.
            cwd: its working folder.
        """
        self._name, self._command, self._log = name, list(command), log
        self._env, self._cwd = dict(env), cwd
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Run it, on the cores that we run on.

        Raises:
            ChildFailed: it cannot be run.
        """
        try:
            with self._log.open("ab") as errors:
                self._process = subprocess.Popen(
                    self._command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    text=True,
                    env=self._env,
                    cwd=self._cwd,
                )
        except OSError as error:
            raise ChildFailed(f"{self._name} cannot be run: {error}") from error

    def enqueue(self, messages: Sequence[Message]) -> Spent:
        """Hand over a batch and wait until it is enqueued.

        Raises:
            ChildFailed: the program has ended.
        """
        if self._process is None or self._process.stdin is None or self._process.stdout is None:
            raise ChildFailed(f"{self._name} was not started")
        line = json.dumps([(message.page, message.recipient, message.text) for message in messages])
        try:
            self._process.stdin.write(f"{line}\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            log = self._log.read_text(errors="replace")
            raise ChildFailed(f"{self._name} has ended; its log ends:\n{log[-2000:] or '(empty)'}")
        return Spent(**json.loads(answer))

    def stop(self) -> None:
        """End its input and wait for it; one that has ended, or never started, is fine.

        Raises:
            ChildFailed: it had to be killed.
        """
        if self._process is None:
            return
        try:
            self._process.communicate(timeout=_STOP)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise ChildFailed(f"{self._name} did not end with its input and was killed") from None
