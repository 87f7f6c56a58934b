"""The app's own broker, as far as outcomes need it: one task message each."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from envoi.errors import EnvoiError
from envoi.outcomes import Outcome


class BrokerUnavailable(EnvoiError):  # noqa: N818  # named like QueueUnavailable, its counterpart
    """The app's broker did not take a task. Says what kind of error it was, not the address, which may be secret."""


class TaskBroker:
    """Sends tasks to an app's Celery workers. Nothing is connected, nor Celery loaded, before the first one.

    Args:
        url: of the broker, as Celery takes it.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._app: Any = None  # Celery ships no types
        self._producer: Any = None

    def publish(self, outcome: Outcome) -> None:
        """Send one outcome to the task and queue that its job names; the broker has it when this returns.

        Raises:
            BrokerUnavailable: it may or may not have it.
        """
        task, _, queue = outcome.target.partition("@")
        try:
            if self._producer is None:
                self._connect()
            self._app.send_task(
                task,
                kwargs=task_arguments(outcome),
                task_id=f"{outcome.job_id}-{outcome.state}",  # the same when it is published again
                queue=queue or None,
                producer=self._producer,
                retry=False,
                ignore_result=True,
            )
        except Exception as error:
            # Each transport has its own errors. What cannot be published now stays in the stream.
            self.close()
            raise BrokerUnavailable(
                f"the app's broker (ENVOI_OUTCOME_BROKER_URL) did not take task {task}: {type(error).__name__}"
            ) from error

    def close(self) -> None:
        """Let go of the connection; the next task makes a new one."""
        producer, self._producer = self._producer, None
        if producer is not None:
            producer.connection.release()

    def _connect(self) -> None:
        if self._app is None:
            self._app = _application(self._url)
        self._producer = self._app.amqp.Producer(self._app.connection_for_write())


def task_arguments(outcome: Outcome) -> dict[str, object]:
    """The task's keyword arguments: what JSON can say, and no message text."""
    return {
        "job_id": outcome.job_id,
        "state": outcome.state.value,
        "message_id": outcome.message_id,
        "recipient_id": outcome.recipient_id,
        "error": asdict(outcome.error) if outcome.error else None,
        "key": outcome.key,
        "at": outcome.at.isoformat(timespec="microseconds"),
    }


def _application(url: str) -> Any:  # noqa: ANN401  # Celery ships no types
    from celery import Celery  # noqa: PLC0415  # takes a while, and few queues need it

    app = Celery("envoi-outcomes", broker=url, set_as_current=False)
    app.conf.update(
        task_serializer="json",
        broker_connection_timeout=3,
        broker_transport_options=_transport_options(url),
    )
    return app


def _transport_options(url: str) -> dict[str, object]:
    """So that a frozen broker is told in seconds, and that a taken task is a stored one."""
    if url.startswith(("amqp://", "amqps://", "pyamqp://")):
        return {"confirm_publish": True, "read_timeout": 5, "write_timeout": 5}
    return {"socket_timeout": 5, "socket_connect_timeout": 3}
