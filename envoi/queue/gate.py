"""The gate: nothing is claimed in a run of Redis before the scheduler has looked the queue over in it."""

from __future__ import annotations

from typing import Any

from redis.connection import ConnectionInterface

from envoi.errors import Recovering
from envoi.queue.connection import translated
from envoi.queue.keys import Keys
from envoi.queue.protocol import RAISE, ScriptSet, WrongVersion, check_protocol, others, own_scripts
from envoi.queue.runner import Runner
from envoi.queue.scripts import ALL, script


class Gate(Runner):
    """Which run of Redis this is, for which one the queue is open, and how it is opened."""

    def run_id(self) -> str:
        """Redis's own id of its present run; another one after every restart or failover."""
        with translated():
            return str(self.redis.info("server")["run_id"])

    def started_at(self) -> float:
        """When the present run of Redis started: seconds since the epoch by its clock, cut off to whole seconds."""
        with translated():
            found = self.redis.info("server")
            return float(int(found["server_time_usec"]) // 1_000_000 - int(found["uptime_in_seconds"]))

    def time(self) -> float:
        """Redis's clock: seconds since the epoch."""
        with translated():
            seconds, micros = self.redis.time()
            return float(seconds + micros / 1e6)

    def check_version(self) -> None:
        """See whether this version may work on this queue.

        Raises:
            WrongVersion: the queue is too new or too old for it.
        """
        with translated():
            found = self.redis.get(self.keys.protocol)
        check_protocol(None if found is None else str(found))

    def epoch(self) -> str | None:
        """The run of Redis that the queue was opened for last; None: never, or it was wiped."""
        with translated():
            found = self.redis.get(self.keys.epoch)
            return None if found is None else str(found)

    def gate_open(self) -> bool:
        """Whether the queue is open for this run of Redis and every script of this version is loaded."""
        with translated():
            loaded = self.redis.script_exists(*(script(name).sha for name in ALL))
            return all(loaded) and self.epoch() == self.run_id()

    def open_gate(self, epoch: str) -> None:
        """Open the queue for the run ``epoch``: store it, then load the scripts. Nobody else ever loads one.

        With ours come those of other versions that may work beside us. A protocol higher than any before shuts out the
        versions that are too old for it, by flushing their scripts.

        To be called when nothing is in doubt any more, and whenever :meth:`gate_open` says no for an epoch that is
        the present run's (scripts flushed, or of another version). Twice, or by two schedulers, does no harm.

        Raises:
            Recovering: Redis has restarted once more, so this is not its run.
            WrongVersion: the queue is too new or too old for this version.
        """
        own = own_scripts(self.time())
        pool = self.redis.connection_pool
        with translated():
            # One connection, never made anew, belongs to one run: no restart comes unseen between look and load.
            connection = pool.get_connection()
            try:
                _load(connection, self.keys, epoch, own)
            except BaseException:
                connection.disconnect()  # type: ignore[no-untyped-call]  # redis-py's own types end here
                raise
            finally:
                pool.release(connection)


def _load(connection: ConnectionInterface, keys: Keys, epoch: str, own: ScriptSet) -> None:
    [info] = _ask(connection, ["INFO", "server"])
    if f"run_id:{epoch}" not in str(info).splitlines():
        raise Recovering("Redis has restarted once more, and must be looked over again")
    before, kept = _ask(connection, ["GET", keys.protocol], ["HGETALL", keys.script_sets])
    check_protocol(before)
    [before] = _ask(connection, ["EVAL", RAISE, "1", keys.protocol, str(own.protocol)])
    check_protocol(before)
    beside, gone = others(own, _mapping(kept))
    commands = [["SCRIPT", "FLUSH"]] if before and int(before) < own.protocol else []
    commands += [["HSET", keys.script_sets, own.name, own.dump()], *(["HDEL", keys.script_sets, name] for name in gone)]
    commands += [["SET", keys.epoch, epoch], ["UNLINK", keys.doubted]]
    commands += [["SCRIPT", "LOAD", text] for one in (*beside, own) for text in one.texts]
    _ask(connection, *commands)
    [after] = _ask(connection, ["GET", keys.protocol])
    try:
        check_protocol(after)
    except WrongVersion:  # a newer version has come between: what it flushed must not have come back by us
        _ask(connection, ["SCRIPT", "FLUSH"])
        raise


def _mapping(reply: Any) -> dict[str, str]:  # noqa: ANN401  # a map in RESP3, pairs in a list in RESP2
    return dict(reply) if isinstance(reply, dict) else dict(zip(reply[::2], reply[1::2], strict=True))


def _ask(connection: ConnectionInterface, *commands: list[str]) -> list[Any]:
    """Send commands on a connection that is not renewed by a health check, and read every answer."""
    packed = connection.pack_commands(commands)  # type: ignore[no-untyped-call]  # redis-py's own types end here
    connection.send_packed_command(packed, check_health=False)  # type: ignore[no-untyped-call]  # here too
    return [connection.read_response() for _ in commands]
