"""Malformed command lines: exit status 1 or 2 with words on standard error, no traceback, nothing enqueued."""

from __future__ import annotations

import io
import random
import sys
from collections import Counter

import pytest
import redis

from envoi.cli import main
from envoi.client import open_queue
from envoi.queue.keys import Keys
from tests.integration.fuzz.chance import EXAMPLES, PATIENCE, Chance
from tests.integration.fuzz.spoil import spoilt_text

pytestmark = pytest.mark.timeout(PATIENCE)
KEYS = Keys()
_VALUES = (
    "", " ", "-", "--", "-h ", "x", "7", "-7", "1e999", "NaN", "null", "[]", "{}", '{"id":7}', '{"id":"7"}',
    '{"user_ref":', "\x00", "a\x00b", "\ud800", "\udcff\udcfe", "\u202e", "\x1b[31m", "\r\n", "x" * 3000,
    "{" * 3000, '{"text":' * 500, "é" * 65, "2026-13-45", "9999-12-31T23:59:59-23:59", "1" * 5000,
    "0001-01-01T00:00:00+23:59", "'; DROP TABLE jobs",
    '{"text":"\\ud800"}', '{"text":1e999}', '{"text":NaN}', '{"text":"a","text":7}', "@/etc/passwd", "$(id)",
)  # fmt: skip  # a table
_OPTIONS = (
    "--key", "--lane", "--at", "--expires-at", "--messaging-type", "--tag", "--notification-type", "--persona-id",
    "--reply-to", "--metadata", "--typing", "--max-attempts", "--message", "--platform",
)  # fmt: skip  # a table
_FLAGS = ("--no-typing", "--mark-seen", "--json", "--allow-unknown", "--unheard-of", "-x")
_COMMANDS = ("send", "send", "send", "send", "status", "cancel", "unheard-of", "", "\ud800")
_STDIN = (b"", b"{", b"\xff\xfe", b"null", b'{"text":"\x00"}', b"[" * 10_000, b'{"text":"x"')


def malformed(draw: random.Random) -> list[str]:
    """A command line in which something is wrong, nearly always."""
    command = draw.choice(_COMMANDS)
    if command != "send":
        return [command, *(draw.choice(_VALUES) for _ in range(draw.choice((0, 1, 1, 2))))]
    words = ["1001", "7001", "hello"]
    for _ in range(draw.choice((1, 1, 2))):
        place = draw.randrange(3)
        words[place] = draw.choice((draw.choice(_VALUES), spoilt_text(draw, words[place])))
    if draw.random() < 0.2:
        words = words[: draw.randrange(3)]
    for _ in range(draw.choice((0, 1, 2, 3))):
        option = draw.choice(_FLAGS) if draw.random() < 0.1 else f"{draw.choice(_OPTIONS)}={draw.choice(_VALUES)}"
        words.insert(draw.randrange(len(words) + 1), option)
    return ["send", *words]


def test_a_malformed_command_line_says_what_is_wrong_and_enqueues_nothing(
    redis_url: str, redis_client: redis.Redis, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENVOI_REDIS_URL", redis_url)
    queue = open_queue(redis_url)
    queue.open_gate(queue.run_id())
    chance = Chance("command")
    count: Counter[int] = Counter()
    while count[1] + count[2] < EXAMPLES // 10:
        draw = chance.next()
        arguments = malformed(draw)
        if isinstance(sys.stderr, io.TextIOWrapper):
            sys.stderr.reconfigure(errors="backslashreplace")  # as that of a real process
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(draw.choice(_STDIN))))
        try:
            status = main(arguments)
        except BaseException as error:
            error.add_note(f"{chance}: {arguments!r:.500}")
            raise
        told = capsys.readouterr()
        where = f"{chance}: {arguments!r:.500}\n{told.err[:2000]}"
        assert status in (0, 1, 2), where
        assert "Traceback" not in told.err, where
        assert (status == 0) != bool(told.err.strip()) or "is retired" in told.err, where
        assert len(told.err) < 20_000, where
        told.err.encode()
        assert not any(character in told.err for character in "\x00\x1b"), where
        count[status] += 1
    assert redis_client.xlen(KEYS.events) <= count[0]
    capsys.readouterr()
    print(f"\ncommand line: {count[1]} refused, {count[2]} wrong usage, {count[0]} right by chance")
