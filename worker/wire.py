"""A connection to the Graph host, and one HTTP/1.1 exchange at a time on it, with one deadline for all of it.

Two ways: ``exchange`` blocks its thread; ``begin`` and ``go_on`` never block (worker/lines.py). A time-out of each read
alone would let a server that sends a byte a minute hold a thread for ever, so what is left of the deadline is set
before each.
"""

from __future__ import annotations

import select
import socket
import ssl
import time
from collections.abc import Callable

from worker.call_errors import NoAnswerError
from worker.http_answer import AnswerReader, WireAnswer

_READ = 1 << 16  # bytes at once
_WRITE = 1 << 16  # bytes at once
_NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Wire:
    """A connection, used for one exchange at a time.

    Attributes:
        idle_since: monotonic seconds.
        watcher: in whose set its socket is, if in any.
    """

    def __init__(self, sock: socket.socket) -> None:
        self.idle_since = 0.0
        self.watcher: object = None
        self._socket = sock
        self._blocks = True
        self._reader = AnswerReader()
        self._left = memoryview(b"")  # of the request, not written yet
        self._deadline = 0.0
        self._idle = select.poll()
        self._idle.register(sock, select.POLLIN)

    def fileno(self) -> int:
        """Of its socket."""
        return self._socket.fileno()

    def close(self) -> None:
        """Close at once; what the kernel has not sent yet is dropped (SO_LINGER, see transport)."""
        self._socket.close()

    def gone(self) -> bool:
        """Whether an idle connection can be used no more: nobody has asked, so anything to read means its end."""
        return bool(self._idle.poll(0))

    # ---- in a thread of its own

    def exchange(self, request: bytes, deadline: float) -> WireAnswer:
        """Write a request and read its answer.

        Args:
            request: head and body.
            deadline: monotonic seconds by which the whole answer must be here.

        Raises:
            NoAnswerError: after any failure; the connection is of no more use.
        """
        self._deadline, self._blocks = deadline, True
        self._reader.restart()
        try:
            self._write(memoryview(request))
            while (answer := self._reader.feed(self._read())) is None:
                pass
        except NoAnswerError:
            raise
        except TimeoutError:
            raise self.late() from None
        except OSError as error:
            raise self._broken(error) from None
        return answer

    def _limit(self) -> None:
        """The next step on the socket may take what is left of the deadline."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(left)

    def _write(self, data: memoryview) -> None:
        while data:
            self._limit()
            data = data[self._socket.send(data[:_WRITE]) :]

    def _read(self) -> bytes:
        self._limit()
        return self._socket.recv(_READ)

    # ---- in a thread that has others to see to

    def begin(self, request: bytes) -> None:
        """Write as much of a request as there is room for. From now on its bytes may be out.

        Raises:
            NoAnswerError: after any failure; the connection is of no more use.
        """
        if self._blocks:
            self._socket.setblocking(False)
            self._blocks = False
        self._reader.restart()
        self._left = memoryview(request)
        self._unblocked(self._write_on)

    def go_on(self) -> WireAnswer | None:
        """Write and read as far as it goes without waiting. Returns the answer once it is whole.

        Raises:
            NoAnswerError: after any failure; the connection is of no more use.
        """
        return self._unblocked(self._read_on if not self._left else self._write_and_read)

    def late(self) -> NoAnswerError:
        """The whole answer did not come in time."""
        return NoAnswerError("no whole answer in time", self._reader.status)

    def _unblocked(self, step: Callable[[], WireAnswer | None]) -> WireAnswer | None:
        try:
            return step()
        except _NOT_NOW:
            return None
        except NoAnswerError:
            raise
        except OSError as error:
            raise self._broken(error) from None

    def _write_on(self) -> None:
        while self._left:
            self._left = self._left[self._socket.send(self._left[:_WRITE]) :]

    def _read_on(self) -> WireAnswer:
        while (answer := self._reader.feed(self._socket.recv(_READ))) is None:
            pass
        return answer

    def _write_and_read(self) -> WireAnswer:
        self._write_on()
        return self._read_on()

    def _broken(self, error: OSError) -> NoAnswerError:
        return NoAnswerError(f"the connection broke ({type(error).__name__})", self._reader.status)
