"""All faults of test_transport_faults and test_transport_tls again, of calls on sockets that do not block."""

from __future__ import annotations

import pytest

from tests.integration.worker import by_lines, test_transport_faults, test_transport_tls
from tests.integration.worker.test_transport_faults import *  # noqa: F403  # collected here a second time
from tests.integration.worker.test_transport_tls import *  # noqa: F403  # the same


@pytest.fixture(autouse=True)
def _by_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (test_transport_faults, test_transport_tls):
        monkeypatch.setattr(module, "call", by_lines.call)


del test_a_connection_is_not_used_again_after_some_seconds_idle  # noqa: F821  # here connections are made ahead
