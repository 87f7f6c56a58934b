"""What deploy/kubernetes starts works: each container's command and environment, and its probes, as processes here.

There is no Kubernetes in it. Addresses are those of this machine, and the secret is filled in; all else is as the
manifests say: arguments, variables, paths of probes, time to stop.
"""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from demo.child import Child
from demo.ports import free_port
from demo.stack import ROOT, Stack
from envoi import Envoi
from envoi.console.password import hashed
from tests.acceptance.conftest import MakeStack
from tests.acceptance.secured_redis import SecuredRedis
from tests.integration.console.conftest import User
from tests.unit.compose import dockerfile
from tests.unit.deploy.manifests import container, environment, named, pods
from tests.waiting import wait_until, wait_until_equal

PASSWORD = "of the operators"


class Pods:
    """Containers as processes of this machine.

    Args:
        stack: of which sandbox and tables are there.
        server: Redis, with its users.
    """

    def __init__(self, stack: Stack, server: SecuredRedis) -> None:
        self.stack = stack
        self.server = server
        self.secrets = {
            "secret-keys": stack.environment["ENVOI_SECRET_KEYS"],
            "app-secret": "of-the-app",
            "database-url": stack.database_url,
            "redis-worker-url": server.url("worker"),
            "redis-scheduler-url": server.url("scheduler"),
            "redis-operator-url": server.url("operator"),
            "alert-url": f"http://127.0.0.1:{free_port()}/of-the-alerts",
            "console-password": hashed(PASSWORD),
        }
        self.children: list[Child] = []
        self.ports: dict[str, int] = {}

    def start(self, name: str) -> Child:
        """Start the container of one."""
        self.ports[name] = free_port()
        init, dashes, program, *entry = dockerfile.exec_form("ENTRYPOINT")
        assert (init, dashes, program) == ("tini", "--", "python")
        child = Child(
            name,
            [sys.executable, *entry, *(self._local(name, word) for word in container(pods()[name])["args"])],
            log=self.stack.folder / f"{name}.log",
            env=self._environment(name),
            cwd=ROOT,
        )
        child.start()
        self.children.append(child)
        return child

    def _environment(self, name: str) -> dict[str, str]:
        """What the image and the manifest set, and nothing of ours."""
        image = {key: value.replace("/app", str(ROOT)) for key, value in dockerfile.environment().items()}
        given = image | environment(pods()[name], self.secrets)
        if "ENVOI_METRICS_PORT" in given:
            given |= {"ENVOI_METRICS_PORT": str(self.ports[name]), "ENVOI_METRICS_HOST": "127.0.0.1"}
        if "ENVOI_GRAPH_URL" in given:
            given["ENVOI_GRAPH_URL"] = self.stack.sandbox_url
        return given | {"PATH": "/usr/bin:/bin"}

    def _local(self, name: str, argument: str) -> str:
        """An argument as it is here: no address but this machine's, and no port that others may have."""
        ports = [str(port["containerPort"]) for port in container(pods()[name]).get("ports", [])]
        here = dict.fromkeys(ports, str(self.ports[name])) | {"0.0.0.0": "127.0.0.1"}  # noqa: S104  # of the pod
        return here.get(argument, argument)

    def run(self, name: str, *command: str, stdin: str = "") -> str:
        """What a command says that is run in a container: ``kubectl exec``."""
        ran = subprocess.run(
            [sys.executable, "-m", "envoi", *command],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            cwd=ROOT,
            env=self._environment(name),
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    def stop(self, name: str, child: Child) -> None:
        """End one as the node would: in time, in good order, with no secret in its log."""
        assert child.stop(float(pods()[name]["terminationGracePeriodSeconds"])) == 0
        told = Path(child.log).read_text()
        assert "Traceback" not in told, told
        secrets = {"secret-keys", "app-secret", "alert-url", "console-password"}
        assert not [key for key in secrets if self.secrets[key] in told]

    def probe(self, name: str, kind: str) -> bool:
        """Ask as the node would."""
        probe: dict[str, Any] = container(pods()[name])[f"{kind}Probe"]
        connection = http.client.HTTPConnection("127.0.0.1", self.ports[name], timeout=10)
        try:
            connection.request("GET", probe["httpGet"]["path"])
            return connection.getresponse().status == 200
        except ConnectionError:
            return False
        finally:
            connection.close()


@pytest.fixture
def containers(tmp_path: Path, make_stack: MakeStack) -> Iterator[Pods]:
    folder = tmp_path / "secured"
    folder.mkdir()
    with SecuredRedis(folder) as server:
        stack = make_stack(redis_url=server.url("operator"))
        stack._tag = stack.environment["ENVOI_REDIS_TAG"] = "envoi"
        for step in stack.steps(workers=0):
            if step == "scheduler":
                break
        made = Pods(stack, server)
        yield made
        for child in made.children:
            if child.running:
                child.kill()
        stack.close()
        stack._forget_keys = lambda: None  # type: ignore[method-assign]  # they are gone with their Redis


def test_pods_are_ready_deliver_a_job_and_stop_in_good_order(containers: Pods) -> None:
    assert containers.start("envoi-migrate").process.wait(60) == 0
    children = {name: containers.start(name) for name in ("envoi-scheduler", "envoi-worker")}
    for name in children:
        for kind in ("startup", "liveness", "readiness"):
            wait_until(lambda name=name, kind=kind: containers.probe(name, kind), f"{kind} of {name}", 60)  # type: ignore[misc]
    envoi = Envoi(containers.stack.redis_url)
    job_id = envoi.send(containers.stack.page, "7001", "hello")
    wait_until_equal(lambda: envoi.status(job_id).state, "sent", "the message is sent")
    for name in reversed(children):
        containers.stop(name, children[name])


def test_commands_of_operators_have_all_that_they_need(containers: Pods) -> None:
    assert containers.start("envoi-migrate").process.wait(60) == 0
    scheduler = containers.start("envoi-scheduler")
    wait_until(lambda: containers.probe("envoi-scheduler", "readiness"), "the scheduler is ready", 60)
    stack = containers.stack
    containers.run("envoi-commands", "pages", "rotate", stack.page, "--no-check", stdin="another-token")
    listed = containers.run("envoi-commands", "pages", "list", "--json")
    [page] = json.loads(listed)["pages"]
    assert (page["id"], page["token_version"]) == (stack.page, 2)
    told = json.loads(containers.run("envoi-commands", "doctor", "--json"))
    states = {one["name"]: one["state"] for one in told}
    assert {states[name] for name in ("settings", "secret-keys", "page-tokens", "gate", "schema", "page-queue")} == {
        "ok"
    }
    assert containers.server.denied() == []
    containers.stop("envoi-scheduler", scheduler)


def test_the_console_lets_in_who_knows_the_password_of_the_secret(containers: Pods) -> None:
    assert containers.start("envoi-migrate").process.wait(60) == 0
    child = containers.start("envoi-console")
    for kind in ("startup", "liveness", "readiness"):
        wait_until(lambda kind=kind: containers.probe("envoi-console", kind), f"{kind} of the console", 60)  # type: ignore[misc]
    user = User(f"http://127.0.0.1:{containers.ports['envoi-console']}")
    assert user.get("/pages", allow_redirects=False).status_code == 303
    assert user.login("not the password").status_code == 403
    assert user.login(PASSWORD).status_code == 200
    for path in ("/", "/jobs", "/pages"):
        answer = user.get(path)
        assert answer.status_code == 200
    assert containers.stack.page in answer.text
    assert containers.server.denied() == []
    containers.stop("envoi-console", child)


def test_the_console_does_not_start_on_an_example_of_a_password(containers: Pods) -> None:
    containers.secrets["console-password"] = named("Secret", "envoi")["stringData"]["console-password"]
    child = containers.start("envoi-console")
    assert child.process.wait(60) == 1
    assert "ENVOI_CONSOLE_PASSWORD is no hash of a password" in child.last_lines(5)
