"""The faults, as data: a name, what it does and undoes, how long it lasts, and what it may leave unknown."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from random import Random
from typing import Literal

from tests.faults.proxy import Cut
from tests.faults.scene import CONCURRENCY, LEASE, STRUCK_CONCURRENCY, Scene
from tests.faults.strikes import STEPS, Strike
from tests.faults.workers import Worker
from tests.waiting import Stuck

Does = Callable[[Scene, Random], AbstractContextManager[None]]
_MESSAGE = b'"message"'  # in the body of a message call, and of no other
_REFUSED = 1.0  # seconds
EVERY = 8  # of so many message calls one is hit
ANY = 1_000_000  # as many as the fault hits


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault.

    Attributes:
        name: what the table calls it.
        does: begins it when entered, and undoes it when left.
        seconds: how long it lasts; ``long_seconds`` in the long form, where that differs.
        caught: jobs that one turn of it may leave unknown where nothing can be looked up and no echo comes: those
            whose message call was in flight. With evidence it is none, always.
        turns: how often in one run.
        when: ``amid`` the work, in force ``before`` it begins and until all is handed over, or ``throughout``: until
            most of it is delivered.
        needs: evidence without which its promise does not hold.
        timed: whether the times in the log can be trusted.
        short: whether it takes part in the short form.
        at_once: whether all jobs are handed over before it strikes.
    """

    name: str
    does: Does
    seconds: float = 0.0
    long_seconds: float | None = None
    caught: int = 0
    turns: int = 1
    when: Literal["amid", "before", "throughout"] = "amid"
    needs: Literal["none", "looks"] = "none"
    timed: bool = True
    short: bool = True
    at_once: bool = False


# ---- workers


@contextmanager
def _killed_worker(scene: Scene, chance: Random) -> Iterator[None]:
    time.sleep(chance.uniform(0.0, 0.3))  # the random moment
    chance.choice(scene.living()).kill()
    scene.add_workers(1)
    yield


@contextmanager
def _frozen_worker(scene: Scene, chance: Random) -> Iterator[None]:
    frozen = chance.choice(scene.living())
    frozen.send(signal.SIGSTOP)
    try:
        yield
    finally:
        frozen.send(signal.SIGCONT)
        _must_end(frozen, -signal.SIGALRM)


def _must_end(worker: Worker, status: int) -> None:
    """A frozen worker that wakes does nothing any more: its dead-man timer has run out."""
    found = worker.wait()
    if found != status:
        raise Stuck(f"{worker.log.stem} ended with status {found}, not {status}")


def _struck(does: Literal["kill", "stop", "clock"], side: str, seconds: float = 0.0) -> Does:
    """Workers that kill or stop themselves or step their clock, one for each step, at a random time of reaching it.

    They work alone until each has struck; then others take over.
    """

    @contextmanager
    def strike(scene: Scene, chance: Random) -> Iterator[None]:
        order = [Strike(f"{side} {step}", chance.randint(1, 3), does, seconds) for step in STEPS]
        struck = scene.only_strikers(order)
        if does == "clock":
            scene.order({"kind": "error", "code": 2, "status": 500}, every=EVERY)  # retries go by age as well
        yield
        for worker in struck:
            worker.wait_for("strike: ")
        if does == "stop":
            time.sleep(LEASE)  # longer than any timer of theirs
        for worker in struck:
            match does:
                case "kill":
                    _must_end(worker, -signal.SIGKILL)
                case "stop":
                    worker.send(signal.SIGCONT)
                    _must_end(worker, -signal.SIGALRM)
                case "clock":
                    pass  # it works on, with its clock wrong, to the end of the run
        scene.add_workers(scene.workers)

    return strike


# ---- schedulers and servers


@contextmanager
def _killed_scheduler(scene: Scene, chance: Random) -> Iterator[None]:  # noqa: ARG001  # the signature of a fault
    scene.scheduler().kill()
    yield
    scene.stack.start_scheduler()


