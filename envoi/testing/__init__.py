"""A double of the client for the tests of apps: it behaves as the real one does, in memory (docs/testing.md).

>>> from envoi.testing import FakeEnvoi
>>> envoi = FakeEnvoi()
>>> job_id = envoi.send("100", "7001", "hello")
>>> [job.text for job in envoi.sent_to("7001")]
['hello']
>>> len(envoi.deliver())
1
>>> envoi.status(job_id).state
<State.SENT: 'sent'>
"""

from envoi.testing.async_double import FakeAsyncEnvoi
from envoi.testing.double import FakeEnvoi
from envoi.testing.enqueued import Enqueued

__all__ = ["Enqueued", "FakeAsyncEnvoi", "FakeEnvoi"]
