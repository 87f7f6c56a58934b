"""Envoi delivers messages through Meta's Send API: nothing lost, nothing sent twice, nothing out of order.

>>> from envoi import Envoi
>>> envoi = Envoi()
>>> job_id = envoi.send("PAGE", "PSID", "hello")
"""

from envoi.client import Envoi, JobStatus
from envoi.errors import (
    BadSettings,
    BadSignature,
    EnvoiError,
    InvalidJob,
    KeyConflict,
    NotInDoubt,
    Problem,
    QueueFull,
    QueueUnavailable,
    Recovering,
    UnknownJob,
)
from envoi.job import Job
from envoi.metadata import split_metadata
from envoi.sendapi.tags import RetiredTag
from envoi.states import State

__all__ = [
    "BadSettings",
    "BadSignature",
    "Envoi",
    "EnvoiError",
    "InvalidJob",
    "Job",
    "JobStatus",
    "KeyConflict",
    "NotInDoubt",
    "Problem",
    "QueueFull",
    "QueueUnavailable",
    "Recovering",
    "RetiredTag",
    "State",
    "UnknownJob",
    "split_metadata",
]
