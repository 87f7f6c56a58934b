"""``message.metadata``: the caller's own text, then the job's id, by which an echo proves that a message was sent."""

from __future__ import annotations

from envoi.ids import JOB_ID

METADATA_LIMIT = 999  # characters; SEND_API 12: the French page says 1000, the English one less than 1000
_MARK = "envoi:"
_GLUE = "|"
CALLER_LIMIT = METADATA_LIMIT - len(_GLUE) - len(_MARK) - 26


def join_metadata(caller: str | None, job_id: str) -> str:
    """The metadata of a message call: the caller's own, if any, then ours."""
    ours = _MARK + job_id
    return f"{caller}{_GLUE}{ours}" if caller else ours


def split_metadata(metadata: str | None) -> tuple[str | None, str | None]:
    """Take the metadata of an echo apart.

    Returns:
        The caller's own metadata and the job id; either is None where there is none.
    """
    if not metadata:
        return None, None
    caller, mark, job_id = metadata.rpartition(_MARK)
    if not mark or not JOB_ID.fullmatch(job_id) or (caller and not caller.endswith(_GLUE)):
        return metadata, None
    return caller.removesuffix(_GLUE) or None, job_id
