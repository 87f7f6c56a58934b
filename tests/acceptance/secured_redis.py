"""A Redis that asks who is there: its users, and TLS, as the guides have them."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path

import redis

from demo.child import Child
from demo.ports import free_port
from demo.redis_server import redis_program
from demo.server import OwnServer
from demo.stack import ROOT

USERS = ROOT / "deploy" / "redis" / "users.acl"
ADMIN = "admin-of-the-test"


class SecuredRedis(OwnServer):
    """A ``redis-server`` with the users of ``deploy/redis/users.acl``, and one of the test's own that may do all.

    Args:
        folder: takes its data.
        tls: the options of TLS; without them it speaks plainly.
        query: of its addresses, such as where the certificate is that they are trusted by.
    """

    def __init__(self, folder: Path, tls: Mapping[str, Path] | None = None, query: str = "") -> None:
        self.folder = folder
        self.port = free_port()
        self._scheme, self._query = ("rediss", query) if tls else ("redis", query)
        names = [line.split()[1] for line in USERS.read_text().splitlines()]
        self.passwords = {name: secrets.token_urlsafe(12) for name in [*names, ADMIN]}
        options = {
            "port": "0" if tls else str(self.port),
            **({"tls-port": str(self.port), "tls-auth-clients": "no"} if tls else {}),
            **{name: str(value) for name, value in (tls or {}).items()},
            "bind": "127.0.0.1",
            "dir": str(folder),
            "save": "",
            "appendonly": "yes",
            "maxmemory-policy": "noeviction",
            "aclfile": str(self._users()),
        }
        command = [redis_program(), *(part for name, value in options.items() for part in (f"--{name}", value))]
        self.child = Child("redis", command, log=folder / "redis.log")

    def start(self, timeout: float = 20.0) -> None:
        """Run it and wait until it answers.

        Raises:
            ChildFailed: it does not, perhaps for an option that it does not know.
        """
        self.child.start()
        self.child.wait_ready(self._answers, timeout)

    def url(self, user: str) -> str:
        """Its address for one of its users: ``producer``, ``worker``, …, or the test's own."""
        name = user if user == ADMIN else f"envoi-{user}"
        return f"{self._scheme}://{name}:{self.passwords[name]}@127.0.0.1:{self.port}/0{self._query}"

    def client(self, user: str = ADMIN) -> redis.Redis:
        """A client of one of its users."""
        return redis.Redis.from_url(self.url(user), decode_responses=True, socket_timeout=5)

    def denied(self) -> list[str]:
        """What it has refused to somebody, but for what is asked without being needed."""
        with self.client() as client:
            log = client.acl_log()
        told = [f"{one['username']} {one['context']} {one['reason']} {one['object']}" for one in log]
        return [one for one in told if not one.endswith(("client|setinfo", "config|get"))]

    def _users(self) -> Path:
        """The file of users with passwords in it."""
        text = USERS.read_text()
        for name, password in self.passwords.items():
            text = text.replace(f">{name.removeprefix('envoi-').upper()}-PASSWORD", f">{password}")
        assert "-PASSWORD" not in text
        text += f"user {ADMIN} on >{self.passwords[ADMIN]} ~* &* +@all\n"
        made = self.folder / "users.acl"
        made.write_text(text)
        return made

    def _answers(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.ping())
        except (redis.ConnectionError, redis.TimeoutError):
            return False
