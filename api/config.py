"""What a deployment sets, read once and frozen.

Every setting is named here with its environment variable. A missing secret stops the process with a
sentence; no setting turns authentication off, and none has a usable default for a secret.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


class Misconfigured(Exception):
    """A setting is missing or wrong; the message is one sentence for the operator."""


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of one process. Times carry their unit in the name; sizes are bytes."""

    environment: str
    database_url: str
    token_keys_file: Path
    cursor_secret: bytes = field(repr=False)
    public_url: str
    clinic_name: str
    clinic_time_zone: str
    clinic_phone: str | None
    support_email: str | None
    minimum_app_version: str | None
    app_features: tuple[str, ...]
    duty_contacts: tuple[str, ...]
    messages_file: Path | None
    metrics_port: int | None
    proxies: int
    database_pool: int
    threads: int
    statement_timeout_ms: int
    body_limit: int
    requests_per_minute: int
    token_cache: int
    catalogue_max_age_seconds: float

    def __post_init__(self) -> None:
        # The console takes everything and carries it nowhere: duty staff would count as told, and nobody would be.
        if not (self.messages_file or self.development):
            raise Misconfigured(
                "MESSAGES_FILE is not set: name the file that reminders and alerts are written to for delivery;"
                " the console is for development only."
            )

    @property
    def development(self) -> bool:
        """True only where synthetic people live: demo tokens and demo numbers exist nowhere else."""
        return self.environment == "development"


def read(env: Mapping[str, str] = os.environ) -> Config:
    """Read every setting from `env`. Raises `Misconfigured`."""
    environment = env.get("CONTINUUM_ENV", "production")
    if environment not in ("production", "development"):
        raise Misconfigured(f"CONTINUUM_ENV must be 'production' or 'development', not {environment!r}.")
    return Config(
        environment=environment,
        database_url=_required(env, "DATABASE_URL"),
        token_keys_file=Path(_required(env, "TOKEN_KEYS_FILE")),
        cursor_secret=_secret(env, "CURSOR_SECRET"),
        public_url=_public_url(env, environment),
        clinic_name=env.get("CLINIC_NAME", "Trinity Wellness Group"),
        clinic_time_zone=env.get("CLINIC_TIME_ZONE", "America/New_York"),
        clinic_phone=env.get("CLINIC_PHONE") or None,
        support_email=env.get("SUPPORT_EMAIL") or None,
        minimum_app_version=env.get("MINIMUM_APP_VERSION") or None,
        app_features=_words(env, "APP_FEATURES"),
        duty_contacts=_words(env, "DUTY_CONTACTS"),
        messages_file=Path(env["MESSAGES_FILE"]) if env.get("MESSAGES_FILE") else None,
        proxies=_number(env, "PROXIES", 0, low=0, high=10),
        metrics_port=_number(env, "METRICS_PORT", 0, low=0, high=65_535) or None,
        database_pool=_number(env, "DATABASE_POOL", 16, low=1, high=200),
        threads=_number(env, "THREADS", 16, low=1, high=256),
        statement_timeout_ms=_number(env, "STATEMENT_TIMEOUT_MS", 10_000, low=100, high=600_000),
        body_limit=_number(env, "BODY_LIMIT", 1_048_576, low=1_024, high=104_857_600),
        requests_per_minute=_number(env, "REQUESTS_PER_MINUTE", 600, low=1, high=10_000_000),
        token_cache=_number(env, "TOKEN_CACHE", 10_000, low=0, high=10_000_000),
        catalogue_max_age_seconds=5.0,
    )


def _required(env: Mapping[str, str], name: str) -> str:
    if not (value := env.get(name)):
        raise Misconfigured(f"{name} is not set.")
    return value


def _public_url(env: Mapping[str, str], environment: str) -> str:
    """The issuer of tokens and the base of problem types: guessed in development only."""
    if environment == "development":
        return env.get("PUBLIC_URL", "http://127.0.0.1:8000").rstrip("/")
    return _required(env, "PUBLIC_URL").rstrip("/")


def _words(env: Mapping[str, str], name: str) -> tuple[str, ...]:
    """Words separated by commas."""
    return tuple(one.strip() for one in env.get(name, "").split(",") if one.strip())


def _secret(env: Mapping[str, str], name: str) -> bytes:
    value = _required(env, name).encode()
    if len(value) < 32:
        raise Misconfigured(f"{name} must be at least 32 characters long.")
    return value


def _number(env: Mapping[str, str], name: str, default: int, *, low: int, high: int) -> int:
    text = env.get(name, str(default))
    if not text.isdecimal() or not low <= int(text) <= high:
        raise Misconfigured(f"{name} must be a whole number from {low} to {high}.")
    return int(text)
