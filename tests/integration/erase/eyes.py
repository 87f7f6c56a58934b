"""Eyes that see all that Redis and a database keep."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, inspect, select, table, text


def in_redis(raw: Any) -> list[str]:
    """Every key with its value, as text; ``raw`` is a client that gives bytes."""
    return [f"{name} {_read(raw, name)}" for name in raw.scan_iter()]


def in_sql(engine: Engine) -> list[str]:
    """Every row of every table, as text."""
    with engine.connect() as connection:
        names = inspect(connection).get_table_names()
        return [
            f"{name} {row}" for name in names for row in connection.execute(select(text("*")).select_from(table(name)))
        ]


def _read(raw: Any, name: bytes) -> Any:
    match raw.type(name):
        case b"string":
            return raw.get(name)
        case b"hash":
            return raw.hgetall(name)
        case b"set":
            return raw.smembers(name)
        case b"zset":
            return raw.zrange(name, 0, -1)
        case b"stream":
            return raw.xrange(name)
        case _:
            return raw.lrange(name, 0, -1)
