"""Whether operators would hear of an alert: tried only where that is asked for."""

from __future__ import annotations

from dataclasses import dataclass

from envoi.alerts import Alert, AlertFailed, targets
from envoi.doctor.finding import Check, Finding, bad, ok, warn
from envoi.settings import Settings

SECONDS = 40.0  # a server and a command that take as long as they may
_TEST = Alert("test", "`envoi doctor --try-alerts` was run: alerts reach you, and nothing is wrong")


@dataclass(frozen=True, slots=True)
class AlertFacts:
    """What came of a test.

    Attributes:
        told: the targets that took it.
        failed: why others did not.
    """

    told: tuple[str, ...]
    failed: tuple[str, ...]


def try_alerts(settings: Settings) -> AlertFacts:
    """Send a test to every target."""
    told, failed = [], []
    for target in targets(settings):
        try:
            target.send(_TEST)
        except AlertFailed as error:
            failed.append(str(error))
        else:
            told.append(target.name)
    return AlertFacts(tuple(told), tuple(failed))


def check_alerts(facts: AlertFacts) -> Finding:
    """Whether every target took it."""
    if facts.failed:
        return bad("; ".join(facts.failed), "correct ENVOI_ALERT_URL and ENVOI_ALERT_COMMAND, and try again")
    if not facts.told:
        return warn("nobody is told of a page that dies", "set ENVOI_ALERT_URL or ENVOI_ALERT_COMMAND")
    return ok(f"a test was taken by: {', '.join(facts.told)}")


REACH = Check("alerts", check_alerts)
