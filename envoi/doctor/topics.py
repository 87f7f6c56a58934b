"""All that the doctor looks at, in the order in which it is told."""

from __future__ import annotations

from envoi.doctor import alerts, backlog, deliveries, log, meta, pages, redis_server, setup
from envoi.doctor.finding import AnyTopic, Finding, Topic, bad
from envoi.doctor.queue_facts import QueueFacts, read_queue
from envoi.log.database import opened_log
from envoi.queue.connection import connect
from envoi.queue.queue import Queue
from envoi.settings import Settings

_START = "see that it runs and can be reached from here, and that it is the one of"


def topics(
    settings: Settings, broker: setup.Broker | None, *, ask_meta: bool, try_alerts: bool = False
) -> list[AnyTopic]:
    """Everything that can be looked at with these settings.

    Args:
        settings: of this host.
        broker: what the worker's Celery application is configured with; None: there is no worker on this host.
        ask_meta: whether Meta is asked about the pages' tokens.
        try_alerts: whether a test is sent to where alerts go.
    """
    reader = _Reader(settings)
    found: list[AnyTopic] = [
        Topic(
            name="this host's setup",
            read=lambda: setup.read_setup(settings, broker),
            reach=setup.REACH,
            checks=setup.CHECKS,
            unreachable="see the message",
        ),
        Topic(
            name="Redis",
            read=reader.redis,
            reach=redis_server.REACH,
            checks=redis_server.CHECKS,
            unreachable=f"{_START} ENVOI_REDIS_URL",
        ),
        Topic(
            name="the queue",
            read=reader.queue,
            reach=deliveries.REACH,
            checks=(*deliveries.CHECKS, *backlog.CHECKS),
            built_on="redis",
        ),
        Topic(
            name="the log",
            read=reader.log,
            reach=log.REACH,
            checks=log.CHECKS,
            unreachable=f"{_START} ENVOI_DATABASE_URL",
        ),
        Topic(name="the pages", read=reader.pages, reach=pages.REACH, checks=pages.CHECKS, built_on="sql"),
    ]
    if ask_meta:
        found.append(
            Topic(name="Meta", read=reader.meta, reach=meta.REACH, checks=(), built_on="sql", seconds=meta.SECONDS)
        )
    if try_alerts:
        found.append(
            Topic(
                name="alerts",
                read=lambda: alerts.try_alerts(settings),
                reach=alerts.REACH,
                checks=(),
                unreachable="see the message",
                seconds=alerts.SECONDS,
            )
        )
    return found


def malformed(why: str) -> list[Finding]:
    """All that can be found where the settings are malformed."""
    return [setup.REACH.signed(bad(why, "correct them; docs/settings.md lists all"))]


class _Reader:
    """Opens what is to be read, in the thread that reads it, and closes it again."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def redis(self) -> redis_server.RedisFacts:
        with connect(self._settings.redis_url) as client:
            return redis_server.read_redis(client, self._settings.loss_bound)

    def queue(self) -> QueueFacts:
        with connect(self._settings.redis_url) as client:
            return read_queue(Queue(client, self._settings))

    def log(self) -> log.LogFacts:
        with opened_log(self._settings.database_url) as engine:
            return log.read_log(engine, self._settings)

    def pages(self) -> pages.PagesFacts:
        with opened_log(self._settings.database_url) as engine, connect(self._settings.redis_url) as client:
            return pages.read_pages(engine, Queue(client, self._settings))

    def meta(self) -> meta.MetaFacts:
        with opened_log(self._settings.database_url) as engine:
            return meta.read_meta(engine, self._settings)
