"""The ear: hears bells for a worker that is awake, while its drain keeps Celery from reading the next one.

Without it a reply that comes while other jobs keep a worker awake would wait for the worker's next claim of its own
accord: two to ten times as long as a reply that finds it idle. Only one awake worker hears each bell, so a crowd of
them does not ask at once.

A bell that is heard stands in nobody's list any more. One that cannot be answered (every place is taken, or the
process ends) is put back, for another worker; one that is lost with its process is rung anew by the scheduler, which
sees work and no bell.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

import structlog

from envoi.errors import EnvoiError, QueueUnavailable
from envoi.queue.bell_list import Bell, BellList

_TURN = 0.25  # seconds that Redis is asked to wait for a bell: as long as its end may take
_APART = 0.003  # seconds from one bell to the next: many senders ask no more claims of us than so many a second
_REDIS_PAUSE = 0.5  # seconds until the next try, after Redis did not answer
_MISHAP_PAUSE = 5.0  # the same, after it refused

log = structlog.get_logger()


class Ear:
    """Listens in a thread of its own while it is wanted.

    Args:
        bells: where they ring.
        heard: takes a bell, in the ear's thread; it ends in :meth:`answered` or :meth:`refuse`.
    """

    def __init__(self, bells: BellList, heard: Callable[[Bell], None]) -> None:
        self._bells = bells
        self._heard = heard
        self._wanted = False
        self._refused: deque[Bell] = deque()
        self._open: dict[int, Bell] = {}  # taken from the list, and neither answered nor put back
        self._roused = threading.Event()
        self._stopping = threading.Event()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="envoi-ear", daemon=True)

    def start(self) -> None:
        """Start the thread, which lasts until :meth:`join`. Nothing is heard before :meth:`listen`."""
        self._thread.start()

    def listen(self, *, wanted: bool) -> None:
        """Whether a bell could be answered now. Each bell ends it: it is said again after the claim."""
        self._wanted = wanted
        if wanted and not self._roused.is_set():
            self._roused.set()

    def answered(self, bell: Bell) -> None:
        """A claim answers a bell that was heard: it is not put back."""
        self._open.pop(id(bell), None)

    def refuse(self, bell: Bell) -> None:
        """A bell that was heard cannot be answered: it is put back."""
        self._refused.append(bell)
        self._roused.set()

    def stop(self) -> None:
        """Hear no more. A bell that comes while it still waits for one is put back, and so is what is refused."""
        self._stopping.set()
        self._roused.set()

    def join(self, seconds: float) -> None:
        """Let its thread put back what nobody has answered, and end; wait for that, so long at most.

        To be called when nobody answers bells any more.
        """
        self._over.set()
        self.stop()
        if self._thread.ident is not None:
            self._thread.join(seconds)

    def _run(self) -> None:
        while not self._over.is_set():
            self._roused.wait()
            self._roused.clear()  # first: who rouses it from now on is seen to in the next turn
            while self._refused:
                self._put_back(self._refused.popleft())
            while self._wanted and not self._refused and not self._stopping.is_set():
                self._listen()
        for bell in list(self._open.values()):
            self._put_back(bell)

    def _listen(self) -> None:
        try:
            bell = self._bells.wait_for_one(_TURN)
        except QueueUnavailable:  # the engine tells of it
            self._stopping.wait(_REDIS_PAUSE)
            return
        except Exception:
            log.exception("bells cannot be heard; work is looked for all the same", action="bell")
            self._stopping.wait(_MISHAP_PAUSE)
            return
        if bell is None:
            return
        self._open[id(bell)] = bell
        if self._stopping.is_set():
            self._put_back(bell)
            return
        self._wanted = False
        self._heard(bell)
        self._stopping.wait(_APART)

    def _put_back(self, bell: Bell) -> None:
        if self._open.pop(id(bell), None) is None:
            return  # put back already
        try:
            self._bells.put_back(bell)
        except EnvoiError as error:  # no answer, or Redis is full
            log.warning("a bell is lost; the scheduler rings anew", action="bell", error=str(error))
        except Exception:
            log.exception("a bell is lost; the scheduler rings anew", action="bell")
