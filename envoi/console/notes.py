"""What became of an act, told on the page that comes next. Kept in memory: a lost note is no loss."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Literal

_SESSIONS = 1000  # with notes nobody has read yet
_MOST = 5  # of one session


@dataclass(frozen=True, slots=True)
class Note:
    """One note.

    Attributes:
        kind: ``ok`` or ``bad``.
        lines: more of it, one a line.
        job: the id of a job to link to.
    """

    kind: Literal["ok", "bad"]
    text: str
    lines: tuple[str, ...] = ()
    job: str | None = None


class Notes:
    """Notes by session."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, list[Note]] = OrderedDict()

    def leave(self, session: str, note: Note) -> None:
        """Leave a note for the next page of a session."""
        with self._lock:
            self._kept[session] = [*self._kept.pop(session, []), note][-_MOST:]
            if len(self._kept) > _SESSIONS:
                self._kept.popitem(last=False)

    def take(self, session: str) -> list[Note]:
        """The notes of a session, which are read now."""
        with self._lock:
            return self._kept.pop(session, [])