def _restarted_redis(*, hard: bool) -> Does:
    @contextmanager
    def restart(scene: Scene, chance: Random) -> Iterator[None]:
        time.sleep(chance.uniform(0.0, 0.3))  # the random moment
        if hard:
            scene.redis.kill()
        else:
            scene.redis.stop()
        yield
        scene.redis.start()

    return restart


@contextmanager
def _lost_moments(scene: Scene, chance: Random) -> Iterator[None]:
    """Redis comes back without what it wrote last, as after a crash of its machine.

    What was handed over in these moments would be gone, which is no promise of ours: so all has been before.
    """
    scene.order({"kind": "slow", "seconds": 0.2}, every=1)  # so that work is left by then
    scene.order({"kind": "reset"}, every=2, step="typing_on")  # what is lost of it is to be in the log all the same
    yield
    scene.wait_for_work(20)
    written = scene.redis.aof()
    kept = written.stat().st_size
    time.sleep(chance.uniform(0.3, 1.0))
    scene.redis.kill()
    if written.stat().st_size == kept:
        raise Stuck("nothing was lost")
    with written.open("rb+") as file:
        file.truncate(kept)
    scene.redis.start()
    scene.lift()


@contextmanager
def _frozen_redis(scene: Scene, chance: Random) -> Iterator[None]:  # noqa: ARG001  # the signature of a fault
    scene.redis.child.pause()
    yield
    scene.redis.child.cont()


@contextmanager
def _postgres_down(scene: Scene, chance: Random) -> Iterator[None]:  # noqa: ARG001  # the signature of a fault
    scene.database.stop()
    yield
    scene.database.start()


@contextmanager
def _both_down(scene: Scene, chance: Random) -> Iterator[None]:
    with _postgres_down(scene, chance), _restarted_redis(hard=True)(scene, chance):
        yield


# ---- the network


def _cut(to: Literal["graph", "redis"], where: Literal["before", "during", "after"], every: int) -> Does:
    @contextmanager
    def cut(scene: Scene, chance: Random) -> Iterator[None]:  # noqa: ARG001  # the signature of a fault
        proxy = scene.graph_proxy if to == "graph" else scene.redis_proxy
        before = proxy.cuts
        proxy.order(Cut(where, every, _MESSAGE if to == "graph" else b""))
        yield
        proxy.order(None)
        if proxy.cuts == before and not scene.mixed:
            raise Stuck("nothing was cut")

    return cut


@contextmanager
def _all_cut(scene: Scene, chance: Random) -> Iterator[None]:  # noqa: ARG001  # the signature of a fault
    scene.graph_proxy.cut_all()
    scene.redis_proxy.cut_all()
    yield


# ---- Graph


def _graph(fault: dict[str, object], times: int | None = None) -> Does:
    @contextmanager
    def order(scene: Scene, chance: Random) -> Iterator[None]:  # noqa: ARG001  # the signature of a fault
        scene.order(fault, every=EVERY, times=times)
        yield
        scene.lift()

    return order


def _of_graph(
    name: str,
    fault: dict[str, object],
    *,
    caught: int = ANY,
    needs: Literal["none", "looks"] = "none",
    short: bool = True,
) -> Fault:
    return Fault(name, _graph(fault), seconds=2, caught=caught, when="throughout", needs=needs, short=short)


def _echoed(**how: object) -> Does:
    """Answers are dropped after delivery, and no look is permitted: only echoes can tell."""

    @contextmanager
    def order(scene: Scene, chance: Random) -> Iterator[None]:  # noqa: ARG001  # the signature of a fault
        scene.echo(**how)
        scene.order({"kind": "reset", "delivered": True}, every=EVERY)
        yield
        scene.lift()
        scene.echo_no_more()

    return order


@contextmanager
def _refused(scene: Scene, chance: Random) -> Iterator[None]:  # noqa: ARG001  # the signature of a fault
    scene.graph_proxy.shut()
    scene.refuse(_REFUSED)  # so that connections that stand are closed with their next answer
    yield
    scene.graph_proxy.open()


_STRUCK = STRUCK_CONCURRENCY * len(STEPS)

