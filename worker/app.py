"""The Celery application: one queue of bells on Redis, with the settings that experience asks for (DESIGN 6)."""

from __future__ import annotations

from typing import Any

from celery import Celery
from celery.worker.consumer import Consumer
from kombu import Exchange, Queue

from envoi.broker_variables import turning
from envoi.errors import BadSettings, Problem
from envoi.queue.keys import Keys
from envoi.settings import Settings

BELLS = "bells"  # behind the queue's prefix: the list `{tag}:bells`, which the scripts push to as well


class QuietConsumer(Consumer):  # type: ignore[misc]  # Celery ships no types
    """A consumer without gossip and mingle: they leak keys, and our workers have nothing to tell each other."""

    def __init__(
        self,
        *args: Any,  # noqa: ANN401  # Celery's own
        worker_options: dict[str, Any] | None = None,
        **options: Any,  # noqa: ANN401  # Celery's own
    ) -> None:
        quiet = {**(worker_options or {}), "without_gossip": True, "without_mingle": True}
        super().__init__(*args, worker_options=quiet, **options)


def make_app(found: Settings) -> Celery:
    """The Celery application of a queue, for workers, Flower and beat. Nothing is connected yet.

    Raises:
        BadSettings: a variable of Celery's own turns it to another broker.
    """
    if turned := turning(found.redis_url):
        why = "must not be set, or be as ENVOI_REDIS_URL: Celery would listen there, where nobody rings"
        raise BadSettings(*(Problem(name, why) for name in turned))
    app = Celery("envoi", broker=found.redis_url, set_as_current=False)
    app.conf.update(
        broker_transport_options={
            "global_keyprefix": Keys(found.redis_tag).base,
            "visibility_timeout": 120,
            "unacked_restore_interval": 5,
            "unacked_restore_throttle": 1,
            "socket_timeout": 5,
            "socket_connect_timeout": 3,
            "health_check_interval": 10,
            "max_connections": 30,
            "priority_steps": [0],  # one list a queue, so that LLEN is the number of unread bells
            "queue_order_strategy": "round_robin",
        },
        broker_connection_max_retries=None,
        broker_connection_retry=True,
        broker_connection_retry_on_startup=True,
        broker_channel_error_retry=True,
        result_backend=None,
        task_ignore_result=True,
        task_serializer="json",
        accept_content=["json"],
        task_default_queue=BELLS,
        task_queues=[Queue(BELLS, Exchange(BELLS, type="direct"), routing_key=BELLS)],
        task_default_delivery_mode="transient",  # Redis keeps what it keeps; a lost bell is rung again
        task_time_limit=None,  # a drain ends by itself; a time limit would kill calls in flight
        worker_pool="threads",
        worker_concurrency=1,  # drains at once; conversations in flight are ENVOI_CONCURRENCY
        worker_prefetch_multiplier=1,
        worker_consumer="worker.app:QuietConsumer",
        worker_send_task_events=True,  # without it Flower's remote control would have to switch them on
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        event_queue_expires=60,
        event_queue_ttl=60,
    )
    return app
