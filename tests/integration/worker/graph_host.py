"""A Graph host made of raw sockets, so that a test can break off wherever it likes."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from envoi.ids import new_job_id
from envoi.log.credentials import Credentials
from envoi.settings import Settings
from worker.graph import Graph, Outcome
from worker.steps import Step
from worker.tokens import Tokens

TIME = 10.0  # seconds that anything here may take
TOKEN = "EAAtoken-that-must-not-show"
JOB: dict[str, Any] = {
    "id": new_job_id(),
    "page": "1",
    "recipient": {"id": "7"},
    "message": {"text": "hello"},
    "messaging_type": "RESPONSE",
}


class OneToken:
    """Keeps the one token there is."""

    def credentials(self, page: str) -> Credentials:
        """It serves any page."""
        del page
        return Credentials(SecretStr(TOKEN), 1)

    def all_credentials(self) -> dict[str, Credentials]:
        """None is read ahead."""
        return {}


def graph_at(url: str, **settings: Any) -> Graph:
    """A client with short times."""
    given = {"connect_timeout": 2.0, "read_timeout": 1.0, "action_timeout": 1.0, "concurrency": 4, **settings}
    return Graph(Settings(graph_url=url, **given), Tokens(OneToken()))


def call(made: Graph, step: Step = Step.MESSAGE, may_start: Callable[[], bool] = lambda: True) -> Outcome:
    """Make one call of the job."""
    return made.call(step, JOB, 1, may_start)


@dataclass(frozen=True)
class Received:
    """One request as it came."""

    head: str
    body: dict[str, Any]


class Peer:
    """One accepted connection."""

    def __init__(self, sock: socket.socket, host: GraphHost) -> None:
        self.socket = sock
        self.host = host

    def request(self) -> Received | None:
        """Read one request; None at the end of the connection."""
        data = b""
        while b"\r\n\r\n" not in data:
            if not (more := self.socket.recv(65536)):
                return None
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        while len(body) < length:
            body += self.socket.recv(65536)
        found = Received(head.decode(), json.loads(body))
        self.host.received.append(found)
        return found

    def send(self, data: bytes) -> None:
        """Write as it is."""
        self.socket.sendall(data)

    def answer(self, body: object, status: int = 200, *headers: str) -> None:
        """A whole answer."""
        self.send(answer_bytes(body, status, *headers))

    def reset(self) -> None:
        """End the connection with a RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


def answer_bytes(body: object, status: int = 200, *headers: str) -> bytes:
    """The bytes of a whole answer."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} Some Reason", f"Content-Length: {len(data)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + data


Behaviour = Callable[[Peer], None]


def accepting(peer: Peer) -> None:
    """Accept every request of a connection."""
    while (received := peer.request()) is not None:
        number = len(peer.host.received)
        recipient = received.body["recipient"].get("id")
        peer.answer({"recipient_id": recipient, "message_id": f"m_{number}"} if "message" in received.body else {})


@dataclass
class GraphHost:
    """Serves each connection in a thread of its own.

    Attributes:
        behave: what it does with a connection; the last one serves all that follow.
        secure: with TLS, by this context.
        received: all requests.
        connections: how many were accepted.
        released: set when the test is over, for behaviours that wait.
    """

    behaviours: list[Behaviour] = field(default_factory=lambda: [accepting])
    secure: ssl.SSLContext | None = None
    received: list[Received] = field(default_factory=list)
    connections: int = 0
    released: threading.Event = field(default_factory=threading.Event)
    errors: list[BaseException] = field(default_factory=list)
    clients: list[Graph] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, name="graph-host")]
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.released.set()
        for client in self.clients:
            client.close()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(TIME)
        if error is None:
            assert not self.errors
            assert not any(thread.is_alive() for thread in self._threads)

    @property
    def url(self) -> str:
        """Its address."""
        return f"{'https' if self.secure else 'http'}://localhost:{self.port}"

    def graph(self, **settings: Any) -> Graph:
        """A client of this host; closed with it."""
        self.clients.append(graph_at(settings.pop("url", self.url), **settings))
        return self.clients[-1]

    def _accept(self) -> None:
        with suppress(OSError):  # the listener was closed: the test is over
            while True:
                sock, _ = self._listener.accept()
                behave = self.behaviours[min(self.connections, len(self.behaviours) - 1)]
                self.connections += 1
                thread = threading.Thread(target=self._serve, args=(sock, behave), name="graph-host-peer")
                self._threads.append(thread)
                thread.start()

    def _serve(self, sock: socket.socket, behave: Behaviour) -> None:
        sock.settimeout(TIME)
        try:
            peer = Peer(self.secure.wrap_socket(sock, server_side=True) if self.secure else sock, self)
            with peer.socket, suppress(OSError):  # the client may leave at any moment
                behave(peer)
        except OSError:
            sock.close()  # no handshake
        except BaseException as error:  # noqa: BLE001  # told at the end of the test
            self.errors.append(error)


@contextmanager
def closed_port() -> Iterator[int]:
    """A port of this machine on which nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield sock.getsockname()[1]


def certificate(folder: Path, name: str = "localhost") -> tuple[ssl.SSLContext, Path]:
    """A server's context with a certificate of its own making, and the file by which a client trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    chain, secret = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, secret)
    return context, chain
