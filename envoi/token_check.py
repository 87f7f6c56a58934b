"""What Graph says of a page's token: whose it is, whether it lives, what it may do (SEND_API 1 and 6).

``GET /me`` with the token tells whose it is; ``GET /debug_token`` with an app's token tells the rest. The task
``MESSAGE`` of the person who gave the token cannot be asked for with a page's token: the first send shows it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import SecretStr

from envoi.graph_read import GraphAnswer, GraphUnreachable, read
from envoi.log.credentials import proof_of

_SCOPES = {
    "messenger": ("pages_messaging",),
    "instagram": ("instagram_manage_messages", "instagram_business_manage_messages"),  # linked page | Instagram login
}
_SOON = 7 * 86400.0  # seconds: a token that ends within a week is told
_GRAPH_FAILED = frozenset({-1, 1, 2, 4, 17, 32, 341, 613})  # Graph's own trouble, or a limit: nothing of the token


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that an operator should know.

    Attributes:
        fatal: no message could be sent with this token; else it is a warning.
    """

    text: str
    fatal: bool


@dataclass(frozen=True, slots=True)
class AppToken:
    """What an app's token is made of (SEND_API 6: ``id|secret``)."""

    app: str
    secret: SecretStr

    @property
    def token(self) -> SecretStr:
        """As ``debug_token`` takes it."""
        return SecretStr(f"{self.app}|{self.secret.get_secret_value()}")


@dataclass(frozen=True, slots=True)
class TokenCheck:
    """Asks Graph about the tokens of one app's pages.

    Attributes:
        base: address of the host with the version.
        timeout: seconds for each step of a question.
        secret: of the app, for ``appsecret_proof``; None: none is known.
        app: with it ``debug_token`` can be asked; None: its id or its secret is not known.
    """

    base: str
    timeout: float
    secret: SecretStr | None = None
    app: AppToken | None = None

    def findings(self, page: str, platform: Literal["messenger", "instagram"], token: SecretStr) -> list[Finding]:
        """All that is wrong or doubtful; empty: the token is the page's and may send, as far as can be asked.

        Args:
            page: the page's id.
            platform: where it is.
            token: the page's.
        """
        try:
            whose = self._whose(page, platform, token)
            if any(finding.fatal for finding in whose):
                return whose
            return [*whose, *self._debugged(platform, token)]
        except GraphUnreachable as error:
            return [Finding(f"the token was not checked, or not all of it: {error}", fatal=False)]

    def lives(self, token: SecretStr) -> bool | None:
        """Whether a token is valid, by ``debug_token``; None: nobody could say."""
        if self.app is None:
            return None
        try:
            data = self._debug(self.app, token).body.get("data")
        except GraphUnreachable:
            return None
        found = data.get("is_valid") if isinstance(data, dict) else None
        return found if isinstance(found, bool) else None

    def _whose(self, page: str, platform: str, token: SecretStr) -> list[Finding]:
        proof = {"appsecret_proof": proof_of(token, self.secret)} if self.secret else {}
        answer = read(self.base, "me", token, {"fields": "id,name", **proof}, self.timeout)
        if answer.refused:
            if answer.body.get("code") in _GRAPH_FAILED:
                raise GraphUnreachable(f"Graph failed: {answer.told()}")
            return [Finding(f"Graph refuses the token ({answer.told()})", fatal=True)]
        found = answer.body.get("id")
        if found == page:
            return []
        # An Instagram account has several ids, and which of them /me tells depends on the login.
        name = f" ({answer.body['name']})" if answer.body.get("name") else ""
        return [Finding(f"the token is of {found}{name}, not of page {page}", fatal=platform == "messenger")]

    def _debugged(self, platform: Literal["messenger", "instagram"], token: SecretStr) -> list[Finding]:
        if self.app is None:
            return []
        answer = self._debug(self.app, token)
        data = answer.body.get("data")
        if answer.refused or not isinstance(data, dict):
            return [Finding(f"debug_token does not answer for app {self.app.app} ({answer.told()})", fatal=False)]
        return _read_data(data, platform, self.app.app)

    def _debug(self, app: AppToken, token: SecretStr) -> GraphAnswer:
        return read(self.base, "debug_token", app.token, {"input_token": token}, self.timeout)


def _read_data(data: dict[str, Any], platform: Literal["messenger", "instagram"], app: str) -> list[Finding]:
    if data.get("is_valid") is not True:
        error = data.get("error")
        why = f": {error.get('message')}" if isinstance(error, dict) else ""
        return [Finding(f"the token is not valid{why}", fatal=True)]
    found = []
    if str(data.get("app_id", app)) != app:
        found.append(Finding(f"the token is of app {data['app_id']}, not of app {app}", fatal=True))
    scopes = data.get("scopes")
    needed = _SCOPES[platform]
    if isinstance(scopes, list) and not set(needed) & set(map(str, scopes)):
        found.append(Finding(f"the permission {' or '.join(needed)} is missing", fatal=True))
    ends = data.get("expires_at")
    if isinstance(ends, int | float) and 0 < ends < time.time() + _SOON:
        found.append(Finding(f"the token ends {time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime(ends))}", fatal=False))
    return found
