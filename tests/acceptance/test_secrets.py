"""Nothing that the system writes while it is busy holds a token, a key or a text, but where they belong."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import redis
from sqlalchemy import Engine, inspect, text

from demo.ports import free_port
from demo.stack import Stack
from envoi import Envoi, Job, State
from envoi.log.queries import count_by_state
from envoi.queue.scripts import script
from tests.acceptance.conftest import MakeStack
from tests.acceptance.console import Console
from tests.acceptance.flower import Flower
from tests.acceptance.ledger import control, lift_look_limit, order_fault
from tests.integration.console.conftest import User
from tests.waiting import wait_until

APP_SECRET = "app-secret-5f1d7c"
TEXT, METADATA = "the password is swordfish", "for-your-eyes-only"
PERSON = "7000000000000001"
PASSWORD, WRONG_PASSWORD = "correct horse battery", "correct horse cavalry"  # of the console
QUICK = {
    "ENVOI_PAGE_PACE": "500",
    "ENVOI_PAGE_CALLS": "10000",
    "ENVOI_READ_TIMEOUT": "1",
    "ENVOI_GRAPH_LATEST": "1",
    "ENVOI_GRAPH_LATEST_MEDIA": "1",
    "ENVOI_GRAPH_VISIBLE": "1",
    "ENVOI_BACKOFF_FIRST": "0.2",
    "ENVOI_BACKOFF_CAP": "1",
    "ENVOI_ANSWERED_WAIT": "0.2",
    "ENVOI_LOOK_AGAIN": "1",
    "ENVOI_LOOKS_PACE": "50",  # Meta's two a second would only make the tests longer
    "ENVOI_APP_SECRET": APP_SECRET,
}
FAULTS: list[dict[str, object]] = [
    {"kind": "error", "code": 2, "status": 500},
    {"kind": "error", "code": 100, "subcode": 2018001},
    {"kind": "reset"},
    {"kind": "reset", "delivered": True},
    {"kind": "bad_gateway", "delivered": True},
    {"kind": "slow", "seconds": 2.0, "delivered": True},
]
# Where contents belong: the job in Redis, and its row.
_PAYLOADS = "{envoi}:j:"
_KEPT = {("jobs", "payload"), ("pages", "token")}


@contextmanager
def overheard(url: str, into: list[str]) -> Iterator[None]:
    """Every command that reaches Redis, a script's own too, and every message that it publishes.

    Left out are two that must carry jobs: ``enqueue``, and its writing them down.
    """
    ended = threading.Event()
    enqueue = script("enqueue").sha

    def listen() -> None:
        with redis.Redis.from_url(url, decode_responses=True, socket_timeout=1) as client, client.monitor() as monitor:
            ready.set()
            while not ended.is_set():
                try:
                    command = monitor.next_command()["command"]
                except redis.TimeoutError:
                    continue
                carries_jobs = command.startswith((f"EVALSHA {enqueue} ", f"SET {_PAYLOADS}"))
                if not carries_jobs:
                    into.append(command)

    ready = threading.Event()
    thread = threading.Thread(target=listen)
    thread.start()
    try:
        assert ready.wait(10)
        yield
    finally:
        ended.set()
        thread.join()


def in_redis(url: str) -> str:
    """Everything in Redis but the jobs as enqueued."""
    with redis.Redis.from_url(url, decode_responses=True) as client:
        keys = [key for key in client.scan_iter(count=1000) if not key.startswith(_PAYLOADS)]
        return "\n".join(f"{key} {_value(client, key)}" for key in keys)


def _value(client: redis.Redis, key: str) -> object:
    readers: dict[str, Callable[[str], object]] = {
        "string": client.get,
        "hash": client.hgetall,
        "list": lambda name: client.lrange(name, 0, -1),
        "set": client.smembers,
        "zset": lambda name: client.zrange(name, 0, -1),
        "stream": client.xrange,
        "none": lambda _: "",  # gone since it was listed
    }
    return readers[str(client.type(key))](key)


def in_sql(engine: Engine) -> str:
    """Every column of every table but those that hold contents and sealed tokens."""
    found = []
    with engine.connect() as connection:
        for table in inspect(engine).get_table_names():
            names = [column["name"] for column in inspect(engine).get_columns(table)]
            shown = ", ".join(name for name in names if (table, name) not in _KEPT)
            found += [str(row) for row in connection.execute(text(f"SELECT {shown} FROM {table}"))]  # noqa: S608  # our own tables
    return "\n".join(found)


def start_with_metrics(stack: Stack) -> list[int]:
    """A scheduler and two workers, each with a port that shows its metrics. Returns the ports."""
    ports = []
    for step in stack.steps(workers=2):
        if step.startswith(("scheduler", "worker")):
            ports.append(free_port())
            stack.environment["ENVOI_METRICS_PORT"] = str(ports[-1])
    return ports


def read(port: int, page: str) -> str:
    """What a process shows to whoever asks."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", page)
        answer = connection.getresponse()
        assert answer.status == 200, page
        return answer.read().decode()
    finally:
        connection.close()


