"""A bell whose acknowledgement is lost with its connection does not make the worker deaf."""

from __future__ import annotations

from typing import Any

import pytest
import redis
from celery import Celery
from celery.worker.request import Request
from kombu import Consumer

from worker.bell_request import BellRequest
from worker.bells import TASK


def heard_after_a_lost_acknowledgement(app: Celery, kind: type[Request], monkeypatch: pytest.MonkeyPatch) -> int:
    """Ring twice; the acknowledgement of the first bell finds its connection broken. Returns how many were heard."""
    heard: list[Any] = []
    with app.connection_for_read() as connection, connection.channel() as channel:
        consumer = Consumer(channel, queues=list(app.amqp.queues.values()), accept=["json"])
        consumer.register_callback(lambda _, message: heard.append(message))
        consumer.qos(prefetch_count=1)
        consumer.consume()
        for _ in range(2):
            app.tasks[TASK].apply_async()
        connection.drain_events(timeout=5)
        (bell,) = heard
        request = kind(bell, app=app, task=app.tasks[TASK], connection_errors=connection.connection_errors)
        with monkeypatch.context() as broken:
            broken.setattr(channel.qos, "_remove_from_indices", lambda _: Broken())
            request.acknowledge()
        if channel.qos.can_consume():  # else the worker's loop would not ask at all
            connection.drain_events(timeout=5)
    return len(heard)


class Broken:
    """A transaction whose connection has gone."""

    def execute(self) -> None:
        raise redis.exceptions.ConnectionError("Connection reset by peer")


def test_the_next_bell_is_heard(app: Celery, monkeypatch: pytest.MonkeyPatch) -> None:
    assert heard_after_a_lost_acknowledgement(app, BellRequest, monkeypatch) == 2


def test_celery_alone_would_be_deaf(app: Celery, monkeypatch: pytest.MonkeyPatch) -> None:
    assert heard_after_a_lost_acknowledgement(app, Request, monkeypatch) == 1
