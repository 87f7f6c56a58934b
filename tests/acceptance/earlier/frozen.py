"""All keys of a queue as JSON, and back into a Redis, with its times moved to now."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import redis

FOLDER = Path(__file__).parent
_STAMP = re.compile(r"\b\d{10}\.\d{1,6}\b")  # seconds since the epoch, as the scripts write them


def freeze(client: redis.Redis, left_out: set[str]) -> dict[str, Any]:
    """Every key but those left out, with the time at which they were as they are."""
    readers: dict[str, Callable[[str], Any]] = {
        "string": client.get,
        "hash": client.hgetall,
        "list": lambda name: client.lrange(name, 0, -1),
        "set": lambda name: sorted(client.smembers(name)),
        "zset": lambda name: client.zrange(name, 0, -1, withscores=True),
        "stream": lambda name: [row[1] for row in client.xrange(name) or [] if row],
    }
    keys = {}
    for name in sorted(client.scan_iter(count=1000)):
        if name not in left_out:
            kind = str(client.type(name))
            keys[name] = [kind, readers[kind](name)]
    seconds, micros = client.time()
    return {"at": seconds + micros / 1e6, "keys": keys}


def thaw(client: redis.Redis, name: str) -> None:
    """Put a frozen queue into a Redis, as if it had been made by now, for the run of this Redis."""
    frozen = json.loads((FOLDER / f"{name}.json").read_text())
    seconds, micros = client.time()
    moved = seconds + micros / 1e6 - frozen["at"]
    writers: dict[str, Callable[[str, Any], object]] = {
        "string": client.set,
        "hash": lambda key, value: client.hset(key, mapping=value),
        "list": lambda key, value: client.rpush(key, *value),
        "set": lambda key, value: client.sadd(key, *value),
        "zset": lambda key, value: client.zadd(key, dict(value)),
        "stream": lambda key, value: [client.xadd(key, fields) for fields in value],
    }
    for key, (kind, kept) in frozen["keys"].items():
        writers[kind](key, _later(kept, moved))
    client.set("{envoi}:epoch", client.info("server")["run_id"])


def _later(value: Any, seconds: float) -> Any:
    """The same, every time in it so many seconds later."""
    match value:
        case str():
            return _STAMP.sub(lambda found: f"{float(found[0]) + seconds:.6f}", value)
        case float():
            return value + seconds if value > 1e9 else value
        case list():
            return [_later(one, seconds) for one in value]
        case dict():
            return {field: _later(one, seconds) for field, one in value.items()}
    return value
