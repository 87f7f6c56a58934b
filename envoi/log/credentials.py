"""What the calls of a page are made with: its token, its app's secret, its host."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from pydantic import SecretStr


@dataclass(frozen=True, slots=True)
class Credentials:
    """A page's token and what goes with it. No repr shows the secrets.

    Attributes:
        token: of the page.
        version: of all of this; a new token or a new secret of the app makes the next one.
        app: Meta's id of the page's app; None: the app of ``ENVOI_APP_SECRET``.
        app_secret: of that app; None: the first of ``ENVOI_APP_SECRET``, if any.
        graph_url: the host; None: ``ENVOI_GRAPH_URL``.
    """

    token: SecretStr
    version: int
    app: str | None = None
    app_secret: SecretStr | None = None
    graph_url: str | None = None

    def proof(self, own_secret: SecretStr | None) -> str | None:
        """The ``appsecret_proof`` of the page's token; None where the secret of its app is not known.

        Args:
            own_secret: of the app of pages that name none.
        """
        secret = self.app_secret if self.app else own_secret
        return proof_of(self.token, secret) if secret else None


def proof_of(token: SecretStr, app_secret: SecretStr) -> str:
    """The ``appsecret_proof`` of a token: lower-case hex of an HMAC-SHA256 (SEND_API 6)."""
    return hmac.new(
        app_secret.get_secret_value().encode(), token.get_secret_value().encode(), hashlib.sha256
    ).hexdigest()


def sendable(token: SecretStr) -> bool:
    """Whether a token would stay inside its header."""
    text = token.get_secret_value()
    return bool(text) and text.isascii() and text.isprintable() and " " not in text