def entered(url: str) -> User:
    """An operator at the console, who did not know the password at first."""
    operator = User(url)
    assert operator.login(WRONG_PASSWORD).status_code == 403
    assert operator.login(PASSWORD).status_code == 200
    return operator


def console_pages(operator: User, stack: Stack, job_id: str) -> dict[str, str]:
    """What the console shows to an operator who does not ask for words."""
    conversation = f"/conversation?page={stack.page}&kind=id&recipient={PERSON}"
    lists = ("/jobs", "/jobs?state=failed", "/pages", "/broadcasts")
    shown = {}
    for page in ("/login", "/", *lists, f"/jobs/{job_id}", conversation):
        answer = operator.get(page)
        assert answer.status_code == 200, page
        shown[f"the console's {page}"] = answer.text
    return shown


def test_tokens_keys_and_texts_are_only_where_they_belong(
    make_stack: MakeStack, opened_log: Callable[[Stack], Engine]
) -> None:
    stack = make_stack(latency=0.01, settings=QUICK)
    shown = start_with_metrics(stack)
    lift_look_limit(stack.sandbox_url)
    engine = opened_log(stack)
    contents = ["swordfish", METADATA]
    secrets = [stack._token, APP_SECRET, stack.environment["ENVOI_SECRET_KEYS"], PASSWORD, WRONG_PASSWORD, *contents]
    for fault in FAULTS:
        order_fault(stack.sandbox_url, fault, probability=0.06)
    commands: list[str] = []
    places: dict[str, str] = {}
    with Flower(stack) as flower, Console(stack, PASSWORD) as console, overheard(stack.redis_url, commands):
        flower.wait_for_workers(2)
        operator = entered(console.url)
        secrets += [console.stored, *operator.http.cookies.values()]
        ids = Envoi(stack.redis_url).send_many(
            Job(
                page=stack.page,
                recipient=str(int(PERSON) + number % 40),
                message={"text": f"{TEXT} {number}", "metadata": METADATA},
                key=f"key-{number}",
            )
            for number in range(300)
        )
        wait_until(lambda: count_by_state(engine).get(State.SENT, 0) > 100, "half of the jobs are sent")
        places["Redis, busy"] = in_redis(stack.redis_url)
        control(stack.sandbox_url, "POST", f"pages/{stack.page}/kill-tokens", {"subcode": 460})
        wait_until(lambda: "190" in stack.run("pages", "list"), "the page is paused for its dead token")
        places["pages list"] = stack.run("pages", "list", "--json")
        new = "sandbox-second-token-9c4e"
        secrets.append(new)
        control(stack.sandbox_url, "POST", "pages", {"id": stack.page, "token": new})
        places["pages rotate"] = stack.run("pages", "rotate", stack.page, stdin=new)
        wait_until(
            lambda: sum(n for state, n in count_by_state(engine).items() if state.final) == len(ids),
            "every job has its outcome",
            90,
        )
        for port in shown:
            for page in ("/metrics", "/healthz", "/readyz"):
                places[f"{page} of port {port}"] = read(port, page)
        for command in (("doctor",), ("jobs", "--state", "failed"), ("status", ids[0])):
            places[" ".join(command)] = stack.run(*command, "--json")
        places["Flower's tasks"] = flower.read("/api/tasks")
        places |= console_pages(operator, stack, ids[0])
        words = operator.post(f"/jobs/{ids[0]}").text  # asked for, and so shown; and nothing else with them
        assert TEXT in words
        assert [secret for secret in secrets if secret in words and secret not in contents] == []
        places["a page of Flower's"] = flower.read(f"/task/{ids[0]}")
        places["Flower's metrics"] = flower.read("/metrics")
    places["Redis's commands"] = "\n".join(commands)
    places["Redis, idle"] = in_redis(stack.redis_url)
    places["SQL"] = in_sql(engine)
    for child in stack.children():
        places[f"log of {child.name}"] = child.log.read_text()
    for child in (flower.child, console.child):
        places[f"log of {child.name}"] = child.log.read_text()

    found = [f"{secret} in {place}" for place, all_of_it in places.items() for secret in secrets if secret in all_of_it]
    assert found == []
    # The search can find something: each place holds what belongs there.
    for place in ("Redis, busy", "Redis's commands", "Redis, idle", "SQL", "Flower's tasks", "a page of Flower's"):
        assert ids[0] in places[place], place
    assert any(job in places["log of worker-0"] for job in ids)
    assert stack.page in places["pages list"]
    assert all(f'page="{stack.page}"' in places[f"/metrics of port {port}"] for port in shown[1:])
    assert "celeryev" in places["Redis's commands"]
    assert ids[0] in places[f"the console's /jobs/{ids[0]}"]
    for act in ("console_wrong_password", "console_login", "console_texts"):
        assert act in places["log of console"], act
