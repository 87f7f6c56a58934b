"""A page's token, asked about before it is kept. Loads SQLAlchemy, as :mod:`envoi.cli.log` does."""

from __future__ import annotations

from pydantic import SecretStr

from envoi.cli import log
from envoi.cli.output import warn
from envoi.errors import EnvoiError
from envoi.settings import Settings, settings
from envoi.token_check import AppToken, TokenCheck


class UnfitToken(EnvoiError):  # noqa: N818  # says what is wrong, as its siblings do
    """Graph says that no message could be sent with this token. Nothing was changed."""


def see(page: str, token: SecretStr, platform: str, app: str | None, graph_url: str | None) -> None:
    """Ask Graph about a token; warn of what is doubtful.

    Args:
        page: the page's id.
        token: to be kept for it.
        platform: where the page is.
        app: its app; None: that of ``ENVOI_APP_SECRET``.
        graph_url: its host; None: its app's, else ``ENVOI_GRAPH_URL``.

    Raises:
        UnfitToken: all that is missing.
        UnknownApp: the app was never added.
    """
    check = _check(settings(), app, graph_url)
    found = check.findings(page, "instagram" if platform == "instagram" else "messenger", token)
    for finding in found:
        if not finding.fatal:
            warn(finding.text)
    fatal = [finding.text for finding in found if finding.fatal]
    if fatal:
        raise UnfitToken(f"page {page}: {'; '.join(fatal)}. Nothing was changed; --no-check takes it all the same")


def _check(rules: Settings, app: str | None, graph_url: str | None) -> TokenCheck:
    secret, app_id = rules.own_app_secret, rules.app_id
    if app is not None:
        app_id = app
        with log.opened_apps() as store:
            secret = store.secret(app)
            graph_url = graph_url or store.graph_url(app)
    known = AppToken(app_id, secret) if app_id and secret else None
    base = f"{graph_url or rules.graph_url}/{rules.graph_version}"
    return TokenCheck(base, rules.action_timeout, secret, known)
