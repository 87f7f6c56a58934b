"""Recipients of a broadcast: read line by line, and checked by the same rules as those of a single job."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from envoi.broadcast.template import Template
from envoi.errors import InvalidJob, Problem
from envoi.job_texts import digest_of
from envoi.problems import MOST
from envoi.sendapi.recipient import Recipient

LINE_LONGEST = 65_536  # bytes; a recipient has a few hundred
_KEY_LONGEST = 512  # bytes; what is longer fits into no index of PostgreSQL
_DIGITS = re.compile(r"[0-9]{1,64}")  # as envoi.sendapi.part.Digits


@dataclass(frozen=True, slots=True)
class Person:
    """A recipient that passed the door.

    Attributes:
        kind: the field that the person is given by.
        key: what tells this person from others of the kind; of a very long token, its digest.
        given: the Send API's object, where it holds more than that; else None.
    """

    kind: str
    key: str
    given: Mapping[str, Any] | None = None

    @property
    def recipient(self) -> Mapping[str, Any]:
        """The Send API's own object."""
        return {self.kind: self.key} if self.given is None else self.given


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A line that is no recipient at all; says why."""

    limit: str


def kept_key(key: str) -> str:
    """What tells a recipient in the table: its own key, of a very long token a digest of it."""
    return key if len(key.encode()) <= _KEY_LONGEST else digest_of(key)


def read_lines(file: BinaryIO) -> Iterator[tuple[int, object]]:
    """Lines with their numbers from 1: each a page-scoped id, or a recipient object as JSON. Empty ones are left out.

    Args:
        file: UTF-8; it is read as the lines are.
    """
    number = 0
    while line := file.readline(LINE_LONGEST + 1):
        number += 1
        if len(line) > LINE_LONGEST and not line.endswith(b"\n"):
            yield number, Unreadable(f"at most {LINE_LONGEST} bytes in one line")
            _skip_line(file)
            continue
        text = _decoded(line, first=number == 1)
        if isinstance(text, Unreadable):
            yield number, text
        elif text:
            yield number, _object(text) if text.startswith(("{", '"', "[")) else text


def _skip_line(file: BinaryIO) -> None:
    while (rest := file.readline(LINE_LONGEST)) and not rest.endswith(b"\n"):
        pass


def _decoded(line: bytes, *, first: bool) -> str | Unreadable:
    try:
        text = line.decode("utf-8-sig" if first else "utf-8")
    except UnicodeDecodeError:
        return Unreadable("is not UTF-8")
    return text.strip()


def _object(text: str) -> object:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return Unreadable("is neither an id nor JSON")
    return found if isinstance(found, dict | str) else Unreadable("must be an id or a JSON object")


class Door:
    """Says of each recipient who it is, or what is wrong with it.

    Args:
        template: what will be sent to each.
    """

    def __init__(self, template: Template) -> None:
        self._template = template

    def check(self, recipient: object) -> Person | list[Problem]:
        """One recipient: an id, the Send API's own object, or a model of it."""
        person = recipient["id"] if isinstance(recipient, dict) and recipient.keys() == {"id"} else recipient
        if isinstance(person, str) and _DIGITS.fullmatch(person):
            return Person("id", person)  # nearly all; that the message goes to ids was seen with the template
        if isinstance(recipient, Unreadable):
            return [Problem("recipient", recipient.limit)]
        if isinstance(recipient, Recipient):
            recipient = recipient.model_dump(exclude_none=True)
        if not isinstance(recipient, str | dict):
            return [Problem("recipient", "must be a string or the Send API's own object")]
        try:
            found = self._template.job("", recipient).recipient
        except InvalidJob as error:
            return list(error.problems)
        except (TypeError, ValueError, RecursionError):
            return [Problem("recipient", "cannot be written as JSON")]
        given = found.model_dump(exclude_none=True)
        key = kept_key(found.key)
        return Person(found.kind, key, None if given == {found.kind: key} else given)


class Reading:
    """Recipients as they pass the door, and what is wrong with the others.

    Args:
        unit: what the recipients' numbers count, for error messages.

    Attributes:
        bad: how many are wrong.
        problems: the first hundred things that are wrong with them.
    """

    def __init__(self, unit: str) -> None:
        self.problems: list[Problem] = []
        self.bad = 0
        self._unit = unit

    def people(self, door: Door, given: Iterable[tuple[int, object]]) -> Iterator[tuple[int, Person]]:
        """Those that pass, with their numbers."""
        for number, recipient in given:
            found = door.check(recipient)
            if isinstance(found, Person):
                yield number, found
                continue
            self.bad += 1
            for problem in found[: MOST - len(self.problems)]:
                self.problems.append(Problem(f"{self._unit} {number}: {problem.field}", problem.limit, problem.source))
