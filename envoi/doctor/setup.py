"""What this host is set to: settings, keys, versions, packages, the broker."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

from envoi.broker_variables import turning
from envoi.doctor.finding import Check, Finding, bad, listed, ok, unknown, warn
from envoi.doctor.packages import Package, installed
from envoi.graph_versions import warning_about
from envoi.log.errors import BadSecretKeys
from envoi.log.secrets import SecretBox, key_id
from envoi.settings import Settings, variable

LONGEST_CALL = 300.0  # seconds: no message call may take longer (envoi/queue/lua/line.lua, LONGEST)
_TRIP = 5.0  # seconds that one trip to Redis may take (envoi/queue/connection.py)
_ORDER = (  # settings of which the first must not be the greater
    ("read_timeout", "graph_latest"),
    ("media_timeout", "graph_latest_media"),
    ("backoff_first", "backoff_cap"),
    ("action_timeout", "read_timeout"),
)
_RIGHT = 0.5  # of a lease: so long may a call start after the trip that granted it (docs/architecture.md)


@dataclass(frozen=True, slots=True)
class Broker:
    """What the worker's Celery application is configured with, as far as it matters here. Times are seconds.

    Attributes:
        visibility_timeout: until a bell that a worker has taken and not answered is given to another.
        max_connections: to Redis, of one process.
        socket_timeout: until a silent Redis is given up; 0: never.
        drains: bells that one worker answers at once.
    """

    visibility_timeout: float
    max_connections: int
    socket_timeout: float
    drains: int


@dataclass(frozen=True, slots=True)
class SetupFacts:
    """How this host is set up.

    Attributes:
        broker: of the worker's Celery application; None: there is no worker on this host.
        turned: variables of the environment that turn Celery to another broker; workers refuse to start.
        packages: what Envoi and its workers ask for.
    """

    settings: Settings
    today: date
    broker: Broker | None
    turned: list[str]
    packages: list[Package]


def read_setup(settings: Settings, broker: Broker | None) -> SetupFacts:
    """Look at this host."""
    today = datetime.now(UTC).date()
    return SetupFacts(settings, today, broker, turning(settings.redis_url), installed())


def check_times(facts: SetupFacts) -> Finding:
    """Whether the times that depend on each other are in order."""
    found = facts.settings
    longest = found.connect_timeout + max(found.read_timeout, found.media_timeout, found.action_timeout)
    if longest > LONGEST_CALL:
        text = (
            f"a call may take {longest:g} s, and a restart of Redis is survived by calls of {LONGEST_CALL:g} s at most"
        )
        return bad(text, "lower ENVOI_READ_TIMEOUT, ENVOI_MEDIA_TIMEOUT or ENVOI_CONNECT_TIMEOUT")
    order = [(low, high) for low, high in _ORDER if getattr(found, low) > getattr(found, high)]
    doubts = [f"{_told(found, low)} is more than {_told(found, high)}" for low, high in order]
    if found.lease * _RIGHT <= _TRIP:
        least = _TRIP / _RIGHT
        doubts.append(
            f"{_told(found, 'lease')} is not over {least:g}: one slow trip to Redis uses up the right to call"
        )
    looks = found.settle_wait + 2 * found.look_again
    if found.settle_longest < looks:
        doubts.append(
            f"{_told(found, 'settle_longest')} ends before the last look, which comes {looks:g} s after a call"
        )
    if doubts:
        return warn("; ".join(doubts), "set them in order on every host; docs/guarantees.md says what rests on which")
    return ok(
        f"lease {found.lease:g} s, read time-out {found.read_timeout:g} s, "
        f"G {found.graph_latest:g} s, V {found.graph_visible:g} s"
    )


def check_keys(facts: SetupFacts) -> Finding:
    """Whether tokens can be encrypted and read."""
    keys = facts.settings.secret_keys
    try:
        SecretBox(keys)
    except BadSecretKeys as error:
        return bad(str(error), "give every worker, scheduler and operator the same ENVOI_SECRET_KEYS, newest key first")
    if len({key.get_secret_value() for key in keys}) < len(keys):
        return warn("ENVOI_SECRET_KEYS holds the same key twice", "leave one of them out")
    return ok(f"{len(keys)} keys, well formed, newest first: {listed([key_id(key) for key in keys])}")


def check_graph_version(facts: SetupFacts) -> Finding:
    """Whether Meta still serves the version that is set."""
    name = facts.settings.graph_version
    found = warning_about(name, facts.today)
    if found is None:
        return ok(f"Graph API {name}")
    advice = "set ENVOI_GRAPH_VERSION to a newer version, try it with one page, then restart workers and schedulers"
    return bad(found, advice) if "has ended" in found else warn(found, advice)


def check_broker(facts: SetupFacts) -> Finding:
    """Whether bells go where the queue is, and come back if their worker dies."""
    broker = facts.broker
    if facts.turned:
        text = f"{listed(facts.turned)} in the environment turns Celery away from ENVOI_REDIS_URL: no worker starts"
        return bad(text, f"unset {listed(facts.turned)}")
    if broker is None:
        return unknown("there is no worker on this host to look at", "run the doctor where workers run")
    doubts = []
    if broker.visibility_timeout <= facts.settings.drain_time:
        doubts.append(
            f"a bell that a busy worker holds is given to another after {broker.visibility_timeout:g} s, "
            f"before ENVOI_DRAIN_TIME ({facts.settings.drain_time:g}) is up"
        )
    least = 2 * broker.drains + 20
    if broker.max_connections < least:
        doubts.append(f"{broker.max_connections} connections to the broker are fewer than {least}")
    if not broker.socket_timeout:
        doubts.append("the broker has no socket_timeout: a frozen Redis would hold a worker for ever")
    if doubts:
        return warn("; ".join(doubts), "lower ENVOI_DRAIN_TIME, or see worker/app.py and what overrides it")
    return ok(f"bells come back after {broker.visibility_timeout:g} s; {broker.max_connections} connections")


def check_packages(facts: SetupFacts) -> Finding:
    """Whether what is installed is what Envoi asks for."""
    wrong = [
        f"{one.name} {one.found} (needs {one.least} or newer)" for one in facts.packages if one.found and not one.fits
    ]
    if wrong:
        return bad(listed(wrong), "install the locked versions: requirements/worker.txt, or the image")
    lacking = [one.name for one in facts.packages if one.found is None]
    if lacking:
        text = f"not installed: {listed(lacking)}; enough to enqueue"
        return warn(text, "pip install 'envoi[worker]' where workers, schedulers or this command run")
    shown = {one.name: one.found for one in facts.packages}
    return ok(", ".join(f"{name} {shown[name]}" for name in ("celery", "kombu", "redis") if name in shown))


def check_settings(facts: SetupFacts) -> Finding:
    """Whether every variable is well formed; else there would be no facts."""
    fields = Settings.model_fields.items()
    changed = [name for name, field in fields if getattr(facts.settings, name) != field.default]
    return ok(f"well formed; {len(changed)} differ from their defaults")


def _told(found: Settings, name: str) -> str:
    return f"{variable(name)} ({getattr(found, name):g})"


REACH = Check("settings", check_settings)
CHECKS = (
    Check("time-outs", check_times),
    Check("secret-keys", check_keys),
    Check("graph-version", check_graph_version),
    Check("broker", check_broker),
    Check("packages", check_packages),
)
