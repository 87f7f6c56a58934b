"""What peers have in common that have one worker, and write one row a job."""

from __future__ import annotations

from benchmarks.peer import Place
from benchmarks.sent_messages import SentMessages
from demo.child import Child


class OneWorker:
    """The worker and its rows; how it is fed is the peer's own.

    Args:
        place: where it runs.
        worker: not started yet; its children, if any, count as its own.
        patience: seconds that it may take to stop.
    """

    def __init__(self, place: Place, worker: Child, patience: float = 30.0) -> None:
        self._cores = place.cores
        self._rows = SentMessages(place.database_url)
        self._worker = worker
        self._patience = patience

    def start(self) -> None:
        """Make the table and start the worker."""
        self._rows.create()
        with self._cores.for_workers():
            self._worker.start()

    def committed(self) -> int:
        """Count the rows."""
        return self._rows.count()

    def pids(self) -> dict[str, list[int]]:
        """The worker."""
        return {"worker": [self._worker.pid]}

    def check(self) -> None:
        """See that the worker runs."""
        if not self._worker.running:
            raise self._worker.failure("has ended by itself")

    def stop(self) -> None:
        """Stop the worker; what it has not begun stays in Redis."""
        self._rows.close()
        self._worker.stop(self._patience)
