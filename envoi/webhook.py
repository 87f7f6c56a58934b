"""The door for webhooks: nothing is read that Meta has not signed (SEND_API 6)."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence

from pydantic import SecretStr

from envoi.errors import BadSettings, BadSignature, InvalidWebhook, Problem
from envoi.notices import Notice
from envoi.settings import Settings
from envoi.webhook_notices import notices

LARGEST = 4 * 1024 * 1024  # bytes of a body; a thousand events of 2,000 characters, as Meta might batch them, are less

_SIGNATURE = re.compile(r"sha256=([0-9a-fA-F]{64})")
_CHALLENGE = re.compile(r"[A-Za-z0-9_.-]{1,200}")  # echoed to whoever asks, so nothing that a browser would run


def read_webhook(body: bytes, signature: str | None, settings: Settings) -> list[Notice]:
    """What a webhook tells.

    Args:
        body: the raw bytes as they came; JSON that was parsed and written again has another signature.
        signature: the header ``X-Hub-Signature-256``; None where there was none.
        settings: whose app secrets count.

    Raises:
        BadSettings: there is no app secret, so nothing can be checked.
        BadSignature: it is missing, or was not made with one of the secrets.
        InvalidWebhook: too large, or signed but not what SEND_API 7 says.
    """
    if not isinstance(body, bytes | bytearray | memoryview):
        raise InvalidWebhook("must be the raw bytes of the request's body")
    raw = bytes(body)
    if len(raw) > LARGEST:
        raise InvalidWebhook(f"at most {LARGEST} bytes")
    check_signature(raw, signature, _secrets(settings))
    try:
        document = json.loads(raw.decode(), parse_constant=_no_number)
    except (ValueError, RecursionError):
        # Not the parser's own words: they may repeat a part of the text.
        raise InvalidWebhook("must be JSON in UTF-8") from None
    return notices(document)


def check_signature(body: bytes, signature: str | None, secrets: Sequence[SecretStr]) -> None:
    """See that the signature is made with one of the secrets; each is tried, in the same time for any body.

    Raises:
        BadSignature: it is not.
    """
    found = _SIGNATURE.fullmatch(signature) if isinstance(signature, str) else None
    if found is None:
        raise BadSignature("the header X-Hub-Signature-256 is missing or malformed (SEND_API 6)")
    given = found[1].lower()
    right = [hmac.new(_bytes(secret), body, hashlib.sha256).hexdigest() for secret in secrets]
    if not any([hmac.compare_digest(given, one) for one in right]):  # noqa: C419  # a list: none is left out
        raise BadSignature("the signature was not made over these bytes with the app's secret (ENVOI_APP_SECRET)")


def answer_challenge(query: Mapping[str, str | Sequence[str]], settings: Settings) -> str:
    """What to answer Meta's GET with, which asks whether webhooks are wanted at this address.

    Args:
        query: the query's parameters; a value may be a list, as ``parse_qs`` gives it.
        settings: whose ``ENVOI_VERIFY_TOKEN`` counts.

    Raises:
        BadSettings: there is no verify token.
        BadSignature: it is another one.
        InvalidWebhook: it is not Meta's question.
    """
    if settings.verify_token is None:
        raise BadSettings(Problem("ENVOI_VERIFY_TOKEN", "is needed to answer the challenge of a webhook"))
    mode, token, challenge = (_single(query.get(f"hub.{name}")) for name in ("mode", "verify_token", "challenge"))
    right = hmac.compare_digest(token.encode("utf-8", "replace"), _bytes(settings.verify_token))
    if mode != "subscribe" or not _CHALLENGE.fullmatch(challenge):
        raise InvalidWebhook("must have hub.mode=subscribe, hub.verify_token and hub.challenge (SEND_API 6)")
    if not right:
        raise BadSignature("hub.verify_token is not ENVOI_VERIFY_TOKEN")
    return challenge


def _secrets(settings: Settings) -> tuple[SecretStr, ...]:
    if not settings.app_secret:
        raise BadSettings(Problem("ENVOI_APP_SECRET", "is needed to check the signature of a webhook"))
    return settings.app_secret


def _bytes(secret: SecretStr) -> bytes:
    return secret.get_secret_value().encode("utf-8", "surrogateescape")  # as the environment gave it


def _single(value: str | Sequence[str] | None) -> str:
    if isinstance(value, list | tuple) and len(value) == 1:
        value = value[0]
    return value if isinstance(value, str) else ""


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is not JSON")
