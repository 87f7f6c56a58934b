"""What docker-compose.yml starts works: each service's own command, run here with the same environment.

There is no Docker in it. Host names and ports are those of this machine, the image's init and its working folder are
left out; all else is as the files say: commands, variables, conditions of starting, options of Redis, time to stop.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import psycopg
import pytest

from demo.child import Child
from demo.ledger import Sandbox
from demo.ports import free_port, listens
from demo.postgres_server import PostgresServer, postgres_programs
from demo.redis_server import redis_program
from envoi import Envoi
from envoi.console.password import hashed
from tests.acceptance.flower import ask
from tests.unit.compose import dockerfile
from tests.unit.compose.compose_file import ROOT, Service, seconds, services, starting_order
from tests.waiting import wait_until

PAGE, TOKEN = "100000000000001", "sandbox-token"  # the sandbox's own, as the compose file has them
PASSWORD = "for-flower"
PORTS = {
    "redis": 6379,
    "postgres": 5432,
    "sandbox": 8080,
    "flower": 5555,
    "console": 8765,
    "worker": 9464,
    "scheduler": 9465,
}
WORKERS = 2


class Composed:
    """The services as processes of this machine, in the order that the file asks for.

    Args:
        folder: takes the log file of each, and Redis's data.
        secret_key: what page tokens are encrypted with.
    """

    def __init__(self, folder: Path, secret_key: str) -> None:
        self.folder = folder
        self.variables = {
            "POSTGRES_PASSWORD": "a/b@c:d",  # would break an address that it were written into
            "ENVOI_SECRET_KEYS": secret_key,
            "FLOWER_PASSWORD": PASSWORD,
            "ENVOI_GRAPH_URL": "http://sandbox:8080",
            "ENVOI_CONSOLE_PASSWORD": hashed("for-the-console"),
        }
        every = services(self.variables)
        self.services = {name: service for name, service in every.items() if "monitoring" not in profiles(service)}
        self.postgres = PostgresServer(folder=folder)
        self.ports = {name: free_port() for name in PORTS} | {"postgres": self.postgres.port}
        self.children: list[tuple[Service, Child]] = []

    def up(self) -> None:
        """Start every service once those that it needs are as it needs them; two workers."""
        for service in starting_order(self.services):
            for name, condition in service.needs.items():
                if condition == "service_healthy":
                    self.wait(partial(self.healthy, self.services[name]), f"{name} is healthy")
            if service.name == "postgres":
                self._start_postgres(service)
            elif service.name == "migrate":
                self.run(service)
            else:
                for _ in range(WORKERS if service.name == "worker" else 1):
                    self._start(service)

    def run(self, service: Service, *command: str, stdin: str = "") -> str:
        """Run a service's command, or another one in its place, to a good end: ``docker compose run``."""
        arguments = [*service.arguments[: -len(service.spec["command"])], *command] if command else service.arguments
        ran = subprocess.run(
            self._local(service, arguments),
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            cwd=ROOT,
            env=self._environment(service),
        )
        assert ran.returncode == 0, f"{service.name} {command}: {ran.stdout}{ran.stderr}"
        return ran.stdout

    def healthy(self, service: Service) -> bool:
        """Whether the service passes its own check."""
        kind, program, *arguments = service.spec["healthcheck"]["test"]
        assert kind == "CMD"
        if program == "python":
            asked = [sys.executable, *(self._ported(service, argument) for argument in arguments)]
            return subprocess.run(asked, capture_output=True, check=False, timeout=30).returncode == 0
        found = shutil.which(program) or shutil.which(program, path=str(postgres_programs()))
        if found is None:  # a machine that has the server from a wheel, without its tools
            return listens(self.ports[service.name])
        command = [found, "-p", str(self.ports[service.name]), *arguments]
        return subprocess.run(command, capture_output=True, check=False, timeout=10).returncode == 0

    def down(self) -> dict[str, int]:
        """End each service by SIGTERM, those that others need last. Returns the worst exit status of each."""
        statuses: dict[str, int] = {}
        for service, child in reversed(self.children):
            status = child.stop(seconds(service.spec.get("stop_grace_period", "10s")))  # 10 s is Docker's own
            statuses[service.name] = statuses.get(service.name) or status
        return statuses

    def kill(self) -> None:
        """Whatever still runs ends now."""
        for _, child in self.children:
            if child.running:
                child.kill()
        self.postgres.close()

    def wait(self, condition: Callable[[], bool], what: str) -> None:
        """Wait until the condition holds, as long as everything runs."""
        wait_until(condition, what, meanwhile=self.check)

    def check(self) -> None:
        """Look whether everything runs.

        Raises:
            ChildFailed: a process has ended by itself; with the last lines of its log.
        """
        for _, child in self.children:
            if not child.running:
                raise child.failure(f"has ended with status {child.process.returncode}")

    def logs(self, name: str) -> list[str]:
        """What each process of a service has written."""
        return [child.log.read_text() for service, child in self.children if service.name == name]

    def secrets(self) -> list[str]:
        """What no log may show."""
        return [value for name, value in self.variables.items() if name.endswith(("PASSWORD", "KEYS"))]

    def database(self) -> psycopg.Connection[tuple[object, ...]]:
        """A connection to the log's database."""
        port = self.ports["postgres"]
        return psycopg.connect(host="127.0.0.1", port=port, user="envoi", dbname="envoi", autocommit=True)

    def _start_postgres(self, service: Service) -> None:
        """A real one, with what the image would make of its variables."""
        self.postgres.start()
        made = service.environment
        assert made["POSTGRES_USER"] == "envoi"  # the one that our server has
        with psycopg.connect(self.postgres.url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {made['POSTGRES_DB']}")

    def _start(self, service: Service) -> None:
        child = Child(
            f"{service.name}-{len(self.children)}",
            self._local(service, service.arguments),
            log=self.folder / f"{service.name}-{len(self.children)}.log",
            env=self._environment(service),
            cwd=ROOT,
        )
        child.start()
        self.children.append((service, child))

    def _local(self, service: Service, arguments: list[str]) -> list[str]:
        """A command as it runs here."""
        if arguments[:2] == ["tini", "--"]:
            arguments = arguments[2:]
        program, *rest = arguments
        match program:
            case "python":
                program = sys.executable
            case "celery":
                program = str(Path(sys.executable).parent / "celery")
            case "redis-server":
                program = redis_program()
                rest += ["--port", str(self.ports["redis"]), "--bind", "127.0.0.1", "--dir", str(self.folder)]
        return [program, *(self._addresses(self._ported(service, argument)) for argument in rest)]

    def _ported(self, service: Service, text: str) -> str:
        """The same with the service's port on this machine."""
        own = PORTS.get(service.name)
        return text if own is None else re.sub(rf"(?<!\d){own}(?!\d)", str(self.ports[service.name]), text)

    def _environment(self, service: Service) -> dict[str, str]:
        """What the image sets and what the file sets, and nothing of ours."""
        image = {name: value.replace("/app", str(ROOT)) for name, value in dockerfile.environment().items()}
        given = image | service.environment if service.ours else service.environment
        ours = {name: self._addresses(value) for name, value in given.items()} | {"PATH": "/usr/bin:/bin"}
        if "ENVOI_METRICS_PORT" in ours:  # both workers': a container each, here the second finds it taken
            ours["ENVOI_METRICS_PORT"] = self._ported(service, ours["ENVOI_METRICS_PORT"])
        return ours

    def _addresses(self, text: str) -> str:
        """The same with addresses of this machine."""
        for name, port in PORTS.items():
            text = text.replace(f"{name}:{port}", f"127.0.0.1:{self.ports[name]}")
        return text.replace("0.0.0.0", "127.0.0.1")  # noqa: S104  # what is published in a container


def profiles(service: Service) -> list[str]:
    """Those in which it is there; none: in all."""
    found: list[str] = service.spec.get("profiles", [])
    return found


def flower(port: int, path: str, password: str | None = PASSWORD) -> tuple[int, str]:
    """Flower's answer to a GET: status, and body; 0 while nobody listens."""
    return ask(port, path, password)


def hears_workers(port: int) -> bool:
    """Whether Flower has heard from every worker: what happens from now on reaches it."""
    status, body = flower(port, "/api/workers?status=1")
    return status == 200 and list(json.loads(body).values()) == [True] * WORKERS


@pytest.fixture
def composed(tmp_path: Path, secret_key: str) -> Iterator[Composed]:
    stack = Composed(tmp_path, secret_key)
    try:
        yield stack
    finally:
        stack.kill()


def test_compose_delivers_a_job_and_stops_in_good_order(composed: Composed) -> None:
    composed.up()
    composed.run(composed.services["worker"], "pages", "add", PAGE, stdin=TOKEN)
    composed.wait(lambda: '"action": "ready"' in "".join(composed.logs("scheduler")), "the scheduler is ready")
    for name in ("worker", "scheduler", "flower", "console", "sandbox"):
        composed.wait(partial(composed.healthy, composed.services[name]), f"{name} is healthy")
    port = composed.ports["flower"]
    composed.wait(lambda: flower(port, "/healthcheck")[0] == 200, "Flower is there")
    for path in ("/workers", "/api/workers"):  # without a password set, the pages would be open and the API closed
        assert [flower(port, path, password)[0] for password in (None, "wrong", PASSWORD)] == [401, 401, 200]
    composed.wait(lambda: hears_workers(port), "Flower hears the workers")

    envoi = Envoi(f"redis://127.0.0.1:{composed.ports['redis']}/0")
    job_id = envoi.send(PAGE, "7001", "hello")
    composed.wait(lambda: envoi.status(job_id).state == "sent", "the message is sent")
    message_id = envoi.status(job_id).message_id
    assert message_id

    with composed.database() as log:
        counted = "SELECT count(*) FROM calls WHERE job_id = %s"
        composed.wait(lambda: log.execute(counted, [job_id]).fetchone() == (3,), "its calls are logged")
        jobs = log.execute("SELECT state, message_id FROM jobs WHERE id = %s", [job_id]).fetchall()
        steps = log.execute(
            "SELECT step, verdict, message_id FROM calls WHERE job_id = %s ORDER BY id", [job_id]
        ).fetchall()
    assert jobs == [("sent", message_id)]
    expected = [("typing_on", None), ("message", message_id), ("typing_off", None)]
    assert steps == [(step, "Accepted", found) for step, found in expected]
    ledger = Sandbox(f"http://127.0.0.1:{composed.ports['sandbox']}").deliveries(PAGE)
    assert [(entry.step, entry.message_id) for entry in ledger] == expected

    composed.wait(lambda: flower(port, f"/api/task/info/{job_id}")[0] == 200, "Flower shows the job")
    composed.run(composed.services["migrate"])  # as an upgrade does: again, on tables that are up to date
    assert composed.down() == dict.fromkeys(("flower", "console", "worker", "scheduler", "sandbox", "redis"), 0)
    for name in ("worker", "scheduler", "flower", "console", "sandbox"):
        for text in composed.logs(name):
            assert "Traceback" not in text, text
            assert not [secret for secret in (TOKEN, *composed.secrets()) if secret in text]
