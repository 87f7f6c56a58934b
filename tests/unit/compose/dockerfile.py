"""The Dockerfile as a list of instructions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[3]


class Instruction(NamedTuple):
    """One instruction, its continued lines put together."""

    word: str
    rest: str


def instructions() -> list[Instruction]:
    """All instructions, in order."""
    text = "\n".join(
        line for line in (ROOT / "Dockerfile").read_text().splitlines() if line.strip() and not line.startswith("#")
    )
    found = []
    for line in text.replace("\\\n", " ").splitlines():
        word, _, rest = line.partition(" ")
        found.append(Instruction(word, " ".join(rest.split())))
    return found


def all_of(word: str) -> list[str]:
    """What follows each instruction of one kind."""
    return [instruction.rest for instruction in instructions() if instruction.word == word]


def exec_form(word: str) -> list[str]:
    """The arguments of an instruction that stands there once, in JSON: no shell comes between."""
    (text,) = all_of(word)
    arguments: list[str] = json.loads(text)
    return arguments


def environment() -> dict[str, str]:
    """What the image sets in the environment."""
    return dict(pair.split("=", 1) for line in all_of("ENV") for pair in line.split())


def copied() -> list[str]:
    """The files and folders of the repository that go into the image."""
    return [source for line in all_of("COPY") for source in line.split()[:-1]]
