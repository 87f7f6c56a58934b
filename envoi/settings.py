"""All settings, read from the environment (``ENVOI_…``). Times are seconds. docs/settings.md lists them."""

from __future__ import annotations

from functools import cache
from typing import Annotated

from pydantic import BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

Seconds = Annotated[float, Field(gt=0)]


def _split(value: object) -> object:
    """A comma-separated list as the environment gives it."""
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


class Settings(BaseSettings):
    """What can be set, with the defaults that hold in production."""

    model_config = SettingsConfigDict(env_prefix="ENVOI_", extra="ignore", frozen=True)

    redis_url: str = Field("redis://127.0.0.1:6379/0", description="The queue: a Redis of its own.")
    redis_tag: str = Field(
        "envoi",
        pattern=r"^[a-z0-9-]+$",
        description="Prefix of every key; tells two queues on one Redis apart.",
    )
    database_url: str = Field(
        "sqlite:///envoi.sqlite3", description="The log: an SQLAlchemy address; PostgreSQL in production."
    )

    graph_url: str = Field("https://graph.facebook.com", description="Where the Graph API is.")
    graph_version: str = Field("v25.0", pattern=r"^v\d+\.\d+$", description="The Graph API's version.")
    app_secret: SecretStr | None = Field(None, description="Meta app secret, for appsecret_proof and webhooks.")
    secret_keys: Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_split)] = Field(
        (), description="Fernet keys that page tokens are encrypted with, comma-separated, newest first."
    )

    connect_timeout: Seconds = Field(3.0, description="To connect to the Graph API.")
    read_timeout: Seconds = Field(90.0, description="To wait for the answer to a message call.")
    action_timeout: Seconds = Field(10.0, description="To wait for the answer to a sender action.")
    graph_latest: Seconds = Field(120.0, description="G: the longest time until Graph delivers a message.")
    graph_visible: Seconds = Field(30.0, description="V: the longest time until a delivered message shows.")

    lease: Seconds = Field(30.0, description="A worker's right to a conversation, renewed while it lives.")
    concurrency: int = Field(32, ge=1, le=1000, description="Conversations in flight in one worker process.")
    drain_time: Seconds = Field(30.0, description="How long one bell may keep a worker busy.")
    shutdown_time: Seconds = Field(25.0, description="How long a worker may take to stop after SIGTERM.")

    page_pace: float = Field(30.0, gt=0, le=1000, description="Messages per second allowed to a page.")
    page_cap: int = Field(64, ge=1, description="Calls in flight allowed to a page.")

    max_attempts: int = Field(8, ge=1, le=100, description="Attempts of a job, the first included.")
    backoff_first: Seconds = Field(5.0, description="Cap of the first wait before a retry.")
    backoff_cap: Seconds = Field(600.0, description="Cap of every wait before a retry.")
    answered_wait: Seconds = Field(5.0, description="The shortest wait after a Graph error that says: failed.")
    throttle_wait: Seconds = Field(60.0, description="How long a throttled page or person waits.")
    replies_age: Seconds = Field(3600.0, description="Age at which a job of the lane replies expires.")
    bulk_age: Seconds = Field(86400.0, description="Age at which a job of the lane bulk expires.")

    key_ttl: Seconds = Field(86400.0, description="How long a key stays taken after its job has settled.")
    status_ttl: Seconds = Field(86400.0, description="How long the status of a settled job stays in Redis.")
    events_cap: int = Field(2_000_000, ge=1, description="Unlogged events at which enqueueing is refused.")
    bells_cap: int = Field(8, ge=1, description="Unread bells at which no more are rung.")

    @property
    def settle_wait(self) -> float:
        """Seconds that an unknown message call waits for facts: G + V."""
        return self.graph_latest + self.graph_visible


@cache
def settings() -> Settings:
    """The settings of this process, read once."""
    return Settings()
