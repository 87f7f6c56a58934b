"""Envoi delivers messages through Meta's Send API: nothing lost, nothing sent twice, nothing out of order.

>>> from envoi import Envoi
>>> envoi = Envoi()
>>> job_id = envoi.send("PAGE", "PSID", "hello")
"""

from envoi.client import Envoi, JobStatus
from envoi.errors import (
    BadSignature,
    EnvoiError,
    InvalidJob,
    KeyConflict,
    QueueFull,
    QueueUnavailable,
    Recovering,
    UnknownJob,
)
from envoi.job import Job
from envoi.metadata import split_metadata
from envoi.states import State

__all__ = [
    "BadSignature",
    "Envoi",
    "EnvoiError",
    "InvalidJob",
    "Job",
    "JobStatus",
    "KeyConflict",
    "QueueFull",
    "QueueUnavailable",
    "Recovering",
    "State",
    "UnknownJob",
    "split_metadata",
]
