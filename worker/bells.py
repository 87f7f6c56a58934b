"""The bell as Celery would write it, so that Redis's scripts can ring without Celery.

The first worker to start leaves a template in Redis; scripts push copies with a fresh id and a fresh delivery tag. A
malformed message would kill every worker that reads it, so the template is checked once, with the parser that will read
the copies, before it is stored.
"""

from __future__ import annotations

import json
import os
from typing import Any

from celery import Celery
from kombu.transport.virtual import Message

from envoi.queue.keys import Keys
from worker.app import BELLS

TASK = "envoi.drain"
# What bell.lua replaces. Letters only, so that no part of a message can look like them by chance.
ID, TAG = "ENVOIBELLID", "ENVOIBELLTAG"
_ID_PLACES = 3  # the task's id, the root of its tree, the correlation id


class BadTemplate(Exception):  # noqa: N818  # says what is wrong
    """Celery wrote a bell in a form that this version does not know how to copy."""


def make_template(app: Celery, keys: Keys) -> str:
    """Let Celery write one bell, and make it a template.

    It is written to a queue of its own, which nobody reads and which is taken away again.

    Raises:
        BadTemplate: the form is not the one we know.
        kombu.exceptions.OperationalError: Redis did not answer.
    """
    aside = f"template-{os.urandom(6).hex()}"
    with app.connection_for_write() as connection, connection.channel() as channel:
        app.tasks[TASK].apply_async(task_id=ID, queue=aside, connection=connection)
        written = channel.client.rpop(aside)
        channel.queue_delete(aside)
        if written is None:
            raise BadTemplate(f"no bell in the list {keys.base}{aside}")
        template = to_template(written.decode() if isinstance(written, bytes) else written, aside)
        check_template(template, channel)
    return template


def to_template(written: str, queue: str) -> str:
    """Put placeholders where each copy differs, and the real queue where ``queue`` was.

    Raises:
        BadTemplate: something is not where it was expected.
    """
    message = json.loads(written)
    try:
        tag = message["properties"]["delivery_tag"]
        message["properties"]["delivery_tag"] = TAG
    except (KeyError, TypeError):
        raise BadTemplate("no delivery tag") from None
    text = json.dumps(message).replace(f'"{queue}"', f'"{BELLS}"')
    if tag in text or queue in text or text.count(ID) != _ID_PLACES or text.count(TAG) != 1:
        raise BadTemplate("ids or names stand in unexpected places")
    return text


def check_template(template: str, channel: Any) -> None:  # noqa: ANN401  # kombu ships no types
    """Read a copy as a worker will.

    Raises:
        BadTemplate: a copy would not be read as one bell without arguments.
    """
    copy = template.replace(ID, "bell:1:1").replace(TAG, "bell:1:1")
    try:
        read = Message(json.loads(copy), channel=channel)
        arguments, keywords, _ = read.decode()
    except Exception as error:
        raise BadTemplate(f"a copy cannot be read: {error}") from error
    headers = read.headers
    if (headers.get("task"), headers.get("id"), read.delivery_tag) != (TASK, "bell:1:1", "bell:1:1"):
        raise BadTemplate("a copy names another task, id or tag")
    if arguments or keywords:
        raise BadTemplate("a copy carries arguments")
