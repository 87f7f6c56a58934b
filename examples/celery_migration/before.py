"""Before: the task that many apps have. It works on a good day; docs/migrating.md says what happens on the others."""

from __future__ import annotations

import os

import requests
from celery import Celery

GRAPH = os.environ.get("GRAPH_URL", "https://graph.facebook.com")
app = Celery("shop", broker=os.environ.get("BROKER_URL", "redis://127.0.0.1:6379/0"))


@app.task(
    name="shop.send_message",
    autoretry_for=(requests.RequestException,),
    retry_backoff=True,
    max_retries=5,
)
def send_message(person: str, text: str) -> str:
    call(person, sender_action="typing_on")
    answer = call(person, messaging_type="RESPONSE", message={"text": text})
    call(person, sender_action="typing_off")  # if this fails, the whole task is tried again: the message goes twice
    return str(answer["message_id"])


def call(person: str, **body: object) -> dict[str, object]:
    answer = requests.post(
        f"{GRAPH}/v25.0/me/messages",
        params={"access_token": os.environ["PAGE_TOKEN"]},  # it is in every access log and every exception
        json={"recipient": {"id": person}, **body},
        timeout=10,  # the message may have been taken all the same
    )
    answer.raise_for_status()
    found: dict[str, object] = answer.json()
    return found


def order_placed(person: str, number: int) -> None:
    send_message.delay(person, f"Your order {number} has been placed.")
