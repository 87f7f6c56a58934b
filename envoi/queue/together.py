"""Many commands in one trip to Redis, at little cost.

redis-py's pipelines build, check and note far more than a trip of scripts needs: a quarter of a worker's time went into
that. The connection is redis-py's still, with all its care: its pool, time-outs, health check and retry.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import redis
from hiredis import pack_command

Words = tuple[str | bytes | int | float, ...]


def together(client: redis.Redis, commands: Sequence[Words]) -> list[Any]:
    """Send commands at once, and read their answers.

    Returns:
        The answer of each in its place; the error where Redis answers with one.

    Raises:
        redis.ConnectionError, redis.TimeoutError: Redis did not answer all of them; any may have been run.
    """
    packed = b"".join([pack_command(words) for words in commands])  # type: ignore[arg-type]  # it knows but tuples of one
    pool = client.connection_pool
    connection: Any = pool.get_connection()
    try:
        answers: list[Any] = connection.retry.call_with_retry(
            lambda: _exchange(connection, packed, len(commands)), lambda _: connection.disconnect()
        )
        return answers
    finally:
        pool.release(connection)


def _exchange(connection: Any, packed: bytes, count: int) -> list[Any]:  # noqa: ANN401  # redis-py has many kinds
    connection.send_packed_command([packed])
    answers: list[Any] = []
    for _ in range(count):
        try:
            answers.append(connection.read_response())
        except redis.ResponseError as error:
            answers.append(error)
    return answers
