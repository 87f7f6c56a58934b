"""What Flower sees: jobs, as Celery task events. Bells stay out of sight.

The uuid of a "task" is the job's id, its name ``envoi.send``, its result the message id, its exception Graph's error.
Neither text, nor token, nor a whole recipient is in an event: they are kept on a web page.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections import deque
from typing import Any

import redis
import structlog
from celery import Celery
from celery.utils.time import utcoffset
from kombu.exceptions import OperationalError

from envoi.events import GraphError
from envoi.json_text import dumped
from envoi.states import State
from worker.delivery import Delivery

NAME = "envoi.send"
_FLUSH_EVERY = 0.2  # seconds that events wait for company: one publish carries many
_BATCH = 500  # each publish makes kombu a client of its own, which costs as much as fifty events
_BACKLOG = 20_000  # events kept while the broker is away; beyond that Flower's rows are lost, never a job
_RETRY = 1.0  # seconds
_NO_TIMES = {"eta": None, "expires": None}
_SUCCEEDED = frozenset({State.SENT, "sent: late"})
_FAILED = frozenset({State.FAILED, State.EXPIRED})
_RETRIED = frozenset({"retry", "unsure", "back"})
_AWAY = (OperationalError, redis.ConnectionError, redis.TimeoutError, OSError)  # what a broker that is away looks like

log = structlog.get_logger()

Event = dict[str, Any]  # as Celery's own


class FlowerEvents:
    """A watcher of the engine that publishes task events from a thread of its own.

    Args:
        app: whose broker and event exchange are used.
        hostname: the Celery worker's node name, so that jobs stand under their worker.
    """

    def __init__(self, app: Celery, hostname: str) -> None:
        self._app = app
        self._hostname = hostname
        self._events: deque[Event] = deque()
        # The publishing thread sleeps through the time in which events gather: to wake it for each would cost the
        # engine's thread a hand-over of the interpreter's lock an event.
        self._come = threading.Event()  # there is something to publish, or the end
        self._hurry = threading.Event()  # it is not to wait for company
        self._dropped = 0
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="envoi-flower", daemon=True)

    def start(self) -> None:
        """Start publishing."""
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """Publish what is left, for so long at most."""
        self._stopping = True
        self._hurry.set()
        self._come.set()
        self._thread.join(seconds)

    def started(self, delivery: Delivery) -> None:
        """A worker took a job: received and started."""
        held, now = delivery.held, time.time()
        retries = held.attempt - 1
        described = {"name": NAME, "args": "()", "kwargs": redacted(held.job, held.lane), "retries": retries}
        self._put({"type": "task-received", "uuid": held.job_id, "timestamp": now, **described, **_NO_TIMES})
        self._put({"type": "task-started", "uuid": held.job_id, "timestamp": now})

    def ended(self, delivery: Delivery, came_to: str, seconds: float) -> None:
        """An attempt is over: a final state, or another try."""
        event: Event = {"uuid": delivery.held.job_id, "timestamp": time.time()}
        if came_to in _SUCCEEDED:
            self._put({**event, "type": "task-succeeded", "result": delivery.message_id or "", "runtime": seconds})
        elif came_to in _FAILED:
            self._put({**event, "type": "task-failed", "exception": told(came_to, delivery.error), "traceback": ""})
        elif came_to == State.CANCELLED:
            self._put({**event, "type": "task-revoked", "terminated": False, "signum": None, "expired": False})
        elif came_to in _RETRIED:
            self._put({**event, "type": "task-retried", "exception": told(came_to, delivery.error), "traceback": ""})
            self._hurry.set()
        # A typing pause, a wait for the page's pace: the job is on its way. "stale": another worker has it now.

    def _put(self, event: Event) -> None:
        if len(self._events) >= _BACKLOG:
            self._dropped += 1
            return
        self._events.append(event)
        if not self._come.is_set():
            self._come.set()

    def _run(self) -> None:
        """Publish in batches; without a broker, wait for it."""
        batch: list[Event] = []
        away = over = False
        while not over:
            try:
                with self._app.connection_for_write() as connection:
                    dispatcher = self._dispatcher(connection)
                    while not over:
                        if not batch:  # else it is the one that could not be published
                            self._gather(batch)
                        self._publish(dispatcher, batch)
                        away = False
                        over = self._stopping and not self._events
            except _AWAY as error:
                if not away:
                    log.warning("Flower's events wait for the broker", action="flower", error=str(error))
                away = True
                time.sleep(_RETRY)
            except Exception:
                log.exception("events for Flower are lost", action="flower", lost=len(batch))
                batch.clear()
                time.sleep(_RETRY)

    def _dispatcher(self, connection: Any) -> Any:  # noqa: ANN401  # Celery ships no types
        return self._app.events.Dispatcher(connection, hostname=self._hostname, buffer_while_offline=False)

    def _publish(self, dispatcher: Any, batch: list[Event]) -> None:  # noqa: ANN401  # Celery ships no types
        """All in one message, a list, which Celery's receivers take apart.

        Celery's own way there, event by event through the dispatcher's buffer, costs more than all the rest; and to
        make the text is half of what remains.
        """
        common = {"hostname": self._hostname, "pid": os.getpid(), "utcoffset": utcoffset()}
        common["clock"] = self._app.clock.forward()  # the same for all: among themselves they have their timestamps
        for event in batch:
            event.update(common)
        dispatcher.producer.publish(
            _json(batch),
            routing_key="task.multi",
            exchange=dispatcher.exchange.name,
            declare=[dispatcher.exchange],
            content_type="application/json",
            content_encoding="utf-8",
            headers=dispatcher.headers,
            delivery_mode=dispatcher.delivery_mode,
        )
        batch.clear()
        if self._dropped:
            dropped, self._dropped = self._dropped, 0
            log.warning("events for Flower were lost while the broker was away", action="flower", lost=dropped)

    def _gather(self, batch: list[Event]) -> None:
        """Fill a batch: what comes within the flush time.

        After a retry nothing more is waited for: the next attempt may be another worker's, and Flower believes
        whatever it hears last, so this must be heard before that attempt's end.
        """
        self._come.wait()
        if len(self._events) < _BATCH:
            self._hurry.wait(_FLUSH_EVERY)
        self._hurry.clear()
        self._come.clear()
        while self._events and len(batch) < _BATCH:
            batch.append(self._events.popleft())
        if self._events or self._stopping:  # the rest of what hurries may be behind it
            self._hurry.set()
            self._come.set()


def _json(batch: list[Event]) -> bytes:
    try:
        return dumped(batch)
    except ValueError:  # half a surrogate pair in somebody's name for a recipient: the others are shown all the same
        return json.dumps(batch).encode()


def redacted(job: dict[str, Any], lane: str) -> str:
    """What may be shown of a job: its page, the end of its recipient, the kinds of its contents, never the contents."""
    kind, value = next(iter(job["recipient"].items()))
    who = f"'page': '{job['page']}', '{kind}': '…{str(value)[-4:]}', 'lane': '{lane}'"
    if "sender_action" in job:
        return f"{{{who}, 'sender_action': '{job['sender_action']}'}}"
    parts = (f"{part}({len(text)})" if isinstance(text, str) else part for part, text in job["message"].items())
    return f"{{{who}, 'message': '{', '.join(parts)}'}}"


def told(came_to: str, error: GraphError | None) -> str:
    """An error as Flower shows it: ``Graph error 100/2018001: No matching user found``."""
    if error is None:
        return came_to
    code = "" if error.code is None else f" {error.code}" + ("" if error.subcode is None else f"/{error.subcode}")
    return f"{'Graph error' if code else came_to}{code}: {error.message}"
