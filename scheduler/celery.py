"""What ``celery -A scheduler beat`` finds: an application whose beat is a scheduler of Envoi."""

from __future__ import annotations

from envoi.settings import settings
from worker.app import make_app

app = make_app(settings())
app.conf.update(beat_scheduler="scheduler.beat:EnvoiScheduler", beat_schedule={})
