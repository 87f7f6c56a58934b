"""What a restart of Redis asks for: the register of workers, what they hold, the suspect pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from envoi.queue.claim import Claimed
from envoi.queue.connection import translated
from envoi.queue.gate import Gate
from envoi.queue.lifetimes import times_to_live

_BACK_TTL = 86400  # seconds that a run's list of workers is kept


class Grip(NamedTuple):
    """What a worker holds, as it reasserts it.

    Attributes:
        marked: whether begin has answered "go" for this fence.
    """

    conversation: str
    fence: str
    job_id: str
    attempt: int
    marked: bool

    @classmethod
    def of(cls, claimed: Claimed, *, marked: bool) -> Self:
        """What was claimed."""
        return cls(claimed.conversation, claimed.fence, claimed.job_id, claimed.attempt, marked)


@dataclass(frozen=True, slots=True)
class Suspected:
    """One step of the suspect pass.

    Attributes:
        moved: conversations whose head is settling now.
        cursor: where the next step goes on; None: the pass is over.
    """

    moved: int
    cursor: str | None


class Restarts(Gate):
    """Renewal of leases, and all that workers and scheduler tell a restarted Redis."""

    def renew(self, worker: str, held: Sequence[tuple[str, str]]) -> int:
        """Say that a worker lives, and renew the leases of its (conversation, fence) pairs.

        Args:
            worker: the process's nonce, the same one for its whole life.
            held: may be empty; then the worker is only registered.

        Returns:
            How many were still its own.
        """
        flat = [part for pair in held for part in pair]
        return int(self._run("renew", worker, self.settings.lease, *flat))

    def reassert(
        self,
        worker: str,
        run_id: str,
        held: Sequence[Grip | tuple[str, str, str, int, bool]],
        *,
        back: bool = True,
    ) -> int:
        """Tell a restarted Redis what a worker holds. What Redis has lost of it is restored while the gate is shut.

        What ended in the last moments before the restart may be lost as well. The worker tells it again in its old
        order, each job for itself: reassert (``back=False``), then its Done commands; last :meth:`check_in`.

        Args:
            worker: the process's nonce.
            run_id: of the present run.
            held: only what its own clock says was still its right: renewed within a lease before the restart.
            back: whether that is all, so that nobody waits for this worker any more.

        Returns:
            How many it holds now. The others have ended before, or are no longer its own: begin and done say so.
        """
        flat = [part for one in held for part in (*one[:4], int(one[4]))]
        times = times_to_live(self.settings)
        kept = int(self._run("reassert", worker, run_id, self.settings.lease, *flat, *times))
        if back:
            self.check_in(worker, run_id)
        return kept

    def check_in(self, worker: str, run_id: str) -> None:
        """Say that a worker has told the run ``run_id`` all it knows."""
        with translated(), self.redis.pipeline(transaction=True) as pipe:
            pipe.sadd(self.keys.back(run_id), worker)
            pipe.expire(self.keys.back(run_id), _BACK_TTL)
            pipe.execute()

    def leave(self, worker: str) -> None:
        """A worker stops and holds nothing: nobody waits for it after a restart."""
        with translated():
            self.redis.zrem(self.keys.workers, worker)

    def workers(self) -> dict[str, float]:
        """Every registered worker, with the seconds since it was last heard of."""
        with translated():
            seconds, micros = self.redis.time()
            rows: list[Any] = self.redis.zrange(self.keys.workers, 0, -1, withscores=True)
            return {str(worker): max(0.0, seconds + micros / 1e6 - float(heard)) for worker, heard in rows}

    def back(self, run_id: str) -> set[str]:
        """The workers that have told the run ``run_id`` all they know."""
        with translated():
            return {str(worker) for worker in self.redis.smembers(self.keys.back(run_id))}

    def suspect(self, run_id: str, cursor: str = "") -> Suspected:
        """One bounded step of the suspect pass; call again with the answer's cursor until that is None.

        To be run while the gate is shut, a lease after the restart, if a worker has not come back: what it may have
        begun in the moments that Redis lost (``loss_bound``) waits for facts and ends as unknown, never sent twice.
        """
        settings = self.settings
        moved, after = self._run(
            "suspect",
            run_id,
            cursor,
            f"{self.started_at():.6f}",
            settings.loss_bound,
            settings.settle_wait,
            settings.limits,
            settings.page_cap,
            settings.lease,
            *times_to_live(settings),
        )
        return Suspected(int(moved), str(after) or None)
