"""The Python in the pages for app developers: run where it can be, else its names are those that there are."""

from __future__ import annotations

import ast
import builtins
import importlib
import re
import textwrap
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import envoi
from envoi import outbox
from envoi.testing import FakeAsyncEnvoi, FakeEnvoi

ROOT = Path(__file__).parents[3]
PAGES = (
    "README.md",
    "docs/quickstart.md",
    "docs/sending.md",
    "docs/webhooks.md",
    "docs/outbox.md",
    "docs/outcomes.md",
    "docs/conversations.md",
    "docs/testing.md",
)
# What a page takes for granted: the app's own.
GIVEN = {
    "README.md": {"people"},
    "docs/sending.md": {"people", "at"},
    "docs/outbox.md": {"Session", "engine", "order", "threading", "SessionMaker", "models", "transaction"},
    "docs/outcomes.md": {"Envoi", "envoi", "orders", "app"},
    "docs/conversations.md": {"envoi", "in_an_hour"},
}
OBJECTS: dict[str, object] = {"envoi": envoi.Envoi, "outbox": outbox, "fake_envoi": FakeEnvoi, "fake": FakeEnvoi}


def blocks(page: str) -> list[str]:
    text = (ROOT / page).read_text(encoding="utf-8")
    found = re.findall(r"^ *```python[^\n]*\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
    return [textwrap.dedent(block) for block in found]


EVERY = [(page, number) for page in PAGES for number in range(len(blocks(page)))]


def bound(tree: ast.AST) -> Iterator[str]:
    """Names that a block makes."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name) | ast.ExceptHandler(name=str(name)):
                yield name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.alias(name=name, asname=other):
                yield (other or name).partition(".")[0]
            case _:
                pass


def test_every_page_has_python() -> None:
    assert {page for page, _ in EVERY} == set(PAGES)


@pytest.mark.parametrize(("page", "number"), EVERY)
def test_a_block_is_python_and_its_names_are_known(page: str, number: int) -> None:
    before = [ast.parse(block) for block in blocks(page)[: number + 1]]
    known = {*dir(builtins), *GIVEN.get(page, ()), *(name for tree in before for name in bound(tree))}
    for node in ast.walk(before[-1]):
        if isinstance(node, ast.Name):
            assert node.id in known, node.id
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "envoi":
            module = importlib.import_module(str(node.module))
            missing = [one.name for one in node.names if not hasattr(module, one.name) and one.name != "outbox"]
            assert not missing
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in OBJECTS:
            assert hasattr(OBJECTS[node.value.id], node.attr), node.attr


class Quick(FakeEnvoi):
    """Delivers what is waited for, as the worker of the page does."""

    def wait(self, job_id: str, timeout: float) -> envoi.JobStatus:
        self.deliver()
        return super().wait(job_id, timeout)


class QuickAsync(FakeAsyncEnvoi):
    async def wait(self, job_id: str, timeout: float) -> envoi.JobStatus:  # noqa: ASYNC109  # as the client's own
        self.fake.deliver()
        return await super().wait(job_id, timeout)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the pages' code finds: the double in place of the client."""
    monkeypatch.setattr(envoi, "Envoi", Quick)
    monkeypatch.setattr(envoi, "AsyncEnvoi", QuickAsync)
    now = datetime.now(UTC)
    return {"people": ["7001", "7002"], "at": now + timedelta(hours=1), "in_an_hour": now + timedelta(hours=1)}


def runnable(page: str) -> Iterator[str]:
    """Blocks with ids that could be."""
    for block in blocks(page):
        yield block.replace('"PAGE"', '"100"').replace('"PSID"', '"7001"').replace("https://…", "https://a.example/b")


@pytest.mark.parametrize("page", ["README.md", "docs/quickstart.md", "docs/sending.md"])
def test_a_page_runs_from_its_first_block_to_its_last(page: str, names: dict[str, Any]) -> None:
    for block in runnable(page):
        exec(block, names)  # noqa: S102  # our own page


def test_conversations_runs(names: dict[str, Any]) -> None:
    names["envoi"] = Quick()
    for block in runnable("docs/conversations.md"):
        exec(block, names)  # noqa: S102  # our own page
    assert [one.recipient for one in names["envoi"].opt_outs("100")] == [{"id": "7001"}]


def test_the_tests_of_the_testing_page_pass(names: dict[str, Any]) -> None:
    for block in runnable("docs/testing.md"):
        exec(block, names)  # noqa: S102  # our own page
    tests = [name for name in names if name.startswith("test_")]
    assert len(tests) == 2
    for name in tests:
        names[name](FakeEnvoi())


def test_outcomes_are_asked_for_and_read_as_the_page_says(names: dict[str, Any]) -> None:
    class Enough(Exception):  # noqa: N818  # ends the loop that the page calls endless
        pass

    class Orders:
        def told(self, key: str, state: str, message_id: str) -> None:
            heard.append((key, state, message_id))
            raise Enough

    heard: list[tuple[str, str, str]] = []
    asks, reads, *_ = runnable("docs/outcomes.md")
    names |= {"Envoi": Quick, "orders": Orders()}
    exec(asks, names)  # noqa: S102  # our own page
    client = names["envoi"]
    job_id = client.send("100", "7002", "hello", key="k")
    client.deliver()
    with pytest.raises(Enough):
        exec(reads, names)  # noqa: S102  # our own page
    assert heard == [("k", "sent", client.status(job_id).message_id)]
