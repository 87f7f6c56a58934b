"""Envoi delivers messages through Meta's Send API: nothing lost, nothing sent twice, nothing out of order.

>>> from envoi import Envoi
>>> envoi = Envoi()
>>> job_id = envoi.send("PAGE", "PSID", "hello")
"""

from envoi.action import Action
from envoi.async_client import AsyncEnvoi
from envoi.async_outcomes import AsyncOutcomes
from envoi.client import Envoi
from envoi.conversation import CancelledAll, Conversation, HeldConversation, OptedOut
from envoi.errors import (
    BadSettings,
    BadSignature,
    BroadcastConflict,
    EnvoiError,
    InvalidBroadcast,
    InvalidConversation,
    InvalidJob,
    InvalidUpload,
    InvalidWebhook,
    KeyConflict,
    NotErased,
    NotInDoubt,
    Problem,
    QueueFull,
    QueueUnavailable,
    Recovering,
    StillOpen,
    UnknownBroadcast,
    UnknownJob,
    UploadFailed,
)
from envoi.job import Job
from envoi.job_status import JobStatus
from envoi.metadata import split_metadata
from envoi.outcomes import Outcome, Outcomes
from envoi.sendapi.tags import RetiredTag
from envoi.states import State
from envoi.window import WindowClosed

__all__ = [
    "Action",
    "AsyncEnvoi",
    "AsyncOutcomes",
    "BadSettings",
    "BadSignature",
    "BroadcastConflict",
    "CancelledAll",
    "Conversation",
    "Envoi",
    "EnvoiError",
    "HeldConversation",
    "InvalidBroadcast",
    "InvalidConversation",
    "InvalidJob",
    "InvalidUpload",
    "InvalidWebhook",
    "Job",
    "JobStatus",
    "KeyConflict",
    "NotErased",
    "NotInDoubt",
    "OptedOut",
    "Outcome",
    "Outcomes",
    "Problem",
    "QueueFull",
    "QueueUnavailable",
    "Recovering",
    "RetiredTag",
    "State",
    "StillOpen",
    "UnknownBroadcast",
    "UnknownJob",
    "UploadFailed",
    "WindowClosed",
    "split_metadata",
]
