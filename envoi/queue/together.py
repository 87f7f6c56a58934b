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


class Departed:
    """Commands that are on their way to Redis, on a connection of their own until they are answered or given up.

    Args:
        client: whose pool the connection is of.
        commands: what is sent, at once.

    Raises:
        redis.ConnectionError, redis.TimeoutError: there is no connection.
    """

    def __init__(self, client: redis.Redis, commands: Sequence[Words]) -> None:
        self._packed = b"".join([pack_command(words) for words in commands])  # type: ignore[arg-type]  # it knows but tuples of one
        self._count = len(commands)
        self._pool = client.connection_pool
        self._connection: Any = self._pool.get_connection()  # redis-py has many kinds, and types them little
        try:
            self._connection.send_packed_command([self._packed])  # type: ignore[no-untyped-call]  # as ever with redis-py
            self._sent = True
        except redis.ConnectionError:  # Redis had closed it: sent again where the answers are read
            self._connection.disconnect()  # type: ignore[no-untyped-call]  # the same
            self._sent = False
        except BaseException:
            self.give_up()
            raise

    def fileno(self) -> int | None:
        """What becomes readable when answers come; None: read them, they are not waited for."""
        socket = self._connection._sock if self._sent else None  # noqa: SLF001  # redis-py has no word for it
        return None if socket is None else int(socket.fileno())

    def answers(self) -> list[Any]:
        """Wait for the answers. To be called once.

        Returns:
            The answer of each in its place; the error where Redis answers with one.

        Raises:
            redis.ConnectionError, redis.TimeoutError: Redis did not answer all of them; any may have been run.
        """
        connection = self._connection
        try:
            found: list[Any] = connection.retry.call_with_retry(self._exchange, lambda _: connection.disconnect())
            return found
        finally:
            self._pool.release(connection)

    def give_up(self) -> None:
        """Wait for no answer. To be called in place of :meth:`answers`."""
        self._connection.disconnect()
        self._pool.release(self._connection)

    def _exchange(self) -> list[Any]:
        if not self._sent:
            self._connection.send_packed_command([self._packed])
        self._sent = False  # should this fail, they are sent again
        answers: list[Any] = []
        for _ in range(self._count):
            try:
                answers.append(self._connection.read_response())
            except redis.ResponseError as error:
                answers.append(error)
        return answers
