"""The list of unread bells, read without Celery."""

from __future__ import annotations

from dataclasses import dataclass

import redis

from envoi.queue.connection import translated
from envoi.queue.keys import Keys
from envoi.queue.together import Departed


@dataclass(frozen=True, slots=True)
class Bell:
    """A bell as Celery wrote it."""

    text: str


class BellList:
    """Celery's list of bells (worker/app.py). A bell taken from it here is never seen by Celery.

    Every method raises :class:`envoi.errors.QueueUnavailable` when Redis does not answer.
    """

    def __init__(self, client: redis.Redis, keys: Keys) -> None:
        self._redis = client
        self._key = keys.bells

    def wait_for_one(self, seconds: float) -> Bell | None:
        """Take the oldest bell, as soon as there is one; None: there was none in so many seconds.

        ``seconds`` must be shorter than the connection's time-out.
        """
        with translated():
            (answer,) = Departed(self._redis, [("BRPOP", self._key, seconds)]).answers()
        if isinstance(answer, Exception):
            with translated():
                raise answer
        return None if answer is None else Bell(str(answer[1]))

    def put_back(self, bell: Bell) -> None:
        """A bell that was taken stands where it stood: before all others."""
        with translated():
            self._redis.rpush(self._key, bell.text)
