"""All that the doctor looks at, in the order in which it is told."""

from __future__ import annotations

from envoi.doctor import backlog, deliveries, log, meta, pages, redis_server, setup
from envoi.doctor.finding import AnyTopic, Finding, Topic, bad
from envoi.doctor.queue_facts import read_queue
from envoi.log.database import open_log
from envoi.queue.connection import connect
from envoi.queue.queue import Queue
from envoi.settings import Settings

_SECONDS = (
    12.0  # for each topic; connections give up sooner, but a frozen server may answer each time at the last moment
)
_START = "see that it runs and is reached from here, then"


def topics(settings: Settings, broker: setup.Broker | None, *, ask_meta: bool) -> list[AnyTopic]:
    """Everything that can be looked at with these settings.

    Args:
        settings: of this host.
        broker: what the worker's Celery application is configured with; None: there is no worker on this host.
        ask_meta: whether Meta is asked about the pages' tokens.
    """

    def queue() -> Queue:
        return Queue(connect(settings.redis_url), settings)  # one connection pool a topic: each has its own thread

    def read_log() -> log.LogFacts:
        return log.read_log(open_log(settings.database_url), settings)

    sql = Topic("the log", read_log, _SECONDS, log.REACH, f"{_START} see ENVOI_DATABASE_URL", log.CHECKS)
    found: list[AnyTopic] = [
        Topic(
            "this host's setup",
            lambda: setup.read_setup(settings, broker),
            _SECONDS,
            setup.REACH,
            "see the message",
            setup.CHECKS,
        ),
        Topic(
            "Redis",
            lambda: redis_server.read_redis(connect(settings.redis_url), settings.loss_bound),
            _SECONDS,
            redis_server.REACH,
            f"{_START} see ENVOI_REDIS_URL",
            redis_server.CHECKS,
        ),
        Topic(
            "the queue",
            lambda: read_queue(queue()),
            _SECONDS,
            deliveries.REACH,
            "",
            (*deliveries.CHECKS, *backlog.CHECKS),
            built_on="redis",
        ),
        sql,
        Topic(
            "the pages",
            lambda: pages.read_pages(open_log(settings.database_url), queue()),
            _SECONDS,
            pages.REACH,
            "",
            pages.CHECKS,
            built_on="sql",
        ),
    ]
    if ask_meta:
        asked = lambda: meta.read_meta(open_log(settings.database_url), settings)  # noqa: E731  # as the others
        found.append(Topic("Meta", asked, meta.SECONDS, meta.REACH, "", (), built_on="sql"))
    return found


def malformed(why: str) -> list[Finding]:
    """All that can be found where the settings are malformed."""
    return [setup.REACH.signed(bad(why, "correct them; docs/settings.md lists all"))]
