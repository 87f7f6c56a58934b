"""All settings, read from the environment (``ENVOI_…``). Times are seconds. docs/settings.md lists them."""

from __future__ import annotations

from functools import cache, cached_property
from typing import Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from envoi.errors import BadSettings, Problem
from envoi.fields import APP_ID
from envoi.problems import problems
from envoi.setting_types import Calls, CommandLine, GraphUrl, Pace, Seconds, Secrets

PREFIX = "ENVOI_"


class Settings(BaseSettings):
    """What can be set, with the defaults that hold in production."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,  # an empty variable is how a compose file leaves one out
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,  # it may be a secret
    )

    redis_url: str = Field(
        "redis://127.0.0.1:6379/0", pattern=r"^(rediss?|unix)://", description="The queue: a Redis of its own."
    )
    redis_tag: str = Field(
        "envoi",
        pattern=r"^[a-z0-9-]+$",
        description="Prefix of every key; tells two queues on one Redis apart.",
    )
    database_url: str = Field(
        "sqlite:///envoi.sqlite3", description="The log: an SQLAlchemy address; PostgreSQL in production."
    )

    outbox_database_url: str | None = Field(
        None, description="The app's own database, for `envoi outbox`: an SQLAlchemy address."
    )

    graph_url: GraphUrl = Field("https://graph.facebook.com", description="Where the Graph API is.")
    graph_version: str = Field("v25.0", pattern=r"^v\d+\.\d+$", description="The Graph API's version.")
    app_id: str | None = Field(None, pattern=APP_ID, description="Meta's id of the app of pages that name none.")
    app_secret: Secrets = Field(
        (),
        description="Secret of the app of pages that name none, for appsecret_proof; webhooks may be signed with it, "
        "or with any other that follows it, comma-separated.",
    )
    secret_keys: Secrets = Field(
        (), description="Fernet keys that page tokens are encrypted with, comma-separated, newest first."
    )

    verify_token: SecretStr | None = Field(
        None, min_length=1, description="What Meta says when it asks whether webhooks are wanted here."
    )
    webhooks_cap: int = Field(200_000, ge=1, description="Notices of webhooks that may wait for a scheduler.")
    receipts_cap: int = Field(500_000, ge=1, description="Receipts and signs of life that may wait for the log.")
    window: Literal["enforce", "warn", "off"] = Field(
        "enforce", description="What becomes of a job to a person whose window is closed: enforce, warn or off."
    )

    connect_timeout: Seconds = Field(3.0, description="To connect to the Graph API.")
    read_timeout: Seconds = Field(90.0, description="To wait for the answer to a message call.")
    media_timeout: Seconds = Field(180.0, description="The same where Meta fetches or handles media.")
    action_timeout: Seconds = Field(10.0, description="To wait for the answer to a sender action.")
    graph_latest: Seconds = Field(120.0, description="G: the longest time until Graph delivers a message.")
    graph_latest_media: Seconds = Field(180.0, description="G where Meta fetches or handles media.")
    graph_visible: Seconds = Field(30.0, description="V: the longest time until a delivered message shows.")

    looks: bool = Field(True, description="Look into conversations to settle what nobody answered for.")
    looks_pace: float = Field(1.9, gt=0, le=100, allow_inf_nan=False, description="Looks per second allowed to a page.")
    look_again: Seconds = Field(15.0, description="Between two looks that may prove that a message was not sent.")
    look_blind: Seconds = Field(600.0, description="How long a page that may not be looked into is left alone.")
    settle_longest: Seconds = Field(3600.0, description="The longest that an unknown message call waits for its looks.")

    lease: Seconds = Field(30.0, description="A worker's right to a conversation, renewed while it lives.")
    concurrency: int = Field(32, ge=1, le=5000, description="Conversations in flight in one worker process.")
    drain_time: Seconds = Field(30.0, description="How long one bell may keep a worker busy.")
    shutdown_time: Seconds = Field(25.0, description="How long a worker may take to stop after SIGTERM.")

    page_pace: Pace = Field(30.0, description="Messages per second allowed to a page.")
    page_media_pace: Pace = Field(10.0, description="Of these, audio, video, images and files.")
    instagram_pace: Pace = Field(30.0, description="Messages per second allowed to a page on Instagram.")
    private_reply_pace: float = Field(
        750.0, ge=1, le=1_000_000, allow_inf_nan=False, description="Private replies per hour allowed to a page."
    )
    pace_margin: float = Field(
        0.1,
        ge=0,
        le=1,
        allow_inf_nan=False,
        description="How much later one message may reach Graph than another, after both were let go.",
    )
    page_calls: Calls = Field(
        300.0,
        description="Calls per second allowed to a page, typing included; without room for typing it is left out.",
    )
    instagram_calls: Calls = Field(100.0, description="The same for a page on Instagram.")
    app_calls: float = Field(
        0.0, ge=0, le=1_000_000, allow_inf_nan=False, description="The same for all pages of an app; 0: not counted."
    )
    page_cap: int = Field(64, ge=1, description="Calls in flight allowed to a page.")

    broadcast_ahead: Seconds = Field(
        20.0, description="How far a broadcast is enqueued ahead of its page's pace: as much as goes out in this time."
    )

    max_attempts: int = Field(8, ge=1, le=100, description="Attempts of a job, the first included.")
    backoff_first: Seconds = Field(5.0, description="Cap of the first wait before a retry.")
    backoff_cap: Seconds = Field(600.0, description="Cap of every wait before a retry.")
    answered_wait: Seconds = Field(5.0, description="The shortest wait after a Graph error that says: failed.")
    throttle_wait: Seconds = Field(60.0, description="How long a throttled page or person waits.")
    refusal_ttl: Seconds = Field(
        600.0, description="How long jobs to a person are refused after the platform refused one, without a call."
    )
    refusal_ttl_fed: Seconds = Field(
        2_592_000.0, description="The same where webhooks of the page come in, so that it ends when the person writes."
    )
    replies_age: Seconds = Field(3600.0, description="Age at which a job of the lane replies expires.")
    bulk_age: Seconds = Field(86400.0, description="Age at which a job of the lane bulk expires.")
    retired_tags: Literal["warn", "refuse", "allow"] = Field(
        "warn", description="What becomes of a job with a tag that Meta has retired: warn, refuse or allow."
    )

    reuse_attachments: bool = Field(
        True, description="Let Meta fetch media once for a page, and send it by its attachment id from then on."
    )
    attachment_life: Seconds = Field(
        7_689_600.0, description="How long an attachment id is used; Meta forgets it after 90 days."
    )

    key_ttl: Seconds = Field(86400.0, description="How long a key stays taken after its job has settled.")
    status_ttl: Seconds = Field(86400.0, description="How long the status of a settled job stays in Redis.")
    keep_texts: Seconds = Field(2_592_000.0, description="How long the log keeps what was written, after the outcome.")
    keep_calls: Seconds = Field(7_776_000.0, description="How long the log keeps calls.")
    keep_jobs: Seconds = Field(31_536_000.0, description="How long the log keeps jobs, after the outcome.")
    events_cap: int = Field(
        2_000_000,
        ge=1,
        description="Unlogged events, or unread outcomes of one stream, at which enqueueing is refused.",
    )
    loss_bound: Seconds = Field(2.0, description="What a restarted Redis may have lost: its last so many seconds.")
    outcome_broker_url: str | None = Field(
        None, description="The broker of the app's own Celery, for `on_outcome`; the queue's Redis if not set."
    )
    alert_url: SecretStr | None = Field(
        None,
        min_length=1,
        description="Where operators are told, once, that a page has died or unknowns pile up: a POST.",
    )
    alert_command: CommandLine | None = Field(
        None, description="The same by a command, with JSON on its standard input; no shell."
    )
    alert_unknowns: int = Field(
        20,
        ge=0,
        le=100_000,
        description="Jobs that ended unknown within an hour at which operators are told; 0: never.",
    )
    job_events: bool = Field(True, description="Show jobs in Flower, as Celery task events.")
    console_password: SecretStr | None = Field(
        None, min_length=1, description="Hash of the console's password, as `envoi console --hash` prints it."
    )
    console_password_file: str | None = Field(
        None, description="In its place, a file that holds the password itself, or the hash."
    )
    console_url: str | None = Field(
        None,
        pattern=r"^https?://[^/?#@\s]+$",
        description="By what address people reach the console, where it is not its own; with https cookies are Secure.",
    )
    console_session: Seconds = Field(28_800.0, description="How long a session of the console lasts.")
    console_texts: Literal["show", "hide"] = Field(
        "show", description="Whether the console shows what was written, to those who ask for it: show or hide."
    )
    bells_cap: int = Field(8, ge=1, description="Unread bells at which no more are rung.")

    metrics_port: int | None = Field(
        None, ge=0, le=65_535, description="Where a worker or scheduler shows `/metrics` and its health; 0: nowhere."
    )
    metrics_host: str = Field("127.0.0.1", min_length=1, description="The address that listens there.")
    metrics_pages: int = Field(
        100, ge=0, le=10_000, description="Pages with a label of their own in metrics; the others share one."
    )

    @cached_property
    def limits(self) -> str:
        """The limits of pages that have none of their own, as the scripts read them (envoi/queue/lua/pace.lua)."""
        numbers = (
            self.page_pace,
            self.instagram_pace,
            self.page_media_pace,
            self.private_reply_pace,
            self.page_calls,
            self.instagram_calls,
            self.app_calls,
            self.pace_margin,
        )
        return " ".join(f"{number:.6f}" for number in numbers)

    @property
    def own_app_secret(self) -> SecretStr | None:
        """The secret of the app of pages that name none."""
        return self.app_secret[0] if self.app_secret else None

    @property
    def settle_wait(self) -> float:
        """Seconds that an unknown message call waits for facts, whatever it carried: the longer G, and V."""
        return max(self.graph_latest, self.graph_latest_media) + self.graph_visible

    def settle_wait_of(self, *, media: bool) -> float:
        """Seconds that an unknown message call waits for facts: its own G, and V."""
        return (self.graph_latest_media if media else self.graph_latest) + self.graph_visible


@cache
def settings() -> Settings:
    """The settings of this process, read once.

    Raises:
        BadSettings: names every variable that is wrong, with its limit.
    """
    try:
        return Settings()
    except ValidationError as error:
        found = problems(error, _LIMITS, {})
    raise BadSettings(*(Problem(variable(problem.field), problem.limit) for problem in found))


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return f"{PREFIX}{name.upper()}"


_LIMITS = {
    "redis_url": "must be an address that begins with redis://, rediss:// or unix://",
    "redis_tag": "must be lower-case letters, digits and '-'",
    "graph_url": "must be an address such as https://graph.facebook.com, without a password and a query",
    "app_id": "must be Meta's number of the app",
    "console_url": "must be an address such as https://console.example.com, without a path",
    "graph_version": "must be a version such as v25.0",
}
