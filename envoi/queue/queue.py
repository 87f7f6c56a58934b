"""The queue: every script with a Python face. Producers, workers and schedulers all come through here."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import redis
from redis.exceptions import NoScriptError

from envoi.errors import UnknownJob
from envoi.ids import new_job_id
from envoi.job import Job, seconds
from envoi.queue.commands import Catch, Command, PausePage, times_to_live
from envoi.queue.connection import translated
from envoi.queue.keys import Keys, conversation_of
from envoi.queue.scripts import script
from envoi.settings import Settings


@dataclass(frozen=True, slots=True)
class Tick:
    """What one tick moved.

    Attributes:
        entered: scheduled jobs that entered their lines.
        due: conversations whose due time had come.
        lost: leases that had run out.
        lag: seconds that the oldest of them was late.
    """

    entered: int
    due: int
    lost: int
    lag: float


class Queue:
    """One queue in one Redis.

    Every method raises :class:`envoi.errors.QueueUnavailable` when Redis does not answer.
    """

    def __init__(self, client: redis.Redis, settings: Settings) -> None:
        self.redis = client
        self.settings = settings
        self.keys = Keys(settings.redis_tag)

    def enqueue(self, jobs: Sequence[Job]) -> list[str]:
        """Enqueue all of some hundred jobs, or none.

        Returns:
            The id of each job, or of the first job with the same key.

        Raises:
            KeyConflict, QueueFull, Recovering: nothing was enqueued.
        """
        args: list[str | int | float] = [self.settings.events_cap, self.settings.bells_cap]
        for job in jobs:
            args += self._row(job)
        ids: list[str] = self._run("enqueue", *args)
        return ids

    def _row(self, job: Job) -> list[str | int | float]:
        settings = self.settings
        age = settings.replies_age if job.lane == "replies" else settings.bulk_age
        job_id = new_job_id()
        return [
            job_id,
            "r" if job.lane == "replies" else "b",
            "-" if job.key is None else job.key_digest(),
            job.digest(),
            seconds(job.expires_at),
            age,
            "-" if job.max_attempts is None else job.max_attempts,
            conversation_of(job.page, "id", job.recipient.id),
            seconds(job.at),
            job.payload(job_id),
        ]

    def status(self, job_id: str) -> dict[str, Any]:
        """State, attempts, message id, … of a job.

        Raises:
            UnknownJob: Redis does not know the job (any more).
        """
        text: str | None = self._run("status", job_id)
        if text is None:
            raise UnknownJob(f"no job {job_id}, or it settled longer ago than its status is kept")
        found: dict[str, Any] = json.loads(text)
        return found

    def cancel(self, job_id: str) -> str:
        """Cancel a job.

        Returns:
            ``cancelled``, ``pending`` (a worker holds it; decided before its message call) or ``too_late``.

        Raises:
            UnknownJob: Redis does not know the job (any more).
        """
        return str(self._run("cancel", job_id, *times_to_live(self.settings)))

    def prove_sent(self, job_id: str, message_id: str, recipient_id: str | None = None) -> str:
        """Bring the fact that a job was sent.

        Returns:
            ``settled``, ``held`` (its worker will find it), ``corrected`` (was unknown) or ``known``.

        Raises:
            UnknownJob: Redis does not know the job (any more).
        """
        return str(self._run("fact", job_id, message_id, recipient_id or "", *times_to_live(self.settings)))

    def pause(self, page: str, reason: str, token_version: int | None = None) -> bool:
        """Pause a page; with a token version only if that is still the page's. Returns whether it was paused."""
        command = PausePage(page, reason, token_version)
        return command.parse(self._run("page", *command.args(self.settings)))

    def resume(self, page: str) -> None:
        """Let a paused page send again."""
        self._run("page", page, "resume", "", "", self.settings.bells_cap)

    def configure(
        self, page: str, *, pace: float | None = None, cap: int | None = None, token_version: int | None = None
    ) -> None:
        """Set what a page is allowed: messages per second, calls in flight; and the version of its token."""
        value = {"pace": pace, "cap": cap, "tv": token_version}
        text = json.dumps({name: number for name, number in value.items() if number is not None})
        self._run("page", page, "set", text, "", self.settings.bells_cap)

    def renew(self, held: Sequence[tuple[str, str]]) -> int:
        """Renew the leases of (conversation, fence) pairs. Returns how many were still theirs."""
        flat = [part for pair in held for part in pair]
        return int(self._run("renew", self.settings.lease, *flat))

    def tick(self, limit: int = 100) -> Tick:
        """Move what time has made due, at most ``limit`` of each kind."""
        settings = self.settings
        entered, due, lost, lag = self._run(
            "tick", limit, settings.settle_wait, settings.bells_cap, settings.max_attempts, *times_to_live(settings)
        )
        return Tick(entered, due, lost, float(lag))

    def trip(self, commands: Sequence[Command]) -> list[Any]:
        """Run commands in one trip to Redis; each answer as its command parses it.

        After an error the same commands may be sent again: begin and done with the same fence do nothing twice, and
        what a lost claim took comes back when its lease runs out.
        """
        with translated():
            replies = self._pipeline(commands)
            missing = [n for n, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
            again = [n for n in missing if commands[n].script != "claim"]
            if again:
                for name in {commands[n].script for n in again}:
                    self.redis.script_load(script(name).text)
                for n, reply in zip(again, self._pipeline([commands[n] for n in again]), strict=True):
                    replies[n] = reply
            return [_answer(command, reply) for command, reply in zip(commands, replies, strict=True)]

    def _pipeline(self, commands: Sequence[Command]) -> list[Any]:
        with self.redis.pipeline(transaction=False) as pipe:
            for command in commands:
                pipe.evalsha(script(command.script).sha, 1, self.keys.base, *command.args(self.settings))
            replies: list[Any] = pipe.execute(raise_on_error=False)
        return replies

    def _run(self, name: str, *args: str | float) -> Any:  # noqa: ANN401  # each script answers in its own shape
        found = script(name)
        with translated():
            try:
                return self.redis.evalsha(found.sha, 1, self.keys.base, *args)
            except NoScriptError:
                return self.redis.eval(found.text, 1, self.keys.base, *args)


def _answer(command: Command, reply: Any) -> Any:  # noqa: ANN401  # each command has its own answer
    if isinstance(reply, NoScriptError) and command.script == "claim":
        return Catch([], None, gate_closed=True)
    if isinstance(reply, Exception):
        raise reply
    return command.parse(reply)
