"""The examination: every topic read at the same time, none for longer than it may take."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from redis.exceptions import ResponseError

from envoi.doctor.finding import AnyTopic, Finding
from envoi.errors import EnvoiError


def examine(topics: Sequence[AnyTopic]) -> list[Finding]:
    """What all checks find, in the order of the topics.

    A topic that does not end in time is left behind in a thread of its own, which ends with the process: nothing that a
    server does, or does not do, makes this take longer.
    """
    readings = [_Reading(topic) for topic in topics]
    for reading in readings:
        reading.start()
    began = time.monotonic()
    found: list[Finding] = []
    for reading in readings:
        reading.join(max(0.0, began + reading.topic.seconds - time.monotonic()))
        found += reading.findings or reading.topic.unread(f"no answer within {reading.topic.seconds:g} s")
    return found


class _Reading(threading.Thread):
    """Reads one topic.

    Attributes:
        findings: None: not there yet.
    """

    def __init__(self, topic: AnyTopic) -> None:
        super().__init__(name=f"doctor-{topic.reach.name}", daemon=True)
        self.topic = topic
        self.findings: list[Finding] | None = None

    def run(self) -> None:
        try:
            self.findings = self.topic.findings(self.topic.read())
        except (EnvoiError, ImportError) as error:
            self.findings = self.topic.unread(_told(error))
        except ResponseError as error:  # a command that this user of Redis may not run, or a key of another kind
            self.findings = self.topic.unread(f"Redis refused a command: {error}")
        except Exception as error:  # noqa: BLE001  # a fault of ours in one topic must not hide what the others found
            # Its text may hold anything, an address with a password among it.
            self.findings = self.topic.unread(f"an unforeseen {type(error).__name__}")


def _told(error: EnvoiError | ImportError) -> str:
    if isinstance(error, ImportError):
        package = (error.name or "").partition(".")[0]
        return f"{package or 'a package'} is not installed here: pip install 'envoi[worker]'"
    return str(error)
