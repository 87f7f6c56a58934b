"""The connection to Redis, and its failures in our words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from envoi.errors import InvalidJob, KeyConflict, Problem, QueueFull, QueueUnavailable, Recovering, UnknownJob


def connect(url: str) -> redis.Redis:
    """A client whose every operation ends in bounded time, on a frozen Redis too (5 s; connecting 3 s).

    A connection that Redis has closed is made anew, once and at once; a time-out is told, not repeated.
    """
    return redis.Redis.from_url(
        url,
        decode_responses=True,
        socket_timeout=5,
        socket_connect_timeout=3,
        health_check_interval=10,
        retry=Retry(NoBackoff(), 1, supported_errors=(redis.exceptions.ConnectionError,)),
    )


@contextmanager
def translated() -> Iterator[None]:
    """Turn errors of the scripts and of the connection into Envoi's.

    Raises:
        Recovering, QueueFull, KeyConflict, InvalidJob, UnknownJob: as the scripts say.
        QueueUnavailable: Redis did not answer.
    """
    try:
        yield
    except redis.exceptions.NoScriptError:
        raise
    except redis.exceptions.ResponseError as error:
        word, _, rest = str(error).partition(" ")
        raise _error(word, rest) or error from None
    except (redis.exceptions.ConnectionError, redis.exceptions.TimeoutError) as error:
        raise QueueUnavailable(f"Redis did not answer: {error}") from error


def _error(word: str, rest: str) -> Exception | None:  # noqa: C901, PLR0911  # one case and one return a word
    match word:
        case "RECOVERING":
            return Recovering(f"{rest}; start `envoi scheduler`, or wait, and repeat with the same key")
        case "QUEUEFULL":
            return QueueFull(f"{rest}; nothing was enqueued, try again later")
        case "KEYCONFLICT":
            position, first = rest.split(" ")
            return KeyConflict(
                f"key: taken by job {first} with another recipient, message or Send API parameter "
                f"(number {int(position) + 1} of this call)"
            )
        case "WINDOWCLOSED":
            return _window_closed(*rest.split(" "))
        case "OPTEDOUT":
            limit = f"the person has opted out of this page's messages (number {int(rest) + 1} of this call)"
            return InvalidJob(Problem("recipient", limit))
        case "EXPIRESBEFORE":
            expires = datetime.fromtimestamp(float(rest), UTC)
            return InvalidJob(
                Problem("at", f"must be earlier than {expires:%Y-%m-%d %H:%M:%S} UTC, when the job expires")
            )
        case "TOODEEP":
            return InvalidJob(Problem("job_id", f"more than {rest} jobs are before and behind it in its line"))
        case "UNKNOWNJOB":
            return UnknownJob(rest)
        case "TOOOLD":
            theirs, ours = rest.split(" ")
            return QueueUnavailable(
                f"the queue is at protocol {theirs}, and this version of Envoi knows {ours}: upgrade it; "
                "nothing was enqueued"
            )
        case "OOM":
            return QueueFull("Redis is out of memory; nothing was enqueued, try again later")
        case "LOADING" | "BUSY" | "READONLY" | "MASTERDOWN" | "MISCONF":
            return QueueUnavailable(f"Redis cannot take this now: {word} {rest}")
        case _:
            return None


def _window_closed(position: str, rule: str, since: str) -> InvalidJob:
    closed = datetime.fromtimestamp(float(since), UTC)
    limit = (
        f"the window closed at {closed:%Y-%m-%d %H:%M:%S} UTC: this message may go out no later than "
        f"{int(rule) // 3600} h after the person's last message (number {int(position) + 1} of this call)"
    )
    return InvalidJob(Problem("recipient", limit, "SEND_API 2"))
