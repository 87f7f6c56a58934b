"""The usual Celery task by somebody who has read on: each thread of the pool, or greenlet, has a ``Session``."""

from __future__ import annotations

import os
import threading

import requests
from celery import Celery

from benchmarks.usual.models import SentMessage, new_session

app = Celery("shop", broker=os.environ["CELERY_BROKER_URL"])
app.conf.task_ignore_result = True

GRAPH_URL = os.environ["GRAPH_URL"]
PAGE_ACCESS_TOKEN = os.environ["PAGE_ACCESS_TOKEN"]

_local = threading.local()


def session() -> requests.Session:
    """This thread's own: connections are kept, and two threads never share one."""
    found: requests.Session | None = getattr(_local, "session", None)
    if found is None:
        found = _local.session = requests.Session()
        found.params = {"access_token": PAGE_ACCESS_TOKEN}
    return found


def call_send_api(page_id: str, body: dict[str, object]) -> dict[str, str]:
    """Make one call.

    Raises:
        requests.RequestException: it failed.
    """
    response = session().post(f"{GRAPH_URL}/v25.0/{page_id}/messages", json=body, timeout=30)
    response.raise_for_status()
    answer: dict[str, str] = response.json()
    return answer


@app.task(autoretry_for=(requests.RequestException,), retry_backoff=True, max_retries=5)  # type: ignore[untyped-decorator]  # Celery has no types
def send_message(page_id: str, recipient_id: str, text: str) -> None:
    """Show the bubble, send the message, hide the bubble, write the outcome down."""
    recipient = {"id": recipient_id}
    call_send_api(page_id, {"recipient": recipient, "sender_action": "typing_on"})
    answer = call_send_api(page_id, {"recipient": recipient, "messaging_type": "RESPONSE", "message": {"text": text}})
    call_send_api(page_id, {"recipient": recipient, "sender_action": "typing_off"})
    with new_session() as database:
        database.add(
            SentMessage(page_id=page_id, recipient_id=recipient_id, text=text, message_id=answer["message_id"])
        )
        database.commit()
