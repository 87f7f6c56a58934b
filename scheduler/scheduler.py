"""One scheduler: its duties and what it does beside them, however the process around them is run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial

import structlog
from sqlalchemy import Engine

from envoi.alerts import targets
from envoi.graph_versions import warning_about
from envoi.log.database import open_log
from envoi.log.errors import BadSecretKeys
from envoi.log.pages import PageStore
from envoi.log.secrets import SecretBox
from envoi.outbox.database import open_outbox
from envoi.queue.connection import connect
from envoi.queue.queue import Queue
from envoi.settings import Settings
from scheduler.alerts import Alerts
from scheduler.background import Background, Work
from scheduler.due import DueTimes
from scheduler.duties import Duties, Duty, Record
from scheduler.epoch import Gate
from scheduler.feed import Feeder
from scheduler.keeper import Keeper
from scheduler.log_sample import read_log, read_outbox
from scheduler.log_writer import LogWriter
from scheduler.metrics import SchedulerMetrics
from scheduler.outcomes import OutcomePublisher
from scheduler.prune import Pruner
from scheduler.queue_sample import QueueSample
from scheduler.receipts import ReceiptWriter
from scheduler.register import Register
from scheduler.room import Room
from scheduler.rounds import LedWork
from scheduler.sampler import Sampler
from scheduler.settler import HANDS, Settler
from scheduler.task_broker import TaskBroker
from scheduler.troubles import Troubles
from scheduler.webhooks import WebhookNotices
from worker.looks import Looks
from worker.token_doubt import TokenDoubts
from worker.tokens import Tokens
from worker.transport import GraphAdapter

_QUEUE_PERIOD = 5.0  # seconds between two samples of the queue: some round trips
_LOG_PERIOD = 15.0  # seconds between two samples of a database

log = structlog.get_logger()


class Scheduler:
    """Duties, turned by the caller's thread, and work in threads of its own.

    The log writer, for one, waits for SQL, the duties must not: so SQL may be down for an hour while deliveries go on.

    Args:
        settings: where Redis and the log are, and all times.

    Raises:
        LogError: the log's address is malformed.
    """

    def __init__(self, settings: Settings) -> None:
        engine = open_log(settings.database_url)
        queue = Queue(connect(settings.redis_url), settings)
        self._troubles = Troubles()
        self._gate = Gate(queue, engine)
        self._adapter = GraphAdapter(HANDS)
        log_writer = LogWriter(queue, engine, troubles=self._troubles)
        led: list[LedWork] = [
            log_writer,
            WebhookNotices(queue, self._troubles),
            ReceiptWriter(queue, engine, self._troubles),
            OutcomePublisher(queue, TaskBroker(settings.outcome_broker_url or settings.redis_url), self._troubles),
            Feeder(queue, engine, self._troubles),
        ]
        if wanted := targets(settings):
            led.append(Alerts(queue, engine, wanted, self._troubles))
        leases = {work.name: work.lease for work in led} | {"look_over": self._gate.lease}
        register = Register(queue, lambda: self._duties.records, self._troubles, leases)
        due = DueTimes(queue, self._gate)
        duties: list[Duty] = [self._gate, due, Room(queue), register]
        self._duties = Duties(duties, self._troubles)
        samplers = self._samplers(settings, queue, engine)
        self._metrics = SchedulerMetrics(
            settings,
            duties=self._duties,
            due=due,
            log_writer=log_writer,
            leases=leases,
            troubles=self._troubles,
            samplers=samplers,
        )
        keeper = Keeper(queue.redis, register.scheduler, leases, self._troubles)
        works: list[Work] = [
            keeper,
            *led,
            Pruner(queue, engine, self._troubles),
            *self._settler(settings, queue, engine),
            *samplers,
        ]
        self._background = Background(works, self._troubles)
        self._graph_version = settings.graph_version
        self._stopped = False
        self._in_order = True

    @property
    def records(self) -> Mapping[str, Record]:
        """How each duty fares, by its name."""
        return self._duties.records

    def start(self) -> None:
        """Start what is done beside the duties."""
        if old := warning_about(self._graph_version, datetime.now(UTC).date()):
            log.warning(old, action="graph_version")
        self._metrics.start()
        self._background.start()

    def turn(self) -> float:
        """Run the duties whose time has come.

        Returns:
            Seconds until the next turn is wanted.

        Raises:
            UnfitRedis: no scheduler may run on this Redis.
        """
        return self._duties.turn()

    def stop(self, seconds: float = 2.0) -> bool:
        """End the work beside the duties, so that another scheduler's takes over at once. A second call does nothing.

        A batch that is not committed in time is rolled back by its database and copied again by the next writer; a look
        that has not ended is made again by the next settler.

        Args:
            seconds: how long to wait for what is under way.

        Returns:
            Whether all of it has ended.
        """
        if not self._stopped:
            self._stopped = True
            self._in_order = self._background.stop(seconds)
            self._adapter.close()
            self._metrics.stop()
            log.info("stopped", action="stop", in_order=self._in_order)
        return self._in_order

    def _samplers(self, settings: Settings, queue: Queue, engine: Engine) -> list[Sampler]:
        """Nothing is read that nobody asks for."""
        if not settings.metrics_port:
            return []
        found = [
            Sampler("queue", QueueSample(queue).read, _QUEUE_PERIOD, self._troubles),
            Sampler("log", partial(read_log, engine), _LOG_PERIOD, self._troubles),
        ]
        if settings.outbox_database_url:
            outbox = open_outbox(settings.outbox_database_url)
            found.append(Sampler("outbox", partial(read_outbox, outbox), _LOG_PERIOD, self._troubles))
        return found

    def _settler(self, settings: Settings, queue: Queue, engine: Engine) -> list[Work]:
        """Looks need the pages' tokens. Without the keys to them nothing is looked into here; another scheduler may."""
        if not settings.looks:
            return []
        try:
            tokens = Tokens(PageStore(engine, SecretBox(settings.secret_keys)))
        except BadSecretKeys as error:
            log.warning("this scheduler cannot look into conversations", action="settler", error=str(error))
            return []
        looks = Looks(settings, tokens, self._adapter, TokenDoubts(settings))
        return [Settler(queue, looks, self._troubles)]
