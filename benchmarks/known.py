"""All peers by name: how each is made, whether its packages are here, and how much a round of it should be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from benchmarks.peer import Peer, Place
from benchmarks.peers.envoi import EnvoiWorker
from benchmarks.peers.packages import installed, node_installed
from benchmarks.peers.separate import arq, bullmq
from benchmarks.peers.usual import UsualCelery

OURS = "envoi"


def _always() -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Known:
    """A peer that can be measured.

    Attributes:
        make: makes one for a run.
        jobs: messages of a round, some seconds' worth.
        here: whether its packages are on this machine.
    """

    make: Callable[[Place], Peer]
    jobs: int
    here: Callable[[], bool] = _always


_THREADS = partial(UsualCelery, pool="threads", concurrency=32, session=True)
_GEVENT = partial(UsualCelery, pool="gevent", concurrency=100, session=True)

PEERS: dict[str, Known] = {
    "usual": Known(UsualCelery, 300),
    "celery_threads": Known(_THREADS, 500),
    "celery_gevent": Known(_GEVENT, 500, partial(installed, "gevent")),
    "arq": Known(partial(arq, concurrency=200), 1500, partial(installed, "arq")),
    "bullmq_200": Known(partial(bullmq, concurrency=200), 5000, node_installed),
    "bullmq_1000": Known(partial(bullmq, concurrency=1000), 5000, node_installed),
    "bullmq_2000": Known(partial(bullmq, concurrency=2000), 5000, node_installed),
    OURS: Known(EnvoiWorker, 5000),
}


def peers_here() -> list[str]:
    """The names of those that can be measured on this machine."""
    return [name for name, known in PEERS.items() if known.here()]
