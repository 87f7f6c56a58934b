"""The port that shows metrics and health: three pages over plain HTTP, in threads that nothing else waits for.

Who listens on it is decided by ``ENVOI_METRICS_HOST`` and ``ENVOI_METRICS_PORT``. Where the port is taken, the process
works on without and takes the port as soon as it is free: a worker that follows another on one host needs no other.
"""

from __future__ import annotations

import threading

import structlog
from prometheus_client import CollectorRegistry

from envoi.metrics.health import Patient
from envoi.metrics.pages import Listener, handler_of

_POLL = 0.25  # seconds; how long a stop may take
_AGAIN = 5.0  # seconds until a port that was taken is asked for again

log = structlog.get_logger()


class MetricsServer:
    """Shows one process.

    Args:
        host: whose addresses listen.
        port: 0: any that is free, for tests.
        registry: what ``/metrics`` shows.
        patient: what ``/healthz`` and ``/readyz`` look at.

    Attributes:
        port: that it listens on; None: not yet.
    """

    def __init__(self, host: str, port: int, registry: CollectorRegistry, patient: Patient) -> None:
        self.port: int | None = None
        self._host = host
        self._wanted = port
        self._handler = handler_of(registry, patient)
        self._stop = threading.Event()
        self._listener: Listener | None = None
        self._thread = threading.Thread(target=self._serve, name="envoi-metrics", daemon=True)

    def start(self) -> None:
        """Start, in a thread of its own. It raises nothing: a process works without it too."""
        error = self._listen()
        if error:
            text = "no metrics are shown: give each process on a host a port of its own (ENVOI_METRICS_PORT)"
            log.warning(text, action="metrics", host=self._host, port=self._wanted, error=str(error))
        self._thread.start()

    def stop(self) -> None:
        """Stop listening. A second call does nothing."""
        self._stop.set()
        self._thread.join()

    def _listen(self) -> OSError | None:
        """Take the port. Returns why not."""
        try:
            listener = Listener((self._host, self._wanted), self._handler)
        except OSError as error:
            return error
        listener.timeout = _POLL
        self._listener, self.port = listener, listener.server_address[1]
        log.info("shows metrics and health", action="metrics", host=self._host, port=self.port)
        return None

    def _serve(self) -> None:
        while self._listener is None:
            if self._stop.wait(_AGAIN):
                return
            self._listen()
        with self._listener:
            while not self._stop.is_set():
                self._listener.handle_request()
