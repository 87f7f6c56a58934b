"""How commands are put together into packs, and their answers taken apart again."""

from __future__ import annotations

from typing import Any

import pytest
import redis

from envoi.queue.claim import Claim
from envoi.queue.commands import Command
from envoi.queue.packs import answers_of, packs_of, shut_packs_of
from envoi.queue.page_commands import SlowPage
from envoi.queue.scripts import script
from envoi.settings import Settings

RULES, BASE = Settings(), "{envoi}:"


def claims(count: int) -> list[Command]:
    return [Claim(1, f"w{number}") for number in range(count)]


def shape(commands: list[Command]) -> list[tuple[str, int]]:
    names = {script(name).sha: name for name in ("trip", "claim", "page")}
    return [(names[str(words[1])], count) for words, count in packs_of(commands, RULES, BASE)]


def test_commands_of_every_message_share_packs_of_a_bounded_size() -> None:
    assert shape(claims(131)) == [("trip", 64), ("trip", 64), ("trip", 3)]


def test_one_that_is_alone_or_rare_goes_by_its_own_script_and_all_stay_in_order() -> None:
    slow = SlowPage("1", 0.5)
    assert shape([*claims(1), slow, *claims(2), slow]) == [("claim", 0), ("page", 0), ("trip", 2), ("page", 0)]
    assert shape([]) == []


def test_a_pack_carries_the_arguments_of_each_of_its_commands() -> None:
    commands = claims(2)
    [(words, count)] = packs_of(commands, RULES, BASE)
    assert count == 2
    told: list[Any] = []
    for command in commands:
        args = command.args(RULES)
        told += ["claim", len(args), *args]
    assert words == ("EVALSHA", script("trip").sha, 1, BASE, *told)


def test_while_the_gate_is_shut_each_goes_by_the_text_that_knows_of_it() -> None:
    [(slow, _), (claim, _)] = shut_packs_of([SlowPage("1", 0.5), Claim(1, "w")], RULES, BASE)
    assert slow[:2] == ("EVAL", script("page").shut_text)
    assert claim[:2] == ("EVALSHA", script("claim").sha)  # it does not run then


def test_answers_come_back_in_the_order_of_the_commands() -> None:
    packs = packs_of([*claims(1), SlowPage("1", 0.5), *claims(2)], RULES, BASE)
    assert answers_of(packs, ["first", "ok", ["second", "third"]]) == ["first", "ok", "second", "third"]


@pytest.mark.parametrize("error", [redis.ResponseError("OOM"), redis.exceptions.NoScriptError("NOSCRIPT")])
def test_an_error_of_a_pack_is_that_of_all_its_commands(error: Exception) -> None:
    packs = packs_of([*claims(2), SlowPage("1", 0.5)], RULES, BASE)
    assert answers_of(packs, [error, "ok"]) == [error, error, "ok"]
