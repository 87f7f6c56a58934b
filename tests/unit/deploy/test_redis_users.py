"""deploy/redis/users.acl keeps up with the scripts: a command or key that a script begins to use is let through."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

import pytest

from envoi.queue.scripts import ALL, MENDING, script

ROOT = Path(__file__).parents[3]
WEB_APP = (
    "cancel",
    "clear",
    "conversation",
    "enqueue",
    "fact",
    "hold",
    "optout",
    "reschedule",
    "status",
    "webhook",
)


class User(NamedTuple):
    """A line of the file."""

    name: str
    keys: list[str]
    read_only: list[str]
    commands: set[str]
    rules: list[str]


def users() -> dict[str, User]:
    found = {}
    for line in (ROOT / "deploy" / "redis" / "users.acl").read_text().splitlines():
        word, name, *rules = line.split()
        assert word == "user"
        keys = [rule.removeprefix("~") for rule in rules if rule.startswith("~")]
        read_only = [rule.removeprefix("%R~") for rule in rules if rule.startswith("%R~")]
        found[name] = User(name, keys, read_only, {rule[1:] for rule in rules if rule.startswith("+")}, rules)
    return found


def commands_of(name: str) -> set[str]:
    code = re.sub(r"--.*", "", script(name).text)
    return {word.lower() for word in re.findall(r"(?:redis\.call\(|\{)'([A-Z]{3,})'", code)}


def keys_of(name: str) -> set[str]:
    """The keys of a script, each by its beginning."""
    return set(re.findall(r"\bK \.\. '([a-z:-]+)'", re.sub(r"--.*", "", script(name).text)))


@pytest.mark.parametrize("user", ["worker", "scheduler", "operator"])
def test_whoever_runs_all_scripts_may_run_every_command_in_them(user: str) -> None:
    allowed = users()[f"envoi-{user}"].commands
    for name in (*ALL, *MENDING):
        assert commands_of(name) <= allowed, name


def test_a_web_app_may_run_the_commands_and_reach_the_keys_of_its_scripts_only() -> None:
    producer = users()["envoi-producer"]
    for name in WEB_APP:
        assert commands_of(name) <= producer.commands, name
        reached = [*producer.keys, *producer.read_only]
        for key in keys_of(name):
            assert any(fnmatchcase(f"{{envoi}}:{key}", pattern.replace("[", "[[]")) for pattern in reached), (name, key)
    for kept in ("proto", "epoch", "full"):
        assert f"{{envoi}}:{kept}" in producer.read_only
    for foreign in ("scripts", "workers", "schedulers", "log", "unacked"):
        assert not any(fnmatchcase(f"{{envoi}}:{foreign}", pattern) for pattern in producer.keys)


def test_nobody_may_do_what_ends_a_queue_and_nobody_is_in_without_a_password() -> None:
    for user in users().values():
        assert "+@all" not in user.rules
        assert "-@all" in user.rules
        assert not user.commands & {
            "flushall",
            "flushdb",
            "keys",
            "shutdown",
            "config|set",
            "debug",
            "acl",
            "replicaof",
        }
        assert "nopass" not in user.rules
        if user.name == "default":
            assert "off" in user.rules
        else:
            [password] = [rule for rule in user.rules if rule.startswith(">")]
            assert password == f">{user.name.removeprefix('envoi-').upper()}-PASSWORD"  # to be replaced
            assert all(key.startswith("{envoi}:") for key in [*user.keys, *user.read_only])
    assert [user.name for user in users().values() if "script|flush" in user.commands] == ["envoi-scheduler"]


def test_the_guide_names_every_user() -> None:
    guide = (ROOT / "docs" / "deploy.md").read_text()
    told = set(
        re.findall(r"(?m)^\| `([\w-]+)` \|.*\|.*\|$", guide.partition("## Users of Redis")[2].partition("\n## ")[0])
    )
    assert told == users().keys()
