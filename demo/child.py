"""One child process: it has a log file, it is ready when a check says so, and it dies with its parent."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_POLL = 0.02


class ChildFailed(Exception):  # noqa: N818  # reads as what happened
    """A child process did not start, did not become ready, ended by itself or would not stop.

    The message holds the last lines of its log.
    """


class Child:
    """A process of ours, known by its pid and by the log file that takes its output.

    It stands in a session of its own, so a Ctrl-C in the terminal reaches only the parent, which then stops its
    children in order. The kernel ends it when the parent dies, even by SIGKILL (``setpriv --pdeathsig``; a system
    without ``setpriv`` lacks this last protection). The kernel watches the *thread* that called :meth:`start`:
    start children from one that lasts.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        death_signal: signal.Signals = signal.SIGKILL,
        wrapper: Sequence[str] = (),
        user: int | None = None,
    ) -> None:
        """Describe the process; :meth:`start` runs it.

        Args:
            name: what messages call it.
            command: the program and its arguments.
            log: file that its standard output and error are appended to.
            env: its whole environment; ours if not given.
            cwd: its working folder; ours if not given.
            stop_signal: asks it to end in good order.
            death_signal: what the kernel sends it when we die.
            wrapper: a command in front that replaces itself by it, such as ``unshare``.
            user: user and group id to run as; ours if not given.
        """
        self.name = name
        self.log = log
        self._command = [*wrapper, *_guard(death_signal), *command]
        self._env = None if env is None else dict(env)
        self._cwd = cwd
        self._stop_signal = stop_signal
        self._user = user
        self._process: subprocess.Popen[bytes] | None = None
        self._paused = False
        self._asked = False

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The running or ended process.

        Raises:
            ChildFailed: it was never started.
        """
        if self._process is None:
            raise ChildFailed(f"{self.name} was not started")
        return self._process

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended (a paused one runs)."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Run it, or run it again after it has ended, with the same command and log file.

        Raises:
            ChildFailed: it runs already, or cannot be run.
        """
        if self.running:
            raise ChildFailed(f"{self.name} runs already (pid {self.pid})")
        try:
            with self.log.open("ab") as output:
                self._process = subprocess.Popen(
                    self._command,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env=self._env,
                    cwd=self._cwd,
                    start_new_session=True,
                    user=self._user,
                    group=self._user,
                    extra_groups=None if self._user is None else [],
                )
        except OSError as error:
            raise ChildFailed(f"{self.name} cannot be run: {error}") from error
        self._paused = self._asked = False

    def wait_ready(self, ready: Callable[[], bool], timeout: float) -> None:
        """Wait until ``ready`` says so.

        Args:
            ready: asked again and again; False means not yet.
            timeout: the longest wait, in seconds.

        Raises:
            ChildFailed: it ended meanwhile, or the time is up.
        """
        deadline = time.monotonic() + timeout
        while True:
            answers = ready()
            if not self.running:  # asked last: another process may have answered in its place
                raise self.failure(f"ended with status {self.process.returncode} before it was ready")
            if answers:
                return
            if time.monotonic() > deadline:
                raise self.failure(f"was not ready within {timeout:g} s")
            time.sleep(_POLL)

    def terminate(self) -> None:
        """Ask it, once, to end in good order; :meth:`stop` waits for that."""
        if self.running and not self._asked:  # some programs take a second signal for "at once"
            self._asked = True
            self.process.send_signal(self._stop_signal)
            self.cont()

    def stop(self, timeout: float = 30.0) -> int:
        """Ask it to end and wait for that; one that has ended, or never started, is fine.

        Args:
            timeout: seconds until it is killed instead.

        Returns:
            Its exit status: negative if a signal ended it.

        Raises:
            ChildFailed: it had to be killed.
        """
        if self._process is None:
            return 0
        self.terminate()
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise self.failure(f"did not stop within {timeout:g} s and was killed") from None

    def kill(self) -> None:
        """SIGKILL: it has no say in it."""
        self.process.kill()
        self.process.wait()

    def pause(self) -> None:
        """SIGSTOP: freeze it where it is."""
        self.process.send_signal(signal.SIGSTOP)
        self._paused = True

    def cont(self) -> None:
        """SIGCONT: let a frozen one go on."""
        if self._paused:
            self.process.send_signal(signal.SIGCONT)
            self._paused = False

    def last_lines(self, count: int = 20) -> str:
        """The last lines of its log."""
        try:
            text = self.log.read_text(errors="replace")
        except FileNotFoundError:
            return ""
        return "\n".join(text.splitlines()[-count:])

    def failure(self, what: str) -> ChildFailed:
        """An error that says what happened to it and shows the last lines of its log."""
        return ChildFailed(f"{self.name} {what}; its log ends:\n{self.last_lines() or '(empty)'}")


def _guard(death_signal: signal.Signals) -> list[str]:
    """A command in front that ties the process to our life, then replaces itself by it."""
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        return []
    # The shell's test closes a gap: we may have died before the kernel was told to watch us.
    still_ours = f'[ "$PPID" = {os.getpid()} ] && exec "$@"'
    return [setpriv, "--pdeathsig", death_signal.name.removeprefix("SIG"), "--", "sh", "-c", still_ours, "sh"]
