"""Why the platform refuses a person's messages, as the queue keeps it between two jobs."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from envoi.events import GraphError


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal that holds for later jobs of the same conversation, until the person writes again or its time is up.

    Attributes:
        untagged_only: the window is closed (SEND_API 2): a message with a tag may still pass.
    """

    error: GraphError
    untagged_only: bool = False

    def stops(self, job: dict[str, Any]) -> bool:
        """Whether this job is refused too, without a call."""
        return not (self.untagged_only and job.get("tag"))

    def told(self) -> GraphError:
        """What a job is told that it stops."""
        code = f"{self.error.code}" if self.error.subcode is None else f"{self.error.code}/{self.error.subcode}"
        return replace(
            self.error,
            message=f"no call made: an earlier message to this person was refused ({code}), and the person has not "
            f"written since: {self.error.message}",
        )

    def dump(self) -> str:
        """As the queue keeps it: JSON."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def load(cls, text: str) -> Self:
        """The inverse of :meth:`dump`."""
        found = json.loads(text)
        return cls(GraphError(**found["error"]), found["untagged_only"])
