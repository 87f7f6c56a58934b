"""Who answers questions: the queue in Redis, or the double that stands for it in tests."""

from __future__ import annotations

from typing import Protocol

from envoi.queue.conversation_questions import Questions
from envoi.queue.keys import Keys
from envoi.queue.question import Answer, Asking
from envoi.settings import Settings


class Answering(Protocol):
    """What every answerer knows."""

    @property
    def settings(self) -> Settings:
        """By which settings."""

    @property
    def keys(self) -> Keys:
        """Of which queue."""

    @property
    def questions(self) -> Questions:
        """What can be asked."""


class Answers(Answering, Protocol):
    """Answers questions in the calling thread."""

    def ask(self, asking: Asking[Answer]) -> Answer:
        """Answer questions until they come to their end. What they raise is raised."""


class AsyncAnswers(Answering, Protocol):
    """Answers questions in the running event loop."""

    async def ask(self, asking: Asking[Answer]) -> Answer:
        """Answer questions until they come to their end. What they raise is raised."""

    async def close(self) -> None:
        """Close what was opened for it."""
