"""The requests of a page: where they go, what their heads hold, and what all of them have in common, as bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from envoi.log.credentials import Credentials
from envoi.settings import Settings
from worker.dialing import Host
from worker.transport import GraphRequest, written

_LENGTH = b"\r\nContent-Length: "


def base_of(page: Credentials, settings: Settings) -> str:
    """The address that a page's requests begin with: its own host, and the version of the Graph API."""
    return f"{page.graph_url or settings.graph_url}/{settings.graph_version}"


def headers_of(page: Credentials) -> dict[str, str]:
    """The token is in a header, never in the address (SEND_API 6)."""
    return {
        "Authorization": f"Bearer {page.token.get_secret_value()}",
        "Accept-Encoding": "identity",
        "User-Agent": "envoi",
    }


@dataclass(frozen=True, slots=True)
class Envelope:
    """Goes around each body of a call.

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


class Envelopes:
    """Those of all pages, each made once for each version of its page's credentials. Threads share them.

    Args:
        settings: host and version, and the secret of the app of pages that name none.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._made: dict[str, Envelope] = {}

    def proof(self, page: Credentials) -> str | None:
        """The ``appsecret_proof`` of a page's calls, by its own app."""
        return page.proof(self._settings.own_app_secret)

    def request(self, page_id: str, page: Credentials, body: bytes, may_start: Callable[[], bool]) -> GraphRequest:
        """A call's request."""
        headers = headers_of(page) | {"Content-Type": "application/json"}
        return GraphRequest(f"{base_of(page, self._settings)}/{page_id}/messages", headers, body, may_start)

    def of(self, page_id: str, page: Credentials) -> Envelope:
        """The envelope of a page's calls.

        Raises:
            NeverLeftError: such a request cannot be written.
        """
        found = self._made.get(page_id)
        if found is None or found.page is not page:
            host, data = written(self.request(page_id, page, b"", lambda: True))
            before, length, after = data.partition(_LENGTH + b"0\r\n")
            found = Envelope(page, host, self.proof(page), before + length[:-3], b"\r\n" + after)
            self._made[page_id] = found
        return found
