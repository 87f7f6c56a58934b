"""One trip to the queue with many commands, in which one that fails does not take the others with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from envoi.errors import EnvoiError
from envoi.queue.claim import Claim
from envoi.queue.commands import Command
from envoi.queue.queue import Queue
from envoi.queue.runner import Trip


def ask(queue: Queue, commands: Sequence[Command]) -> list[Any]:
    """Run commands in one trip.

    Returns:
        The answer of each; where its script itself failed, or its answer cannot be read, the error.

    Raises:
        QueueUnavailable: Redis did not answer. All may be asked again.
    """
    return _one_by_one(queue, commands, lambda: queue.trip(commands))


def answers_to(queue: Queue, trip: Trip, when_shut: Callable[[], None] | None = None) -> list[Any]:
    """What departed commands come to, as :func:`ask` says; ``when_shut`` is called as :meth:`Queue.trip` does."""
    return _one_by_one(queue, trip.commands, lambda: queue.arrive(trip, when_shut))


def _one_by_one(queue: Queue, commands: Sequence[Command], together: Callable[[], list[Any]]) -> list[Any]:
    try:
        return together()
    except EnvoiError:
        raise
    except Exception as error:  # noqa: BLE001  # the caller logs it, with the job that it is of
        if len(commands) == 1:
            return [error]
        failed = error
    # Each may be asked twice without harm, so find the one that fails; but a second claim would take still more.
    return [failed if isinstance(command, Claim) else ask(queue, [command])[0] for command in commands]
