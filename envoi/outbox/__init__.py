"""The outbox: jobs written in an app's own transactions, and enqueued once after the commit (docs/outbox.md).

>>> from envoi import outbox
>>> with Session(engine) as session, session.begin():
...     session.add(order)
...     outbox.send(session, "PAGE", "PSID", "Your order has been placed.")

Either both are committed, or neither. A relay, ``envoi outbox relay`` or :class:`Relay`, enqueues what is committed.
"""

try:
    import sqlalchemy as _  # noqa: F401  # only to say what is missing
except ImportError as error:
    raise ImportError("envoi.outbox needs SQLAlchemy: pip install 'envoi[worker]', or sqlalchemy alone") from error

from envoi.outbox.database import OutboxUnavailable
from envoi.outbox.relay import Relay, open_relay, relay_after_commit
from envoi.outbox.rows import Waiting, retry, send, send_many, waiting
from envoi.outbox.table import metadata, outbox

__all__ = [
    "OutboxUnavailable",
    "Relay",
    "Waiting",
    "metadata",
    "open_relay",
    "outbox",
    "relay_after_commit",
    "retry",
    "send",
    "send_many",
    "waiting",
]
