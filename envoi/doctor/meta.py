"""What Meta says of the pages' tokens: asked only where the operator wants it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from sqlalchemy import Engine

from envoi.doctor.finding import Check, Finding, bad, listed, ok, unknown, warn
from envoi.doctor.log import see_file
from envoi.log.credentials import Credentials
from envoi.log.pages import Page, PageStore
from envoi.log.secrets import SecretBox
from envoi.settings import Settings
from envoi.token_check import AppToken, TokenCheck
from envoi.token_check import Finding as TokenFinding

SECONDS = 40.0  # for all questions
_AT_ONCE = 8
_TIMEOUT = 8.0  # seconds for each step of a question
_LAST = 30.0  # seconds after which no further page is asked about


@dataclass(frozen=True, slots=True)
class MetaFacts:
    """What Meta said.

    Attributes:
        told: by page, all that is wrong or doubtful.
        left: pages that were not asked about, for want of time or of a token that can be read.
    """

    told: Mapping[str, list[TokenFinding]]
    left: list[str]


def read_meta(engine: Engine, settings: Settings) -> MetaFacts:
    """Ask Meta about every page's token: two questions each, eight pages at once.

    Raises:
        LogUnavailable, SchemaMissing, BadSecretKeys: no token could be read.
    """
    see_file(engine)
    store, until = PageStore(engine, SecretBox(settings.secret_keys)), time.monotonic() + _LAST
    pages, credentials = store.list(), store.all_credentials()

    def ask(page: Page) -> list[TokenFinding] | None:
        found = credentials.get(page.id)
        if found is None or time.monotonic() > until:
            return None
        check = _check(settings, found)
        return check.findings(page.id, "instagram" if page.platform == "instagram" else "messenger", found.token)

    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="doctor-meta") as hands:
        answers = dict(zip([page.id for page in pages], hands.map(ask, pages), strict=True))
    told = {page: found for page, found in answers.items() if found is not None}
    return MetaFacts(told, [page for page, found in answers.items() if found is None])


def _check(settings: Settings, found: Credentials) -> TokenCheck:
    app = found.app or settings.app_id
    secret = found.app_secret if found.app else settings.own_app_secret
    base = f"{found.graph_url or settings.graph_url}/{settings.graph_version}"
    known = AppToken(app, secret) if app and secret else None
    return TokenCheck(base, min(_TIMEOUT, settings.action_timeout), secret, known)


def check_meta(facts: MetaFacts) -> Finding:
    """Whether the tokens live, are the pages' own, and may send."""
    fatal = [f"{page}: {one.text}" for page, found in facts.told.items() for one in found if one.fatal]
    if fatal:
        return bad("; ".join(fatal[:_AT_ONCE]), "`envoi pages rotate PAGE` with a token that has what is missing")
    doubts = [f"{page}: {one.text}" for page, found in facts.told.items() for one in found]
    if doubts:
        return warn("; ".join(doubts[:_AT_ONCE]), "give the page a new token in time, or ask again when Meta answers")
    if facts.left:
        return unknown(f"not asked about: {listed(facts.left)}", "see page-tokens, or ask again")
    return ok(f"{len(facts.told)} tokens live, are the pages' own and may send")


REACH = Check("page-meta", check_meta)
