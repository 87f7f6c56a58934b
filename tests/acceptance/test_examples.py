"""Each example as a real process, beside a real Redis, worker, scheduler and sandbox: what its page says it does."""

from __future__ import annotations

import json
import re
import runpy
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from celery import Task

from demo.child import Child
from demo.ports import free_port, listens
from demo.stack import ROOT, Stack
from envoi import State
from envoi import settings as envoi_settings
from tests.acceptance.ledger import control, entries
from tests.acceptance.quick_stack import QuickStack
from tests.waiting import wait_until

EXAMPLES = ROOT / "examples"
MANAGE = str(EXAMPLES / "django_app" / "manage.py")
APP_SECRET, VERIFY_TOKEN = "sesame", "open"
TIME = 120.0  # seconds that anything here may take on a busy machine

Start = Callable[[str], "App"]


class App:
    """An example at its address."""

    def __init__(self, url: str, stack: Stack) -> None:
        self.url = url
        self.stack = stack

    def ask(self, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and JSON of an answer."""
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"{self.url}{path}", data, {"Content-Type": "application/json"})  # noqa: S310  # our own
        try:
            with urlopen(request, timeout=60) as answer:  # noqa: S310  # our own
                return answer.status, json.load(answer)
        except HTTPError as error:
            text = error.read()
            return error.code, json.loads(text) if text.startswith((b"{", b"[")) else text.decode()

    def sent(self, job_id: str) -> dict[str, Any]:
        """The job's status, once it is sent."""
        return dict(self.until(lambda: self._sent(job_id), f"{job_id} is sent"))

    def _sent(self, job_id: str) -> dict[str, Any] | None:
        status, found = self.ask(f"/jobs/{job_id}")
        return found if status == 200 and found["state"] == "sent" else None

    def texts_to(self, person: str) -> list[str]:
        """What the sandbox has delivered to a person."""
        found = entries(self.stack.sandbox_url, step="message")
        return [one["text"] for one in found if one["recipient"] == {"id": person} and one["delivered"]]

    def until(self, look: Callable[[], Any], what: str) -> Any:
        return wait_until(look, what, meanwhile=self.stack.check)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One Envoi for all examples: starting one takes longer than any of them."""
    with QuickStack(tmp_path_factory.mktemp("examples")) as made:
        made.start()
        yield made


@pytest.fixture
def start(stack: Stack, tmp_path: Path) -> Iterator[Start]:
    """Starts an example, with the relay of its outbox."""
    database = tmp_path / "shop.sqlite3"
    environment = {
        **stack.environment,
        "ENVOI_APP_SECRET": APP_SECRET,
        "ENVOI_VERIFY_TOKEN": VERIFY_TOKEN,
        "SHOP_DATABASE": str(database),
        "ENVOI_OUTBOX_DATABASE_URL": f"sqlite:///{database}",
    }
    with ExitStack() as children:

        def run(name: str, *command: str) -> Child:
            child = Child(name, [sys.executable, *command], log=tmp_path / f"{name}.log", env=environment, cwd=ROOT)
            child.start()
            children.callback(child.stop)
            return child

        def example(name: str) -> App:
            port = free_port()
            if name == "django_app":
                prepare = [sys.executable, MANAGE, "migrate", "--run-syncdb"]
                subprocess.run(prepare, env=environment, cwd=ROOT, check=True, capture_output=True, timeout=TIME)
            run(name, *serving(name, port)).wait_ready(lambda: listens(port), TIME)
            if name != "fastapi_app":
                run("relay", "-m", "envoi", "outbox", "relay")
            return App(f"http://127.0.0.1:{port}", stack)

        yield example


def serving(name: str, port: int) -> list[str]:
    """How an example is started, as its page says it."""
    if name == "fastapi_app":
        return ["-m", "uvicorn", "app:app", "--app-dir", str(EXAMPLES / name), "--port", str(port)]
    if name == "flask_app":
        return ["-m", "flask", "--app", str(EXAMPLES / name / "app"), "run", "--port", str(port)]
    return [MANAGE, "runserver", "--noreload", str(port)]


@pytest.mark.parametrize("name", ["fastapi_app", "flask_app", "django_app"])
def test_an_example_sends_takes_webhooks_and_shows_what_became_of_a_job(start: Start, name: str) -> None:
    app = start(name)
    number = {"fastapi_app": 1, "flask_app": 2, "django_app": 3}[name]
    person, silent = f"700{number}", f"800{number}"
    page = app.stack.page

    status, placed = app.ask("/orders", {"page": page, "person": silent, "number": number})
    assert status == 202
    assert app.sent(placed["job"])["message_id"].startswith("m_")
    assert app.ask("/orders", {"page": page, "person": silent, "number": number}) == (202, placed), "placed once"
    assert app.texts_to(silent) == [f"Your order {number} has been placed."]

    status, refused = app.ask("/orders", {"page": page, "person": "Ada", "number": number + 100})
    assert status == 422
    assert "recipient.id" in str(refused)
    assert app.ask(f"/jobs/{'0' * 26}")[0] == 404
    assert app.ask("/webhook", {"object": "page"})[0] == 403, "unsigned"
    assert app.ask("/webhook?hub.mode=subscribe&hub.verify_token=wrong&hub.challenge=1")[0] == 403

    control(app.stack.sandbox_url, "PUT", "switches", {"window": "enforce"})
    where = {"url": f"{app.url}/webhook", "app_secret": APP_SECRET, "verify_token": VERIFY_TOKEN}
    control(app.stack.sandbox_url, "PUT", "webhooks", where)  # the sandbox asks its question, as Meta does
    written = {"page": page, "recipient": person, "from": "person", "text": "hello?"}
    control(app.stack.sandbox_url, "POST", "messages", written)
    assert app.until(lambda: app.texts_to(person), "the answer") == ["You wrote: hello?"]
    control(app.stack.sandbox_url, "PUT", "switches", {"window": "off"})


def task(name: str) -> dict[str, Any]:
    """An example of the migration, with its tasks; they are run here and now."""
    return runpy.run_path(str(EXAMPLES / "celery_migration" / f"{name}.py"))


def test_what_the_old_task_had_enqueued_is_handed_over_once(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (
        ("GRAPH_URL", stack.sandbox_url),
        ("PAGE_TOKEN", stack._token),
        ("PAGE_ID", stack.page),
        ("ENVOI_REDIS_URL", stack.redis_url),
    ):
        monkeypatch.setenv(name, value)
    envoi_settings.settings.cache_clear()
    app = App("", stack)
    before: Task = task("before")["send_message"]
    assert before.apply(("9001", "the old way")).get().startswith("m_")
    after = task("after")
    bridge: Task = after["send_message"]
    job_ids = {bridge.apply(("9001", "handed over"), task_id="t-1").get() for _ in range(2)}
    assert len(job_ids) == 1
    placed = after["order_placed"]("9001", 7)
    assert after["order_placed"]("9001", 7) == placed
    assert after["envoi"].wait(placed, TIME).state is State.SENT
    assert app.texts_to("9001") == ["the old way", "handed over", "Your order 7 has been placed."]
    after["told"].apply(kwargs={"job_id": placed, "state": "sent", "message_id": "m_1", "error": None}).get()


def test_the_quickstart_sends_its_messages(stack: Stack, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "quickstart.md").read_text(encoding="utf-8")
    assert stack.page in page
    program = tmp_path / "quickstart.py"
    blocks = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    program.write_text("\n".join(blocks).replace("timeout=10", f"timeout={TIME}"), encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, program],
        env=stack.environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert ran.returncode == 0, ran.stderr
    first, second, refused = ran.stdout.splitlines()
    assert first.startswith("sent m_")
    assert second == "sent"
    assert "message.text: at most 2000 characters" in refused
    assert App("", stack).texts_to("7001")[-2:] == ["hello", "hello again"]
