"""How scripts are run: by their hash, and while the gate is shut by their shut text."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import redis
from redis.exceptions import NoScriptError

from envoi.errors import Recovering
from envoi.queue.claim import Claim
from envoi.queue.commands import Command
from envoi.queue.connection import translated
from envoi.queue.conversation_questions import Questions
from envoi.queue.keys import Keys
from envoi.queue.packs import Pack, answers_of, packs_of, shut_packs_of
from envoi.queue.question import Answer, Asking, Pause, Question, RunScript, answered
from envoi.queue.scripts import GATED, script
from envoi.queue.together import Departed
from envoi.settings import Settings

GATE_SHUT = "the gate is shut: Redis has restarted and the scheduler has not looked the queue over yet; try again"


Packing = Callable[[Sequence[Command], Settings, str], list[Pack]]


@dataclass(frozen=True, slots=True)
class Trip:
    """Commands that are on their way to Redis."""

    commands: Sequence[Command]
    packs: Sequence[Pack]
    departed: Departed


class Runner:
    """Runs the scripts of one queue in one Redis.

    Every method raises :class:`envoi.errors.QueueUnavailable` when Redis does not answer.
    """

    def __init__(self, client: redis.Redis, settings: Settings) -> None:
        self.redis = client
        self.keys = Keys(settings.redis_tag)
        self.questions = Questions(settings, self.keys)

    @property
    def settings(self) -> Settings:
        """Those that the questions go by, so that there is one truth."""
        return self.questions.settings

    @settings.setter
    def settings(self, settings: Settings) -> None:
        self.questions.settings = settings

    def ask(self, asking: Asking[Answer]) -> Answer:
        """Answer questions until they come to their end. What they raise is raised."""
        return answered(asking, self._answer_to)

    def _answer_to(self, question: Question) -> Any:  # noqa: ANN401  # each question has its own answer
        if isinstance(question, RunScript):
            return self._run(question.name, *question.args)
        if isinstance(question, Pause):
            return time.sleep(question.seconds)
        with translated():
            if len(question.commands) == 1:
                return [self.redis.execute_command(*question.commands[0])]  # type: ignore[no-untyped-call]
            with self.redis.pipeline(transaction=question.atomic) as pipe:
                for parts in question.commands:
                    pipe.execute_command(*parts)  # type: ignore[no-untyped-call]  # redis-py types its commands only
                return pipe.execute()

    def trip(self, commands: Sequence[Command], when_shut: Callable[[], None] | None = None) -> list[Any]:
        """Run ``commands`` in one trip to Redis; each answer as its command parses it.

        After an error the same commands may be sent again: begin and done with the same fence do nothing twice, and
        what a lost claim took comes back when its lease runs out.

        If the gate is found shut, ``when_shut`` is called before anything is run all the same: what was told before
        these commands may be lost, and their order matters.
        """
        return self.arrive(self.depart(commands), when_shut)

    def depart(self, commands: Sequence[Command]) -> Trip:
        """Send ``commands`` on their trip, without waiting for the answers."""
        packs = packs_of(commands, self.settings, self.keys.base)
        with translated():
            return Trip(commands, packs, Departed(self.redis, [words for words, _ in packs]))

    def arrive(self, trip: Trip, when_shut: Callable[[], None] | None = None) -> list[Any]:
        """Wait for the answers of a trip, as :meth:`trip` does."""
        commands = trip.commands
        with translated():
            replies = answers_of(trip.packs, trip.departed.answers())
            shut = _shut_out(replies)
            if shut and when_shut:
                when_shut()
                self._again(commands, replies, shut, packs_of)  # the gate may have been opened meanwhile
                shut = _shut_out(replies)
            self._again(commands, replies, [n for n in shut if commands[n].script not in GATED], shut_packs_of)
            return [_answer(command, reply) for command, reply in zip(commands, replies, strict=True)]

    def _again(self, commands: Sequence[Command], replies: list[Any], which: Sequence[int], packed: Packing) -> None:
        if which:
            packs = packed([commands[n] for n in which], self.settings, self.keys.base)
            answers = answers_of(packs, Departed(self.redis, [words for words, _ in packs]).answers())
            for n, reply in zip(which, answers, strict=True):
                replies[n] = reply

    def _run(self, name: str, *args: str | float) -> Any:  # noqa: ANN401  # each script answers in its own shape
        found = script(name)
        with translated():
            try:
                return self.redis.evalsha(found.sha, 1, self.keys.base, *args)
            except NoScriptError:
                if found.shut_text is None:
                    raise Recovering(GATE_SHUT) from None
                return self.redis.eval(found.shut_text, 1, self.keys.base, *args)


def _shut_out(replies: Sequence[Any]) -> list[int]:
    return [n for n, reply in enumerate(replies) if isinstance(reply, NoScriptError)]


def _answer(command: Command, reply: Any) -> Any:  # noqa: ANN401  # each command has its own answer
    if isinstance(reply, Exception):
        if isinstance(reply, NoScriptError) and isinstance(command, Claim):
            return command.shut()
        raise reply
    return command.parse(reply)
