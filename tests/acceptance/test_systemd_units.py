"""What the units of deploy/systemd start works: each command, with the environment that its unit gives it.

There is no systemd in it. Paths are those of this checkout; of the hardening there is what the kernel takes from
anybody: no memory that is written and executed, and no new rights.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.child import Child
from demo.ports import free_port
from demo.stack import ROOT, Stack
from envoi import Envoi
from envoi.console.password import hashed
from tests.acceptance.conftest import MakeStack
from tests.integration.console.conftest import User
from tests.unit.deploy.units import unit
from tests.waiting import wait_until_equal

_MDWE, _NO_NEW_PRIVILEGES = 65, 38
_HARDENED = (
    "import ctypes, os, sys; prctl = ctypes.CDLL(None, use_errno=True).prctl; "
    f"assert prctl({_NO_NEW_PRIVILEGES}, 1, 0, 0, 0) == 0; "
    f"refused = prctl({_MDWE}, 1, 0, 0, 0) != 0; "
    "print('memory is not protected here' if refused else 'memory is protected', flush=True); "
    "os.execv(sys.argv[1], sys.argv[1:])"
)


class Units:
    """Units as processes of this machine.

    Args:
        stack: of which Redis, sandbox and tables are there.
    """

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.credentials = stack.folder / "credentials"
        self.ports = {"8765": str(free_port())}
        self.children: list[Child] = []

    def start(self, name: str) -> Child:
        """Start one."""
        described = unit(name)
        program, *arguments = described.command
        assert program == "/opt/envoi/.venv/bin/python"
        given = dict(
            pair.split("=", 1) for line in described.sections["Service"]["Environment"] for pair in line.split()
        )
        given = {key: value.replace("%d", str(self.credentials)) for key, value in given.items()}
        # EnvironmentFile: what the stack's processes are told, and nothing of ours.
        kept_from = " ".join(described.sections["Service"].get("UnsetEnvironment", [])).split()
        told = {key: value for key, value in self.stack.environment.items() if key.startswith("ENVOI_")}
        told = {key: value for key, value in told.items() if key not in kept_from}
        child = Child(
            name,
            [sys.executable, "-c", _HARDENED, sys.executable, *(self.ports.get(word, word) for word in arguments)],
            log=self.stack.folder / f"{name}.log",
            env={"PATH": os.defpath, **given, **told},
            cwd=ROOT,
        )
        child.start()
        self.children.append(child)
        return child


@pytest.fixture
def units(make_stack: MakeStack) -> Iterator[Units]:
    stack = make_stack()
    for step in stack.steps(workers=0):
        if step == "scheduler":
            break
    made = Units(stack)
    yield made
    for child in made.children:
        if child.running:
            child.kill()


def test_units_deliver_a_job_and_stop_in_good_order(units: Units) -> None:
    stack = units.stack
    assert units.start("envoi-migrate.service").process.wait(60) == 0  # the tables are there: it changes nothing
    scheduler, worker = units.start("envoi-scheduler.service"), units.start("envoi-worker@.service")
    for child in (scheduler, worker):
        child.wait_ready(lambda child=child: '"action": "ready"' in child.last_lines(1000), 60)  # type: ignore[misc]
    envoi = Envoi(stack.redis_url)
    job_id = envoi.send(stack.page, "7001", "hello")
    wait_until_equal(lambda: envoi.status(job_id).state, "sent", "the message is sent")
    if ctypes.CDLL(None).prctl(_MDWE + 1, 0, 0, 0, 0) >= 0:  # this kernel knows it
        for child in (scheduler, worker):
            assert child.last_lines(1000).startswith("memory is protected")
    for child, name in ((worker, "envoi-worker@.service"), (scheduler, "envoi-scheduler.service")):
        assert child.stop(float(unit(name).one("TimeoutStopSec"))) == 0
        assert "Traceback" not in Path(child.log).read_text()


def test_the_console_lets_in_who_knows_the_password_of_its_credential(units: Units) -> None:
    name = "envoi-console.service"
    refused = units.start(name)
    assert refused.process.wait(60) == 1
    assert "ENVOI_CONSOLE_PASSWORD_FILE cannot be read" in refused.last_lines(5)

    units.credentials.mkdir()
    (units.credentials / "console-password").write_text(hashed("of the operators") + "\n")
    child = units.start(name)
    child.wait_ready(lambda: "console ready on http://127.0.0.1:" in child.last_lines(1000), 60)
    user = User(f"http://127.0.0.1:{units.ports['8765']}")
    assert user.get("/pages", allow_redirects=False).status_code == 303
    assert user.login("not the password").status_code == 403
    assert user.login("of the operators").status_code == 200
    assert units.stack.page in user.get("/pages").text
    assert child.stop(float(unit(name).one("TimeoutStopSec"))) == 0
    assert "Traceback" not in Path(child.log).read_text()
