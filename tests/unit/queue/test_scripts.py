"""The Lua files as they are put together."""

from __future__ import annotations

import hashlib
import re
from importlib.resources import files

import pytest

from envoi.queue import scripts
from envoi.queue.scripts import GATED, MENDING, script

LUA = {
    path.name.removesuffix(".lua"): path.read_text(encoding="utf-8")
    for path in (files("envoi.queue") / "lua").iterdir()
}
ALL = scripts.ALL + MENDING
PARTS = LUA.keys() - set(ALL)
# What may hold two dashes that begin no comment of one line; what comes first in a text counts.
_TOKEN = re.compile(
    r"""(?P<block>--\[=*\[)|--[^\n]*|(?P<string>'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|\[(=*)\[.*?\]\3\])""", re.DOTALL
)


def _uses(name: str) -> list[str]:
    found = re.search(r"^-- use: (.+)$", LUA[name], re.MULTILINE)
    return found[1].split() if found else []


@pytest.mark.parametrize("name", ALL)
def test_a_script_opens_by_saying_its_keys_arguments_and_answer(name: str) -> None:
    head = LUA[name].partition("-- use: ")[0]
    assert head.startswith(f"-- {name}: ")
    for words in ("-- KEYS[1] the queue's base. Keys ", "-- ARGV: ", "Answers"):
        assert words in head
    assert all(line.startswith("--") for line in head.splitlines())


def test_every_lua_file_is_a_script_or_a_part_of_one() -> None:
    assert {part for name in ALL for part in _uses(name)} == PARTS


@pytest.mark.parametrize("name", ALL)
def test_parts_come_after_the_parts_they_call(name: str) -> None:
    """Lua's locals are known only behind their definition."""
    defined: set[str] = set()
    everywhere = {f for part in PARTS for f in re.findall(r"^local function (\w+)", LUA[part], re.MULTILINE)}
    for part in [*_uses(name), name]:
        defined |= set(re.findall(r"^local function (\w+)", LUA[part], re.MULTILINE))
        code = re.sub(r"--.*|'[^']*'", "", LUA[part])
        called = set(re.findall(r"(?<![.\w:])(\w+)\(", code)) & everywhere
        assert called <= defined, part


def test_texts_differ_only_in_whether_the_gate_is_open() -> None:
    for name in ALL:
        found = script(name)
        assert found.sha == hashlib.sha1(found.text.encode(), usedforsecurity=False).hexdigest()
        assert found.text.startswith(f"local K, OPEN, PROTOCOL = KEYS[1], true, {scripts.PROTOCOL}\n")
        if name in GATED:
            assert found.shut_text is None
        else:
            assert found.shut_text == found.text.replace("true", "false", 1)


def test_no_script_walks_the_key_space_or_an_unbounded_list() -> None:
    for name, text in LUA.items():
        code = re.sub(r"--.*", "", text)
        assert not re.search(r"'(KEYS|SCAN|LREM|SMEMBERS|HGETALL|LINSERT)'", code), name
        assert "0, -1" not in code, name


@pytest.mark.parametrize("name", sorted(ALL))
def test_a_script_carries_nothing_that_it_has_no_use_for(name: str) -> None:
    found = script(name)
    text = found.text
    assert "--" not in text
    for function in re.findall(r"^local function (\w+)", text, re.MULTILINE):
        assert len(re.findall(rf"\b{function}\b", text)) > 1, f"{function} is made for nothing"


def _wrongly_cut(text: str) -> list[str]:
    """Strings that the cutting of comments would break, and the heads of comments that it would not cut whole."""
    found = [match["block"] or match["string"] for match in _TOKEN.finditer(text)]
    return [token for token in found if token and "--" in token]


@pytest.mark.parametrize("name", sorted(LUA))
def test_two_dashes_begin_a_comment_of_one_line_wherever_they_stand(name: str) -> None:
    """Comments are cut without a look at what stands around them (``_spared``)."""
    assert _wrongly_cut(LUA[name]) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("local a = 'x--y'", ["'x--y'"]),
        ('local a = "it\'s --" -- a comment', ['"it\'s --"']),
        (r"local a = '\'--'", [r"'\'--'"]),
        ("local a = [=[ x\n--y ]] ]=]", ["[=[ x\n--y ]] ]=]"]),
        ("--[[ over\nlines ]]", ["--[["]),
        ("local a = 'x' -- it's a comment -- 'so'\nlocal b = a[b[1]]", []),
    ],
)
def test_dashes_in_strings_and_comments_of_many_lines_are_found(text: str, found: list[str]) -> None:
    assert _wrongly_cut(text) == found
