"""The gate: nothing is claimed in a run of Redis before the scheduler has looked the queue over in it."""

from __future__ import annotations

from typing import Any

from redis.connection import ConnectionInterface

from envoi.errors import Recovering
from envoi.queue.connection import translated
from envoi.queue.keys import Keys
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

        To be called when nothing is in doubt any more, and whenever :meth:`gate_open` says no for an epoch that is
        the present run's (scripts flushed, or of another version). Twice, or by two schedulers, does no harm.

        Raises:
            Recovering: Redis has restarted once more, so this is not its run.
        """
        pool = self.redis.connection_pool
        with translated():
            # One connection, never made anew, belongs to one run: no restart comes unseen between look and load.
            connection = pool.get_connection()
            try:
                _load(connection, self.keys, epoch)
            except BaseException:
                connection.disconnect()  # type: ignore[no-untyped-call]  # redis-py's own types end here
                raise
            finally:
                pool.release(connection)


def _load(connection: ConnectionInterface, keys: Keys, epoch: str) -> None:
    [info] = _ask(connection, ["INFO", "server"])
    if f"run_id:{epoch}" not in str(info).splitlines():
        raise Recovering("Redis has restarted once more, and must be looked over again")
    last = sorted(ALL, key=lambda name: name == "claim")
    loads = [["SCRIPT", "LOAD", script(name).text] for name in last]
    _ask(connection, ["SET", keys.epoch, epoch], ["UNLINK", keys.doubted], *loads)


def _ask(connection: ConnectionInterface, *commands: list[str]) -> list[Any]:
    """Send commands on a connection that is not renewed by a health check, and read every answer."""
    packed = connection.pack_commands(commands)  # type: ignore[no-untyped-call]  # redis-py's own types end here
    connection.send_packed_command(packed, check_health=False)  # type: ignore[no-untyped-call]  # here too
    return [connection.read_response() for _ in commands]
