"""An app's own Celery: what a task of it is told goes to a list in its Redis, as the app's database would have it."""

from __future__ import annotations

import json
import os
from typing import Any

import redis
from celery import Celery

TOLD = "told"

app = Celery("shop", broker=os.environ.get("SHOP_BROKER_URL", "memory://"), set_as_current=False)
app.conf.update(worker_hijack_root_logger=False, task_acks_late=True, broker_connection_retry_on_startup=True)


@app.task(name="shop.told", bind=True)  # type: ignore[untyped-decorator]  # Celery ships no types
def told(self: Any, **outcome: Any) -> None:
    with redis.Redis.from_url(os.environ["SHOP_BROKER_URL"]) as client:
        client.rpush(TOLD, json.dumps({**outcome, "task": self.request.id}))
