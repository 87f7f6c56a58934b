"""The doctor: what is wrong with this Envoi, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from envoi.cli.applications import part
from envoi.cli.failures import NotHere, plain
from envoi.cli.output import AsJson, print_json, print_line, print_table
from envoi.errors import BadSettings
from envoi.settings import Settings, settings

if TYPE_CHECKING:
    from envoi.doctor.setup import Broker


def doctor(
    *,
    ask_meta: Annotated[
        bool, typer.Option("--ask-meta", help="Ask Meta about the pages' tokens too, two questions a page.")
    ] = False,
    try_alerts: Annotated[
        bool, typer.Option("--try-alerts", help="Send a test to ENVOI_ALERT_URL and ENVOI_ALERT_COMMAND too.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Look at every part, and say what is wrong and what to do. Changes nothing.

    Exit status 0 where nothing is bad, warnings or not; 1 where something is.

    Example: `envoi doctor --ask-meta`
    """
    from envoi.doctor.examination import examine  # noqa: PLC0415  # loads SQLAlchemy
    from envoi.doctor.topics import malformed, topics  # noqa: PLC0415  # as above

    try:
        found = examine(topics(settings(), _broker(settings()), ask_meta=ask_meta, try_alerts=try_alerts))
    except BadSettings as error:
        found = malformed(str(error))
    if as_json:
        print_json([{"name": one.name, "state": one.state, "text": one.text, "advice": one.advice} for one in found])
    else:
        print_table(("check", "state", "found"), [(one.name, one.state, one.text) for one in found])
        for one in found:
            if one.advice and not one.behind:
                print_line(f"\n{one.state} {one.name}: {plain(one.advice)}")
    if any(one.state == "bad" for one in found):
        raise typer.Exit(1)


def _broker(found: Settings) -> Broker | None:
    """How the worker's Celery application is configured; None where there is none on this host."""
    from envoi.doctor.setup import Broker  # noqa: PLC0415  # loads cryptography

    try:
        conf = part("worker", "app").make_app(found).conf
    except (NotHere, BadSettings, ImportError):  # of bad settings another check tells
        return None
    transport = conf.broker_transport_options
    return Broker(
        visibility_timeout=float(transport.get("visibility_timeout", 0)),
        max_connections=int(transport.get("max_connections", 0)),
        socket_timeout=float(transport.get("socket_timeout") or 0),
        drains=int(conf.worker_concurrency or 1),
    )
