"""An envelope: what all requests of one page have in common, as bytes, made once."""

from __future__ import annotations

from dataclasses import dataclass

from envoi.log.credentials import Credentials
from worker.dialing import Host
from worker.transport import GraphRequest, written

_LENGTH = b"\r\nContent-Length: "


@dataclass(frozen=True, slots=True)
class Envelope:
    """Goes around each body.

    Attributes:
        page: whose token is in it.
        proof: the ``appsecret_proof`` that the body is to carry.
    """

    page: Credentials
    host: Host
    proof: str | None
    before: bytes
    after: bytes

    def around(self, body: bytes) -> bytes:
        """The bytes of the request with this body."""
        return b"%b%d%b%b" % (self.before, len(body), self.after, body)


def envelope(page: Credentials, empty: GraphRequest, proof: str | None) -> Envelope:
    """The envelope of a page.

    Args:
        page: its credentials.
        empty: a POST of the page without a body.
        proof: that goes with its token.

    Raises:
        NeverLeftError: such a request cannot be written.
    """
    host, data = written(empty)
    before, length, after = data.partition(_LENGTH + b"0\r\n")
    return Envelope(page, host, proof, before + length[:-3], b"\r\n" + after)
