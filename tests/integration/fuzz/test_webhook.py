"""Malformed webhooks: each is refused in words or taken, none is half taken, and no scheduler stumbles over one."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable

import pytest
import redis
from sqlalchemy import Engine

from envoi import BadSignature, Envoi, InvalidWebhook, State
from envoi.client import open_queue
from envoi.queue.keys import Keys
from envoi.settings import settings
from scheduler.log_writer import LogWriter
from scheduler.receipts import ReceiptWriter
from scheduler.webhooks import WebhookNotices
from tests.integration.fuzz.chance import EXAMPLES, PATIENCE, Chance
from tests.integration.fuzz.hooks import SECRET, WRITTEN, Hook, malformed, signed, whole

pytestmark = pytest.mark.timeout(PATIENCE)
KEYS = Keys()
SLOWEST = 2.0  # CPU seconds for one webhook
BYSTANDER = "2002"  # a page that no webhook is about


@pytest.fixture
def engine(migrated_sqlite_log: Engine) -> Engine:
    """An empty, migrated log."""
    return migrated_sqlite_log


@pytest.fixture
def envoi(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Envoi:
    """A client that takes webhooks, of an open queue."""
    monkeypatch.setenv("ENVOI_APP_SECRET", SECRET)
    settings.cache_clear()
    opened = open_queue(redis_url)
    opened.open_gate(opened.run_id())
    return Envoi(redis_url)


def held(client: redis.Redis) -> tuple[int, int, int]:
    """How much of webhooks Redis holds."""
    return client.dbsize(), client.xlen(KEYS.told), client.xlen(KEYS.receipts)


def came_to(envoi: Envoi, client: redis.Redis, hook: Hook) -> str:
    """What became of a webhook, for the count: taken, or refused in words with nothing taken."""
    before, started = held(client), time.process_time()
    try:
        envoi.webhook(hook.body, hook.signature)
    except BadSignature as error:
        assert not hook.genuine
        told = str(error)
    except InvalidWebhook as error:
        assert hook.genuine
        told = str(error)
    else:
        assert hook.may_pass
        return "taken"
    finally:
        assert time.process_time() - started < SLOWEST
    assert held(client) == before
    assert 0 < len(told) < 300
    assert WRITTEN not in told
    return "refused"


def applied(client: redis.Redis, *turns: Callable[[], int]) -> None:
    """Schedulers take all that waits; nothing that people wrote was kept meanwhile."""
    for stream in (KEYS.told, KEYS.receipts):
        assert WRITTEN not in str(client.xrange(stream))
    for turn in turns:
        while turn():
            pass
    assert held(client)[1:] == (0, 0)


def test_a_malformed_webhook_is_refused_or_taken_and_stops_nobody(
    envoi: Envoi, redis_client: redis.Redis, redis_url: str, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    waiting = envoi.send(BYSTANDER, "7001", "hello")
    queue = open_queue(redis_url)
    notices, receipts = WebhookNotices(queue), ReceiptWriter(queue, engine, again=0.0)
    turns = (LogWriter(queue, engine).turn, notices.turn, receipts.turn)
    chance = Chance("webhook")
    count: Counter[tuple[str, str]] = Counter()
    for _ in range(EXAMPLES):
        hook = malformed(chance.next())
        try:
            count[hook.kind, came_to(envoi, redis_client, hook)] += 1
            if chance.number % 500 == 0:
                applied(redis_client, *turns)
        except BaseException as error:
            error.add_note(f"{chance}: {hook.body!r:.500}, signature {hook.signature!r:.100}")
            raise
    applied(redis_client, *turns)
    assert receipts.odd == 0  # what was taken can be logged
    assert envoi.status(waiting).state is State.QUEUED
    told = capsys.readouterr()
    assert "could not be applied" not in told.out + told.err
    assert WRITTEN not in told.out + told.err
    assert {kind for kind, _ in count} == {"objects", "text", "bytes", "signatures", "another body", "no bytes"}
    print("", *(f"{kind}: {found} {how}" for (kind, how), found in sorted(count.items())), sep="\n")


def test_whole_webhooks_are_taken_whatever_they_tell(envoi: Envoi, redis_client: redis.Redis) -> None:
    chance = Chance("whole webhook")
    for _ in range(EXAMPLES // 20):
        body = json.dumps(whole(chance.next())).encode()
        assert came_to(envoi, redis_client, Hook("whole", body, signed(body), may_pass=True)) == "taken", chance
