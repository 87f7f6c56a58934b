"""What needs the log, or Graph, and no Redis: broadcasts and uploads."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, BinaryIO

from envoi.asks import Asks
from envoi.queue.answers import Answers
from envoi.sendapi.message import Message
from envoi.sendapi.recipient import Recipient
from envoi.settings import Settings


class LogBacked:
    """The methods of :class:`envoi.Envoi` that need ``envoi[worker]``."""

    _queue: Answers
    _asks: Asks

    def broadcast(
        self,
        page: str,
        recipients: Iterable[str | dict[str, Any] | Recipient],
        message: str | dict[str, Any] | Message | None = None,
        *,
        key: str | None = None,
        skip_bad: bool = False,
        **options: Any,  # noqa: ANN401  # Job's own fields, checked there
    ) -> str:
        """Send one message to many people, in the lane bulk, each once (docs/broadcasts.md).

        It is written to SQL, and a scheduler feeds it into the queue a little ahead of the page's pace. So this needs
        ``envoi[worker]`` and ``ENVOI_DATABASE_URL``, and no Redis.

        Args:
            page: the sender's page id.
            recipients: as :meth:`send` takes them; read once, a few thousand at a time. Who is named twice counts once.
            message: as :meth:`send` takes it; or say ``template`` in its place.
            key: unique within the page: the same key again, with the same message and options, is the same broadcast,
                and ``recipients`` are not read. With it a broadcast that was interrupted may be repeated.
            skip_bad: leave out recipients that are wrong.
            options: any other field of :class:`envoi.Job` but ``lane``; ``at`` is when it begins.

        Returns:
            The broadcast's id: see :mod:`envoi.broadcast.store` for how it is followed, paused and cancelled.

        Raises:
            InvalidBroadcast: names every field and recipient that is wrong, with its limit; nobody is sent anything.
            BroadcastConflict: the key is taken by another message, or another process has taken over or cancelled it.
            EnvoiError: the page was never added, or the log's database failed; nobody is sent anything.
            ImportError: ``envoi[worker]`` is not installed.
        """
        return start_broadcast(
            self._queue.settings, (page, message, self._asks.told(options)), recipients, key=key, skip_bad=skip_bad
        )

    def upload(
        self,
        page: str,
        file: str | os.PathLike[str] | BinaryIO,
        *,
        type: str | None = None,  # noqa: A002  # the Send API's own name
        name: str | None = None,
    ) -> str:
        """Give Meta a local file now, to be sent by its attachment id: workers cannot read your files.

        Unlike everything else here it makes a call itself, reads the page's token from SQL, and needs
        ``envoi[worker]``. The file is read as it is sent.

        Args:
            page: the page that will send it; no other can.
            file: a path, or an open binary file that can seek; at most 25 MB (an image for Instagram: 8 MB).
            type: image, video, audio or file; else by the media type that its name tells.
            name: the file's name, where it has none.

        Returns:
            The attachment id, good for 90 days (SEND_API 3).

        Raises:
            InvalidUpload: Meta would refuse it, or it cannot be read; nothing was sent.
            UploadFailed: it was not taken; its ``verdict`` says whether to try again.
            EnvoiError: the page's token cannot be read: no such page, no key for it, no database.
            ImportError: ``envoi[worker]`` is not installed.
        """
        return give_file(self._queue.settings, page, file, type, name)


def start_broadcast(
    settings: Settings,
    template: tuple[str, Any, dict[str, Any]],
    recipients: Iterable[Any],
    *,
    key: str | None,
    skip_bad: bool,
) -> str:
    """Write a broadcast to the log.

    Args:
        settings: where the log is.
        template: page, message and options.
        recipients: to whom.
        key: see :meth:`LogBacked.broadcast`.
        skip_bad: likewise.
    """
    try:
        from envoi.broadcast.making import make  # noqa: PLC0415  # loads SQLAlchemy
    except ModuleNotFoundError as error:
        raise ImportError(f"a broadcast needs {error.name}: pip install 'envoi[worker]'") from error
    return make(settings, template, enumerate(recipients, 1), key=key, skip_bad=skip_bad).id


def give_file(
    settings: Settings, page: str, file: str | os.PathLike[str] | BinaryIO, kind: str | None, name: str | None
) -> str:
    """Give Meta a file; see :meth:`LogBacked.upload`."""
    try:
        from envoi.upload import upload  # noqa: PLC0415  # loads requests and SQLAlchemy
    except ModuleNotFoundError as error:
        raise ImportError(f"an upload needs {error.name}: pip install 'envoi[worker]'") from error
    return upload(page, file, settings, kind, name)
