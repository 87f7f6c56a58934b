"""The engine: runs many attempts at once in one process and shares its trips to Redis among them.

One thread turns it (worker/turning.py); here is what the others call. A bell wakes it; it works until nothing can be
claimed. Attempts outlive the bell that woke it, so one slow call never stops the others.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from envoi.queue.bell_list import BellList
from envoi.queue.queue import Queue
from worker.appetite import Appetite
from worker.callers import Callers
from worker.dialogue import RIGHT
from worker.ear import Ear
from worker.graph import Graph
from worker.inbox import Inbox
from worker.lines import Lines
from worker.progress import Progress
from worker.running import News, Watcher, Watchers
from worker.turning import Turning

_EAR_TIME = 1.0  # seconds that the ear may take to end; a Redis that stands still keeps it for longer


class Engine:
    """Turns attempts, up to ``settings.concurrency`` at once. Any thread may call any method.

    Args:
        queue: where jobs come from and outcomes go.
        graph: makes the calls.
        name: unique to this process's life: no fence of ours is ever anyone else's.
        watchers: told of every attempt.
        lines: makes calls in the engine's own thread; without it each has a thread of the hands.

    Attributes:
        restarts: what it knows of the run of Redis that it works with.
    """

    def __init__(
        self, queue: Queue, graph: Graph, name: str, watchers: Sequence[Watcher] = (), lines: Lines | None = None
    ) -> None:
        self.name = name
        self._lease = queue.settings.lease
        self._inbox: Inbox[News] | Lines = lines or Inbox()
        self._appetite = Appetite(queue.settings)
        self._ear = Ear(BellList(queue.redis, queue.keys), self._inbox.put)
        self._callers = Callers(graph, queue.settings.concurrency, self._inbox.put, lines)
        self._turning = Turning(
            queue,
            name,
            inbox=self._inbox,
            appetite=self._appetite,
            ear=self._ear,
            callers=self._callers,
            watchers=Watchers(watchers),
        )
        self.restarts = self._turning.restarts
        self._thread = threading.Thread(target=self._turning.run, name="envoi-engine", daemon=True)

    @property
    def turned_at(self) -> float:
        """The proof of progress, monotonic seconds: the dead-man timer is armed only while it moves on."""
        return self._turning.turned_at

    def start(self) -> None:
        """Start turning, in a thread of its own. Nothing is claimed before :meth:`registered`."""
        self._thread.start()
        self._ear.start()

    def registered(self) -> None:
        """The queue's register of workers has this process (again).

        Nothing is claimed before Redis can no longer lose that: a Redis that lost both would open its gate without
        waiting for us, and a message that is out would be sent again.
        """
        self._appetite.registered()
        self._inbox.put(None)

    def wake(self) -> None:
        """There may be work: claim at once."""
        self._appetite.ring()
        self._inbox.put(None)

    def wait_idle(self, seconds: float) -> bool:
        """Wait until nothing is in flight and nothing can be claimed, or the time is up. Returns whether idle."""
        return self._appetite.wait_idle(seconds)

    def redis_restarted(self, run_id: str) -> None:
        """Another run of Redis answers: tell it what it may have lost, before anyone claims."""
        self._inbox.put(run_id)

    def same_run(self, asked: float) -> None:
        """The run of Redis that :meth:`redis_restarted` told last still answered at ``asked``, monotonic seconds."""
        self._inbox.put(asked)

    def held(self) -> list[tuple[str, str]]:
        """Conversation and fence of every attempt on its way, for the renewal of their leases."""
        return [(running.held.conversation, running.held.fence) for running in list(self._turning.running.values())]

    def renewed(self, held: Sequence[tuple[str, str]], asked: float) -> None:
        """The leases of all these run on: their calls may start for longer.

        Args:
            held: as :meth:`held` said.
            asked: when the renewal was asked for, monotonic seconds.
        """
        right_ends = asked + self._lease * RIGHT
        for _, fence in held:
            running = self._turning.running.get(fence)
            if running is not None:
                running.right_ends = max(running.right_ends, right_ends)

    def close(self) -> None:
        """Claim nothing more and give back what has not begun; calls in flight go on to their end."""
        self._turning.stopping.set()
        self._ear.stop()
        self._appetite.close()
        self._inbox.put(None)

    def stop(self, seconds: float) -> list[str]:
        """Close, and wait for the calls in flight.

        Returns:
            The ids of jobs whose calls did not end in time: their leases run out, and they settle as unknown.
        """
        self.close()
        self._thread.join(seconds)
        self._appetite.end()  # no bell's thread keeps the process from its end
        self._ear.join(_EAR_TIME)
        left = self.unfinished()
        if not left:
            self._callers.stop()
        return left

    def unfinished(self) -> list[str]:
        """The ids of jobs whose attempts are on their way."""
        return [running.held.job_id for running in list(self._turning.running.values())]

    def progress(self) -> Progress:
        """How it fares. Redis is not asked."""
        return Progress(
            turned_ago=time.monotonic() - self._turning.turned_at,
            running=len(self._turning.running),
            calling=self._callers.busy,
            away=self.restarts.away,
            shut=self.restarts.shut,
        )