FAULTS = (
    Fault("kill -9 of a worker, at random", _killed_worker, caught=CONCURRENCY, turns=3),
    Fault("kill -9 of workers, before each step", _struck("kill", "before"), 1, caught=_STRUCK, when="before"),
    Fault("kill -9 of workers, after each step", _struck("kill", "after"), 1, caught=_STRUCK, when="before"),
    Fault("worker frozen past its lease", _frozen_worker, LEASE * 1.5, caught=CONCURRENCY),
    Fault("workers frozen before each step", _struck("stop", "before"), 1, caught=_STRUCK, when="before"),
    Fault("workers frozen after each step", _struck("stop", "after"), 1, caught=_STRUCK, when="before", short=False),
    Fault("kill -9 of the scheduler", _killed_scheduler, 1, turns=2),
    Fault("Redis restarted by SIGTERM", _restarted_redis(hard=False), 0.2),
    Fault("Redis restarted by kill -9", _restarted_redis(hard=True), 0.2, turns=2),
    Fault("Redis restarted without its last moments", _lost_moments, when="before", at_once=True),
    Fault("Redis frozen", _frozen_redis, 7, long_seconds=10, caught=CONCURRENCY * 3),
    Fault("PostgreSQL down", _postgres_down, 3, long_seconds=60),
    Fault("PostgreSQL down and Redis killed", _both_down, 2, long_seconds=10, short=False),
    Fault(
        "worker-Graph cut before the request",
        _cut("graph", "before", EVERY),
        2,
        when="throughout",
        caught=ANY,
        short=False,
    ),
    Fault("worker-Graph cut during the request", _cut("graph", "during", EVERY), 2, when="throughout", caught=ANY),
    Fault("worker-Graph cut after the request", _cut("graph", "after", EVERY), 2, when="throughout", caught=ANY),
    Fault("worker-Redis cut before a trip", _cut("redis", "before", 20), 2, when="throughout"),
    Fault("worker-Redis cut during a trip", _cut("redis", "during", 20), 2, when="throughout"),
    Fault("worker-Redis cut after a trip, its answer lost", _cut("redis", "after", 20), 2, when="throughout"),
    Fault("all connections of workers cut at once", _all_cut, caught=CONCURRENCY * 3, turns=3),
    Fault("Graph refuses connections", _refused, _REFUSED * 2),
    _of_graph("no answer, not delivered", {"kind": "hold"}),
    _of_graph("answer dropped after delivery", {"kind": "hold", "delivered": True}),
    _of_graph("reset before delivery", {"kind": "reset"}, short=False),
    _of_graph("reset after delivery", {"kind": "reset", "delivered": True}),
    _of_graph("502 before delivery", {"kind": "bad_gateway"}, short=False),
    _of_graph("502 after delivery", {"kind": "bad_gateway", "delivered": True}),
    _of_graph("200 and garbage after delivery", {"kind": "garbage"}, short=False),
    _of_graph("1/1357046 after delivery", {"kind": "error", "code": 1, "subcode": 1357046}),
    _of_graph("code 2, not delivered", {"kind": "error", "code": 2, "status": 500}, caught=0),
    _of_graph(
        "code 2 after delivery", {"kind": "error", "code": 2, "status": 500, "delivered": True}, caught=0, needs="looks"
    ),
    _of_graph("delivered late, within G", {"kind": "slow", "seconds": 3.0}),
    Fault("answer lost, echo before it, no look", _echoed(before_answer=True), 2, when="throughout"),
    Fault(
        "answer lost, echo 1.5 s late and twice, no look", _echoed(delay_seconds=1.5, duplicate=1), 2, when="throughout"
    ),
    Fault("clock of workers 2 h ahead", _struck("clock", "before", 7200.0), 2, when="before", timed=False),
    Fault("clock of workers 2 h back", _struck("clock", "before", -7200.0), 2, when="before", timed=False, short=False),
)
BY_NAME = {fault.name: fault for fault in FAULTS}
# G is broken: Graph delivers long after the time that we assume to be its longest. No fault to be outlived: a double
# must come of it, and the checker must see it.
LATER_THAN_G = Fault("delivered later than G", _graph({"kind": "slow", "seconds": 12.0}, times=3), when="throughout")
