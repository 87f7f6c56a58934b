"""One trip to the queue with many commands, in which one that fails does not take the others with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from redis.exceptions import ResponseError

from envoi.queue.commands import Command
from envoi.queue.queue import Queue


def ask(queue: Queue, commands: Sequence[Command]) -> list[Any]:
    """Run commands in one trip.

    Returns:
        The answer of each; where its script itself failed, the error.

    Raises:
        QueueUnavailable: Redis did not answer. All may be asked again.
    """
    try:
        return queue.trip(commands)
    except ResponseError as error:
        if len(commands) == 1:
            return [error]
    # Each may be asked twice without harm: so find the one that fails.
    return [answer for command in commands for answer in ask(queue, [command])]
