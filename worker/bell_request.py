"""How a bell that was read is acknowledged: whatever comes of it, this worker goes on reading."""

from __future__ import annotations

from celery.worker.request import Request
from kombu.transport.virtual import QoS


class BellRequest(Request):  # type: ignore[misc]  # Celery ships no types
    """A bell's request, whose acknowledgement may fail.

    kombu counts the bells that it has read and not yet acknowledged, and reads no more than one at a time. When the
    connection breaks just as a bell is acknowledged, kombu logs that and counts the bell for ever: the worker lives,
    renews its leases and never hears a bell again. So a bell that could not be acknowledged is no longer counted. It
    comes back after the visibility time-out, and a surplus bell does no harm.
    """

    def acknowledge(self) -> None:
        """Acknowledge the bell, and if that fails forget it."""
        try:
            super().acknowledge()
        finally:
            if not self.message.acknowledged:
                QoS.ack(self.message.channel.qos, self.message.delivery_tag)  # kombu's own count, without Redis
