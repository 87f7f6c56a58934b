"""``appsecret_proof``: an HMAC of the token with the app's secret, the proof that a call is the app's (SEND_API 6)."""

from __future__ import annotations

import hashlib
import hmac

from pydantic import SecretStr


def proof_of(secret: SecretStr | None, token: SecretStr) -> str | None:
    """The proof for calls with this token; None where no secret is set."""
    if secret is None:
        return None
    return hmac.new(secret.get_secret_value().encode(), token.get_secret_value().encode(), hashlib.sha256).hexdigest()
