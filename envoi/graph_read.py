"""One read of the Graph API, for what is asked once in a while: whose a token is, and whether it lives.

Calls for jobs are the worker's; nothing here is made for many. No error, repr or log line holds a token.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from pydantic import SecretStr

_LONGEST = 1_000_000  # bytes of an answer


class GraphUnreachable(Exception):  # noqa: N818  # named like QueueUnavailable
    """No answer that could be read: nothing is known."""


@dataclass(frozen=True, slots=True)
class GraphAnswer:
    """What a read brought.

    Attributes:
        body: the JSON object; of a refusal the ``error`` object's fields.
        refused: whether it is Graph's refusal.
    """

    body: Mapping[str, Any]
    refused: bool

    def told(self) -> str:
        """A refusal in a line: code, subcode, Graph's own words."""
        code, subcode = self.body.get("code"), self.body.get("error_subcode")
        return f"{code}{f'/{subcode}' if subcode else ''}: {str(self.body.get('message') or 'no message')[:500]}"


def read(
    base: str, path: str, token: SecretStr, parameters: Mapping[str, str | SecretStr], timeout: float
) -> GraphAnswer:
    """Make one GET.

    Args:
        base: address of the host with the version, such as ``https://graph.facebook.com/v25.0``.
        path: of the node, such as ``me``.
        token: travels in a header.
        parameters: of the query. ``debug_token`` takes the token that it is asked about no other way (SEND_API 6).
        timeout: seconds for each step.

    Raises:
        GraphUnreachable: nothing came, or nothing that Graph would say.
    """
    where = urlsplit(base)
    plain = {name: v.get_secret_value() if isinstance(v, SecretStr) else v for name, v in parameters.items()}
    headers = {"Authorization": f"Bearer {token.get_secret_value()}", "User-Agent": "envoi"}
    make = http.client.HTTPSConnection if where.scheme == "https" else http.client.HTTPConnection
    try:
        connection = make(where.hostname or "", where.port, timeout=timeout)
        try:
            connection.request("GET", f"{where.path}/{path}?{urlencode(plain)}", headers=headers)
            answer = connection.getresponse()
            status, text = answer.status, answer.read(_LONGEST)
        finally:
            connection.close()
        body = json.loads(text)
    except (OSError, http.client.HTTPException, ValueError, RecursionError) as error:
        # Not the error's own words: they may repeat the address, and with it a token.
        raise GraphUnreachable(f"{where.hostname} did not answer ({type(error).__name__})") from None
    if not isinstance(body, dict):
        raise GraphUnreachable(f"{where.hostname} answered HTTP {status} without a JSON object")
    if isinstance(body.get("error"), dict):
        return GraphAnswer(body["error"], refused=True)
    if status // 100 != 2:  # noqa: PLR2004  # 2xx
        raise GraphUnreachable(f"{where.hostname} answered HTTP {status} without a Graph error")
    return GraphAnswer(body, refused=False)
