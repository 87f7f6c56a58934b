"""What Meta says of the pages' tokens: asked only where the operator wants it."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Engine

from envoi.doctor.finding import Check, Finding, bad, listed, ok, unknown, warn
from envoi.log.credentials import Credentials
from envoi.log.page import Page
from envoi.log.pages import PageStore
from envoi.log.secrets import SecretBox
from envoi.settings import Settings
from envoi.token_check import AppToken, TokenCheck
from envoi.token_check import Finding as TokenFinding

SECONDS = 40.0  # for all questions
_AT_ONCE = 8
_TIMEOUT = 8.0  # seconds for each step of a question
_LAST = 30.0  # seconds after which no answer is waited for


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
    store = PageStore(engine, SecretBox(settings.secret_keys))
    pages, credentials = store.list(), store.all_credentials()
    told = _ask(settings, [(page, credentials[page.id]) for page in pages if page.id in credentials])
    return MetaFacts(told, [page.id for page in pages if page.id not in told])


def _ask(settings: Settings, pages: Sequence[tuple[Page, Credentials]]) -> dict[str, list[TokenFinding]]:
    """What is known when the time is up. No question keeps anybody waiting: the threads end with the process."""
    left, told, until = deque(pages), dict[str, list[TokenFinding]](), time.monotonic() + _LAST

    def ask() -> None:
        while left and time.monotonic() < until:
            try:
                page, found = left.popleft()
            except IndexError:  # another thread took the last one
                return
            platform: Literal["instagram", "messenger"] = "instagram" if page.platform == "instagram" else "messenger"
            told[page.id] = _check(settings, found).findings(page.id, platform, found.token)

    hands = [threading.Thread(target=ask, name="doctor-meta", daemon=True) for _ in range(_AT_ONCE)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join(max(0.0, until - time.monotonic()))
    return dict(told)


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
