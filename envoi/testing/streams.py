"""Outcome streams in memory, as far as a reader of outcomes asks."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from redis.exceptions import ResponseError

Argument = str | int | float


@dataclass
class _Entry:
    position: str
    fields: dict[str, str]
    reader: str | None = None
    read_at: float = 0.0


class Streams:
    """Streams by name.

    Args:
        clock: seconds since the epoch.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._streams: dict[str, list[_Entry]] = defaultdict(list)
        self._numbers = itertools.count(1)

    def append(self, out: str, fields: dict[str, str]) -> None:
        """Tell an outcome where a job wants it told: ``stream:<name>,<key>``; others are kept as ``tasks``."""
        self._streams[_name(out)].append(_Entry(f"{next(self._numbers)}-0", fields))

    def length(self, out: str) -> int:
        """Entries that nobody has acknowledged, where a job wants its outcome told."""
        return len(self._streams[_name(out)])

    def answer(self, parts: Sequence[Argument], base: str) -> Any:  # noqa: ANN401  # each command has its own answer
        """Answer XREADGROUP, XACK, XDEL, XAUTOCLAIM or XGROUP CREATE."""
        name = str(parts[0])
        if name == "XREADGROUP":
            return self._read(parts, base)
        stream = self._streams[_key(parts[1], base)]
        if name == "XDEL":
            gone = {str(part) for part in parts[2:]}
            stream[:] = [entry for entry in stream if entry.position not in gone]
            return len(gone)
        if name == "XAUTOCLAIM":
            reader, idle = str(parts[3]), float(parts[4]) / 1000
            found = [entry for entry in stream if entry.reader and self._clock() - entry.read_at >= idle]
            for entry in found:
                entry.reader, entry.read_at = reader, self._clock()
            return ["0-0", [entry.position for entry in found]]
        return 0  # XACK: what is acknowledged is deleted right after; XGROUP CREATE: there is one group

    def _read(self, parts: Sequence[Argument], base: str) -> Any:  # noqa: ANN401
        reader, count, after = str(parts[3]), int(parts[5]), parts[-1]
        key = _key(parts[-2], base)
        if after == "0":
            found = [entry for entry in self._streams[key] if entry.reader == reader][:count]
        else:
            found = [entry for entry in self._streams[key] if entry.reader is None][:count]
            for entry in found:
                entry.reader, entry.read_at = reader, self._clock()
        return [[key, [(entry.position, entry.fields) for entry in found]]] if found else []


def longest_wait(parts: Sequence[Argument]) -> float:
    """How long a command waits for something new, seconds."""
    return int(parts[7]) / 1000 if parts[0] == "XREADGROUP" and "BLOCK" in parts else 0.0


def _name(out: str) -> str:
    target = out.partition(",")[0]
    return target.removeprefix("stream:") if target.startswith("stream:") else "tasks"


def _key(name: Argument, base: str) -> str:
    stream = str(name).removeprefix(f"{base}out:")
    if stream == str(name):
        raise ResponseError(f"ERR the double has no key {name}")
    return stream
