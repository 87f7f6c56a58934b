"""The sandbox as the demonstration sees it: faults to order, and its ledger of what was really delivered."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from envoi import split_metadata

_PAGE_SIZE = 10_000


@dataclass(frozen=True, slots=True)
class Delivery:
    """One step that took effect in the sandbox.

    Attributes:
        recipient: the id it went to.
        step: ``message``, ``typing_on`` or ``typing_off``.
        job_id: of a message: the job named in its metadata.
        message_id: of a message.
        text: of a message.
    """

    recipient: str
    step: str
    job_id: str | None = None
    message_id: str | None = None
    text: str | None = None


class SandboxRefused(Exception):  # noqa: N818  # reads as what happened
    """The sandbox did not take a request of ours; the message holds its answer."""


class Sandbox:
    """The control interface of one sandbox (sandbox/README.md)."""

    def __init__(self, url: str) -> None:
        self._address = str(urlsplit(url).netloc)

    def order(self, rule: dict[str, Any]) -> None:
        """Order a fault.

        Raises:
            SandboxRefused: the sandbox refused the rule, and says why.
        """
        self.ask("POST", "/sandbox/rules", rule)

    def meet(self, page: str, person: str, name: str) -> None:
        """Let a person be known by a name on the sandbox's page.

        Raises:
            SandboxRefused: the sandbox does not know the page.
        """
        self.ask("POST", "/sandbox/people", {"page": page, "recipient": person, "name": name})

    def subscribe(self, url: str, app_secret: str) -> None:
        """Let webhooks go to an address, with receipts of what was delivered and read.

        Raises:
            SandboxRefused: the address is of no use.
        """
        wanted = {"url": url, "app_secret": app_secret, "deliveries": {}, "reads": {"delay_seconds": 2.0}}
        self.ask("PUT", "/sandbox/webhooks", wanted)

    def deliveries(self, page: str) -> list[Delivery]:
        """Everything that took effect for a page, in that order."""
        found: list[Delivery] = []
        after: int | None = 0
        while after is not None:
            query = urlencode({"order": "delivery", "page": page, "after": after, "limit": _PAGE_SIZE})
            answer = self.ask("GET", f"/sandbox/ledger?{query}")
            found += [_delivery(entry) for entry in answer["entries"]]
            after = answer["next"]
        return found

    def ask(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401  # JSON
        """Make one request, and read its answer.

        Raises:
            SandboxRefused: the sandbox did not take it.
        """
        connection = http.client.HTTPConnection(self._address, timeout=60)
        try:
            text = None if body is None else json.dumps(body)
            connection.request(method, path, text, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        if answer.status >= http.client.BAD_REQUEST:
            raise SandboxRefused(f"{method} {path}: {answer.status} {content.decode(errors='replace')}")
        return json.loads(content)


def _delivery(entry: dict[str, Any]) -> Delivery:
    return Delivery(
        recipient=entry["recipient"]["id"],
        step=entry["step"],
        job_id=split_metadata(entry["metadata"])[1],
        message_id=entry["message_id"],
        text=entry["text"],
    )
