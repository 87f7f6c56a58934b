"""Making connections to the Graph host: every address of it in turn, TLS, and the options of the socket."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
import time

from requests.utils import DEFAULT_CA_BUNDLE_PATH

from worker.call_errors import NeverLeftError
from worker.wire import Wire

_UNACKED = 30_000  # milliseconds: bytes that no one acknowledges for so long are given up, not resent for minutes
_ABORT = struct.pack("ii", 1, 0)  # linger 0 seconds: what a dead worker left unsent is dropped, not sent on

Host = tuple[str, str, int]  # scheme, name, port


class Dialer:
    """Makes connections. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._context: ssl.SSLContext | None = None

    def dial(self, host: Host, seconds: float) -> Wire:
        """Connect within the time, over all addresses of the host and the TLS handshake.

        Looking up a name is the system's affair and not bounded here, which is why the right to make a call is
        checked after this and not before.

        Raises:
            NeverLeftError: no connection.
        """
        scheme, name, port = host
        deadline = time.monotonic() + seconds
        try:
            sock = _connected(name, port, deadline)
            return Wire(self._secured(sock, name, deadline) if scheme == "https" else sock)
        except (OSError, ValueError) as error:  # ValueError: a host name that is none
            raise NeverLeftError(f"no connection ({type(error).__name__})") from error

    def _secured(self, sock: socket.socket, name: str, deadline: float) -> ssl.SSLSocket:
        secure = None
        try:
            # The handshake is ours to start, so that what is left of the time bounds it as a whole.
            secure = self._tls().wrap_socket(sock, server_hostname=name, do_handshake_on_connect=False)
            secure.settimeout(_left(deadline))
            secure.do_handshake()
        except BaseException:
            (secure or sock).close()
            raise
        return secure

    def _tls(self) -> ssl.SSLContext:
        """Certificates of the system (``SSL_CERT_FILE`` too) and those that requests brings."""
        with self._lock:
            if self._context is None:
                self._context = ssl.create_default_context()
                self._context.load_verify_locations(DEFAULT_CA_BUNDLE_PATH)
            return self._context


def _connected(name: str, port: int, deadline: float) -> socket.socket:
    """A connection to the first address that takes one; none may use up the time of those behind it."""
    addresses = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    last: OSError = OSError("no address")
    for number, (family, kind, protocol, _, address) in enumerate(addresses):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
            if hasattr(socket, "TCP_USER_TIMEOUT"):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNACKED)
            sock.settimeout(_left(deadline) / (len(addresses) - number))
            sock.connect(address)
        except OSError as error:
            sock.close()
            last = error
        else:
            return sock
    raise last


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("no connection in time")
    return left
