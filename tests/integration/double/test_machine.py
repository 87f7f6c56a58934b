"""Any sequence of calls comes to the same with the real client and with its double.

``ENVOI_TEST_EXAMPLES`` sets how many sequences are tried, and lets them differ from run to run.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from envoi import EnvoiError
from tests.integration.double.rigs import Double, Real, Rig, moment, seen, words
from tests.integration.queue.hands import movable_clock

EXAMPLES = int(os.environ.get("ENVOI_TEST_EXAMPLES", "40"))
PAGES, PEOPLE = ("100", "101"), ("7001", "7002")
WHO = st.sampled_from([("100", "7001"), ("100", "7001"), ("100", "7002"), ("101", "7001")])
NTH = st.integers(0, 4)  # counted from the last one
SEND: st.SearchStrategy[tuple[Any, ...]] = st.one_of(
    st.tuples(st.just("send"), WHO, st.just("hello"), st.just({})),
    st.tuples(
        st.just("send"),
        WHO,
        st.sampled_from(["hello", "good-bye", ""]),
        st.fixed_dictionaries(
            {},
            optional={
                "key": st.sampled_from(["k", "j"]),
                "lane": st.sampled_from(["replies", "bulk"]),
                "at": st.sampled_from([-10, 33, 4321]),
                "expires": st.sampled_from([20, 5000]),
                "ignore_opt_out": st.booleans(),
                "on_unknown": st.sampled_from(["stop", "resend"]),
                "max_attempts": st.integers(0, 2),
                "tag": st.just("HUMAN_AGENT"),
            },
        ),
    ),
)
STEPS = st.one_of(
    SEND,
    st.tuples(st.just("action"), WHO, st.sampled_from(["typing_on", "wave"])),
    st.tuples(st.just("cancel"), NTH),
    st.tuples(st.just("fail"), NTH),
    st.tuples(st.just("retry"), NTH),
    st.tuples(st.just("lose_answer"), NTH),
    st.tuples(st.just("reschedule"), NTH, st.sampled_from([-10, 25, 6321])),
    st.tuples(st.just("resolve"), NTH, st.sampled_from(["sent", "not-sent"])),
    st.tuples(st.just("deliver")),
    st.tuples(st.just("advance"), st.sampled_from([1.5, 40, 4000, 90_000])),
    st.tuples(st.just("hold"), WHO, st.sampled_from([None, 35])),
    st.tuples(st.sampled_from(["release", "opt_out", "opt_in", "cancel_all"]), WHO),
    st.tuples(st.just("writes"), WHO, st.sampled_from([0, 86_380, 90_000])),
)


class Side:
    """One side: does a step, and says what an app has seen of it, with jobs by their numbers."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.ids: list[str] = []
        self.actions: set[str] = set()

    def does(self, step: tuple[Any, ...]) -> Any:
        try:
            return getattr(self, f"_{step[0]}")(*step[1:])
        except EnvoiError as error:
            return words(error)

    def sees(self) -> list[Any]:
        client = self.rig.client
        found: list[Any] = [seen(client.status(job_id)) for job_id in dict.fromkeys(self.ids)]
        for page in PAGES:
            found.append(sorted(one.recipient["id"] for one in client.held(page)))
            found.append(sorted(one.recipient["id"] for one in client.opt_outs(page)))
            for person in PEOPLE:
                lined = client.conversation(page, person)
                found.append((lined.waiting, lined.scheduled, self._number(lined.head)))
        return found

    def _number(self, job_id: str | None) -> int | None:
        return None if job_id is None else self.ids.index(job_id)

    def _job(self, number: int) -> str | None:
        return self.ids[-1 - number % len(self.ids)] if self.ids else None

    def _new(self, job_id: str) -> int | None:
        self.ids.append(job_id)
        return self._number(job_id)

    def _send(self, who: tuple[str, str], text: str, options: dict[str, Any]) -> Any:
        given = dict(options)
        if "at" in given:
            given["at"] = moment(self.rig.now() + given["at"])
        if "expires" in given:
            given["expires_at"] = moment(self.rig.now() + given.pop("expires"))
        if "tag" in given:
            given["messaging_type"] = "MESSAGE_TAG"
        return self._new(self.rig.client.send(*who, text, **given))

    def _action(self, who: tuple[str, str], action: str) -> Any:
        job_id = self.rig.client.action(*who, action)
        self.actions.add(job_id)
        return self._new(job_id)

    def _on_job(self, number: int, does: Callable[[str], Any]) -> Any:
        job_id = self._job(number)
        return None if job_id is None else does(job_id)

    def _cancel(self, number: int) -> Any:
        return self._on_job(number, self.rig.client.cancel)

    def _fail(self, number: int) -> Any:
        return self._on_job(number, self.rig.fail)

    def _retry(self, number: int) -> Any:
        return self._on_job(number, self.rig.retry)

    def _lose_answer(self, number: int) -> Any:
        job_id = self._job(number)
        return None if job_id is None or job_id in self.actions else self.rig.lose_answer(job_id)

    def _reschedule(self, number: int, seconds: float) -> Any:
        return self._on_job(number, lambda job_id: self.rig.client.reschedule(job_id, moment(self.rig.now() + seconds)))

    def _resolve(self, number: int, outcome: Any) -> Any:
        return self._on_job(number, lambda job_id: seen(self.rig.client.resolve(job_id, outcome, "m_operator")))

    def _deliver(self) -> Any:
        return self.rig.deliver()

    def _advance(self, seconds: float) -> None:
        self.rig.advance(seconds)

    def _hold(self, who: tuple[str, str], seconds: float | None) -> Any:
        until = None if seconds is None else moment(self.rig.now() + seconds)
        return self.rig.client.hold(*who, until=until)

    def _release(self, who: tuple[str, str]) -> Any:
        found = self.rig.client.release(*who)
        self.rig.advance(0.001)
        return found

    def _opt_out(self, who: tuple[str, str]) -> Any:
        return self.rig.client.opt_out(*who)

    def _opt_in(self, who: tuple[str, str]) -> Any:
        return self.rig.client.opt_in(*who)

    def _cancel_all(self, who: tuple[str, str]) -> Any:
        found = self.rig.client.cancel_all(*who)
        return found.cancelled, self._number(found.going_on)

    def _writes(self, who: tuple[str, str], ago: float) -> Any:
        page, person = who
        at = round((self.rig.now() - ago) * 1000)
        event = {"sender": {"id": person}, "recipient": {"id": page}, "timestamp": at, "message": {"mid": "m_1"}}
        body = json.dumps({"object": "page", "entry": [{"id": page, "time": at, "messaging": [event]}]}).encode()
        return self.rig.client.webhook(body, "sha256=" + hmac.new(b"sesame", body, hashlib.sha256).hexdigest())


@pytest.fixture
def clock() -> Iterator[None]:
    with movable_clock():
        yield


@pytest.mark.timeout(3600 if "ENVOI_TEST_EXAMPLES" in os.environ else 300)
@pytest.mark.usefixtures("clock")
@settings(
    suppress_health_check=list(HealthCheck),
    deadline=None,
    max_examples=EXAMPLES,
    derandomize="ENVOI_TEST_EXAMPLES" not in os.environ,
)
@given(first=st.lists(SEND, min_size=1, max_size=3), steps=st.lists(STEPS, min_size=10, max_size=30))
def test_the_double_does_what_the_real_client_does(
    redis_client: redis.Redis, first: list[tuple[Any, ...]], steps: list[tuple[Any, ...]]
) -> None:
    redis_client.flushall()
    real, double = Side(Real(redis_client)), Side(Double(time.time()))
    for number, step in enumerate([*first, *steps]):
        assert double.does(step) == real.does(step), f"step {number}: {step}"
        assert double.sees() == real.sees(), f"after step {number}: {step}"
