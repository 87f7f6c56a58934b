"""What deploy/kubernetes starts works: each container's command and environment, and its probes, as processes here.

There is no Kubernetes in it. Addresses are those of this machine, and the secret is filled in; all else is as the
manifests say: arguments, variables, paths of probes, time to stop.
"""

from __future__ import annotations

import http.client
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from demo.child import Child, free_port
from demo.stack import ROOT, Stack
from envoi import Envoi
from tests.acceptance.conftest import MakeStack
from tests.acceptance.secured_redis import SecuredRedis
from tests.unit.compose import dockerfile
from tests.unit.deploy.manifests import container, environment, pods
from tests.waiting import wait_until, wait_until_equal


class Pods:
    """Containers as processes of this machine.

    Args:
        stack: of which sandbox and tables are there.
        server: Redis, with its users.
    """

    def __init__(self, stack: Stack, server: SecuredRedis) -> None:
        self.stack = stack
        self.secrets = {
            "secret-keys": stack.environment["ENVOI_SECRET_KEYS"],
            "app-secret": "of-the-app",
            "database-url": stack.database_url,
            "redis-worker-url": server.url("worker"),
            "redis-scheduler-url": server.url("scheduler"),
        }
        self.children: list[Child] = []
        self.ports: dict[str, int] = {}

    def start(self, name: str) -> Child:
        """Start the container of one."""
        image = {key: value.replace("/app", str(ROOT)) for key, value in dockerfile.environment().items()}
        given = image | environment(pods()[name], self.secrets)
        if "ENVOI_METRICS_PORT" in given:
            self.ports[name] = free_port()
            given |= {"ENVOI_METRICS_PORT": str(self.ports[name]), "ENVOI_METRICS_HOST": "127.0.0.1"}
        if "ENVOI_GRAPH_URL" in given:
            given["ENVOI_GRAPH_URL"] = self.stack.sandbox_url
        init, dashes, program, *entry = dockerfile.exec_form("ENTRYPOINT")
        assert (init, dashes, program) == ("tini", "--", "python")
        child = Child(
            name,
            [sys.executable, *entry, *container(pods()[name])["args"]],
            log=self.stack.folder / f"{name}.log",
            env=given | {"PATH": "/usr/bin:/bin"},
            cwd=ROOT,
        )
        child.start()
        self.children.append(child)
        return child

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
        assert children[name].stop(float(pods()[name]["terminationGracePeriodSeconds"])) == 0
        told = Path(children[name].log).read_text()
        assert "Traceback" not in told, told
        assert not [
            one for key, one in containers.secrets.items() if key in {"secret-keys", "app-secret"} and one in told
        ]
