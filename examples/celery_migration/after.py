"""After: the app enqueues, Envoi delivers. The old task stays until its queue is empty: it hands over what it finds."""

from __future__ import annotations

import os

from celery import Celery, Task

from envoi import Envoi, InvalidJob, QueueFull, QueueUnavailable, Recovering

PAGE = os.environ.get("PAGE_ID", "100000000000001")
app = Celery("shop", broker=os.environ.get("BROKER_URL", "redis://127.0.0.1:6379/0"))
envoi = Envoi()


def order_placed(person: str, number: int) -> str:
    return envoi.send(PAGE, person, f"Your order {number} has been placed.", key=f"order-{number}")


@app.task(
    name="shop.send_message",
    bind=True,
    autoretry_for=(QueueUnavailable, QueueFull, Recovering),
    dont_autoretry_for=(InvalidJob,),
    retry_backoff=True,
    max_retries=None,
)
def send_message(self: Task, person: str, text: str) -> str:
    """What was enqueued by the old version. The task's id as the key: run twice, it is sent once."""
    return envoi.send(PAGE, person, text, key=f"celery-{self.request.id}")


@app.task(name="shop.told")
def told(job_id: str, state: str, error: dict[str, object] | None = None, **_: object) -> None:
    """In place of the task's result, for jobs with ``on_outcome="celery:shop.told"`` (docs/outcomes.md)."""
    if state != "sent":
        print(f"{job_id} ended {state}: {error}")  # noqa: T201  # your own alarm
