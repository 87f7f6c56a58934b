"""Alerts to operators: what they say, and how they go out. No token, no secret and no text of a message is in one."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol

from pydantic import SecretStr

from envoi.errors import EnvoiError
from envoi.settings import PREFIX, Settings

_CONNECT, _READ = 3.0, 5.0  # seconds that a server may take
_COMMAND = 20.0  # seconds that a command may take


class AlertFailed(EnvoiError):  # noqa: N818  # says what is wrong, as its siblings do
    """An alert was not taken. It says by what, and not where that is: the address may be a secret."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing that an operator must know.

    Attributes:
        alert: ``page_paused``: nothing is sent for a page until somebody acts; ``unknowns``: many jobs have ended
            unknown; ``test``: nothing is wrong.
        text: a sentence for a person.
        page: which page.
        reason: why it is paused: Graph's code, or the enforcement's own word.
        since: since when, ISO 8601 in UTC.
        count: how many jobs.
    """

    alert: Literal["page_paused", "unknowns", "test"]
    text: str
    page: str | None = None
    reason: str | None = None
    since: str | None = None
    count: int | None = None

    def body(self) -> str:
        """As it goes out: a JSON object, without what is not known."""
        return json.dumps({name: value for name, value in asdict(self).items() if value is not None})


class Target(Protocol):
    """Where alerts go."""

    @property
    def name(self) -> str:
        """One word."""

    def send(self, alert: Alert) -> None:
        """Send one, in bounded time.

        Raises:
            AlertFailed: it was not taken, or may not have been.
        """


class Webhook:
    """Posts to an address; 2xx means that it was taken."""

    name = "url"

    def __init__(self, url: SecretStr) -> None:
        self._url = url

    def send(self, alert: Alert) -> None:
        """Post it as JSON."""
        import requests  # noqa: PLC0415  # the settings of a web app must not load it

        given: dict[str, Any] = {"data": alert.body(), "headers": {"Content-Type": "application/json"}}
        address, status = self._url.get_secret_value(), None
        try:
            # Nothing of the answer is read: a server that drips it holds up nobody. Nor is one followed elsewhere.
            with requests.post(
                address, timeout=(_CONNECT, _READ), stream=True, allow_redirects=False, **given
            ) as answer:
                status = answer.status_code
        except requests.RequestException as error:
            why = type(error).__name__  # not its own words: they repeat the address
        else:
            why = f"status {status}"
        if status is None or not 200 <= status < 300:  # noqa: PLR2004
            raise AlertFailed(f"the server of ENVOI_ALERT_URL did not take an alert: {why}")


class Command:
    """Runs a command with the alert on its standard input; exit status 0 means that it was taken."""

    name = "command"

    def __init__(self, command: str) -> None:
        self._arguments = shlex.split(command)

    def send(self, alert: Alert) -> None:
        """Run it, without a shell and without our settings in its environment; after 20 s it is killed."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        try:
            process = subprocess.Popen(
                self._arguments,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=environment,
                start_new_session=True,  # so that what it starts ends with it
            )
        except OSError as error:
            raise AlertFailed(f"the command of ENVOI_ALERT_COMMAND did not start: {error.strerror}") from None
        try:
            process.communicate(alert.body().encode(), timeout=_COMMAND)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise AlertFailed(f"the command of ENVOI_ALERT_COMMAND did not end within {_COMMAND:g} s") from None
        if process.returncode != 0:
            raise AlertFailed(f"the command of ENVOI_ALERT_COMMAND ended with status {process.returncode}")


def targets(settings: Settings) -> list[Target]:
    """Where these settings want alerts to go; empty: nowhere."""
    found: list[Target] = []
    if settings.alert_url is not None:
        found.append(Webhook(settings.alert_url))
    if settings.alert_command is not None:
        found.append(Command(settings.alert_command.get_secret_value()))
    return found
