"""The pages: tokens, pauses, what the queue knows of them, the secrets of their apps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import SecretStr
from sqlalchemy import Engine

from envoi.doctor.finding import Check, Finding, bad, listed, ok, unknown, warn
from envoi.errors import QueueUnavailable
from envoi.log.credentials import Credentials, sendable
from envoi.log.errors import BadSecretKeys
from envoi.log.page import Page
from envoi.log.pages import PageStore
from envoi.log.secrets import SecretBox, key_id
from envoi.queue.connection import translated
from envoi.queue.queue import Queue
from envoi.queue.queued_page import QueuedPage
from envoi.settings import Settings


@dataclass(frozen=True, slots=True)
class PagesFacts:
    """All pages, as log and queue have them.

    Attributes:
        credentials: of the pages whose token and app's secret could be read, by page; None: the keys are malformed.
        resealed: pages whose token and app's secret the newest key can read.
        queued: what the queue says of each page, in the same order; None: it could not be asked.
        fed: pages that webhooks come in for.
        by_key: how many pages are under each of the keys, by its id, the newest first.
        opened: whether the queue was ever opened: it is new, or wiped, where not.
    """

    settings: Settings
    pages: Sequence[Page]
    credentials: Mapping[str, Credentials] | None
    resealed: set[str]
    queued: Sequence[QueuedPage] | None
    fed: list[str]
    by_key: Mapping[str, int] = field(default_factory=dict)
    opened: bool = True


def read_pages(engine: Engine, queue: Queue) -> PagesFacts:
    """Read all pages.

    Raises:
        LogUnavailable, SchemaMissing: the log could not be read.
    """
    pages = PageStore(engine, None).list()
    keys = queue.settings.secret_keys
    credentials = _credentials(engine, keys)
    under = {key_id(key): set(_credentials(engine, [key]) or ()) for key in keys}
    resealed = next(iter(under.values()), set())
    by_key = {name: len(found) for name, found in under.items()}
    try:
        queued, fed = queue.pages([page.id for page in pages]), _fed(queue, pages)
        opened = queue.epoch() is not None
    except QueueUnavailable:
        return PagesFacts(queue.settings, pages, credentials, resealed, None, [], by_key)
    return PagesFacts(queue.settings, pages, credentials, resealed, queued, fed, by_key, opened)


def _credentials(engine: Engine, keys: Sequence[SecretStr]) -> dict[str, Credentials] | None:
    try:
        return PageStore(engine, SecretBox(keys)).all_credentials()
    except BadSecretKeys:
        return None


def _fed(queue: Queue, pages: Sequence[Page]) -> list[str]:
    with translated(), queue.redis.pipeline(transaction=False) as pipe:
        for page in pages:
            pipe.exists(queue.keys.fed(page.id))
        return [page.id for page, there in zip(pages, pipe.execute(), strict=True) if there]


def check_pages(facts: PagesFacts) -> Finding:
    """Whether there are any."""
    if not facts.pages:
        return warn("no page was added", "add one: `envoi pages add PAGE <token.txt`")
    return ok("1 page" if len(facts.pages) == 1 else f"{len(facts.pages)} pages")


def check_tokens(facts: PagesFacts) -> Finding:
    """Whether each page has a token that can be read and sent."""
    if facts.credentials is None:
        return unknown("no token can be read without keys", "see secret-keys first")
    lost = [page.id for page in facts.pages if page.id not in facts.credentials]
    if lost:
        text = f"no key of ENVOI_SECRET_KEYS fits the token, or the app's secret, of {listed(lost)}"
        return bad(text, "bring the key back on every host, or `envoi pages rotate PAGE` (`envoi apps add APP`)")
    unfit = [page for page, found in facts.credentials.items() if not sendable(found.token)]
    if unfit:
        return bad(f"the token of {listed(unfit)} cannot be sent in a header", "`envoi pages rotate PAGE`")
    old = [page.id for page in facts.pages if page.id not in facts.resealed]
    if old:
        text = f"encrypted with an older key: the token, or the app's secret, of {listed(old)}{_keys(facts)}"
        return warn(text, "`envoi pages reseal`; until then keep the older keys")
    return ok(f"all can be read{_keys(facts)}")


def _keys(facts: PagesFacts) -> str:
    """Which key how many pages are under; those of which token and secret are under two are under none."""
    told = [f"{name}: {count}" for name, count in facts.by_key.items()]
    return f" (pages by id of their key: {listed(told)})" if told else ""


def check_pauses(facts: PagesFacts) -> Finding:
    """Whether pages wait for an operator."""
    ours = {page.id: page for page in facts.pages if page.paused_since}
    if facts.queued is None:
        return unknown("the queue, which pauses pages, could not be asked", "see redis first")
    live = dict(zip([page.id for page in facts.pages], facts.queued, strict=True))
    paused = {page: found for page, found in live.items() if found.paused_since}
    by_itself = [f"{page} ({_why(found)})" for page, found in paused.items() if page not in ours]
    if by_itself:
        return bad(f"paused until somebody acts: {listed(by_itself)}", "docs/pages.md says what each reason asks for")
    asked = [f"{page} ({_why(found)})" for page, found in paused.items()]
    if asked:
        return warn(f"paused by an operator: {listed(asked)}", "`envoi pages resume PAGE` when it may go on")
    held = [f"{page} until {found.held_until:%H:%M:%SZ}" for page, found in live.items() if found.held_until]
    return ok(f"none is paused; throttled: {listed(held)}" if held else "none is paused")


def check_queue(facts: PagesFacts) -> Finding:
    """Whether the queue knows of each page what the log knows."""
    if facts.queued is None:
        return unknown("the queue could not be asked", "see redis first")
    pairs = list(zip(facts.pages, facts.queued, strict=True))
    advice = "add it again, or give it its token again (`envoi pages rotate PAGE`): both tell the queue"
    if not facts.opened:
        advice = "see gate first: `envoi recover` tells a wiped queue of them, `envoi scheduler` a new one"
    older = [page.id for page, live in pairs if live.token_version < page.token_version or live.app != page.app_id]
    if older:
        return bad(f"the queue has an older token version, or another app, of {listed(older)}", advice)
    awake = [page.id for page, live in pairs if page.paused_since and not live.paused_since]
    if awake:
        text = f"an operator paused {listed(awake)}, and the queue lets it send"
        return bad(text, "`envoi pages pause PAGE` again, or `envoi pages resume PAGE`")
    return ok("the queue knows all of them")


def check_secrets(facts: PagesFacts) -> Finding:
    """Whether the secrets of apps are there where something needs them."""
    own = facts.settings.own_app_secret
    if own is None and (facts.settings.verify_token or facts.fed):
        why = f"webhooks come in for {listed(facts.fed)}" if facts.fed else "ENVOI_VERIFY_TOKEN is set"
        text = f"{why}, and ENVOI_APP_SECRET is not set here: a web app so set takes no webhook"
        return bad(text, "set ENVOI_APP_SECRET where webhooks come in, and where calls are made")
    bare = [page.id for page in facts.pages if page.app_id is None] if own is None else []
    if bare:
        text = f"no secret is known of the app of {listed(bare)}: their calls carry no appsecret_proof"
        return warn(text, "set ENVOI_APP_SECRET, or `envoi apps add APP` and add the page with --app")
    if facts.settings.app_id is None and any(page.app_id is None for page in facts.pages):
        return ok("known; with ENVOI_APP_ID too, tokens could be asked about")
    return ok("known")


REACH = Check("pages", check_pages)
CHECKS = (
    Check("page-tokens", check_tokens),
    Check("page-pauses", check_pauses),
    Check("page-queue", check_queue),
    Check("app-secret", check_secrets),
)


def _why(page: QueuedPage) -> str:
    since = f", since {page.paused_since:%Y-%m-%d %H:%MZ}" if page.paused_since else ""
    return f"{page.reason}{since}"
