"""What ``celery -A scheduler beat`` finds: an application whose beat is a scheduler of Envoi."""

from __future__ import annotations

import atexit

from envoi.settings import settings
from scheduler import leaving
from worker.app import make_app

atexit.register(leaving.leave)  # before all else, so that it runs after all else

app = make_app(settings())
app.conf.update(beat_scheduler="scheduler.beat:EnvoiScheduler", beat_schedule={})
