"""What a deployment sets, read once and frozen.

Every setting is named here with its environment variable. A missing secret stops the process with a
sentence; no setting turns authentication off, and none has a usable default for a secret.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from api import apps, carriers, destinations, keys, safekeeping

LEAST_SECRET = 32
# Of a random secret of that length in hexadecimal, fewer than these would be a miracle.
LEAST_DIFFERENT = 9
HOURS_OF_A_WEEK = 168


DEMO_APP = "demo"


class Misconfigured(Exception):
    """A setting is missing or wrong; the message is one sentence for the operator."""


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of one process. Times carry their unit in the name; sizes are bytes."""

    environment: str
    database_url: str
    token_keys_file: Path
    cursor_secret: bytes = field(repr=False)
    access_secret: bytes = field(repr=False)
    encryption_keys: tuple[safekeeping.Key, ...] = field(repr=False)
    apps: apps.Apps
    bearer_app_sessions: bool
    sign_in_idle_minutes: int
    sign_in_hours: int
    address_tries_per_hour: int
    outward_loopback: bool
    outward_ca_file: Path | None
    webhook_loopback: tuple[str, ...]
    public_url: str
    clinic_name: str
    clinic_time_zone: str
    clinic_phone: str | None
    support_email: str | None
    minimum_app_version: str | None
    app_features: tuple[str, ...]
    weekly_floor_hours: Mapping[str, int]
    late_cancellation_hours: int
    capacity_stale_hours: int
    duty_contacts: tuple[str, ...]
    website_origins: tuple[str, ...]
    referral_requests_per_hour: int
    intake_phone: str | None
    intake_hours: str | None
    intake_hours_es: str | None
    intake_reply_hours: int | None
    intake_overdue_hours: int
    referral_kept_days: int
    consent_waits_days: int
    messages_file: Path | None
    clock_file: Path | None
    carriers: carriers.Carriers
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
        if not (self.messages_file or self.development):
            self._refuse_silence()
        if not self.development:
            self._refuse_development()

    def _refuse_silence(self) -> None:
        """The console takes everything and carries it nowhere: duty staff would count as told, and nobody would be."""
        if not self.carriers.any:
            raise Misconfigured(
                "MESSAGES_FILE is not set, nor is any carrier: name the file that reminders and alerts are written to"
                " for delivery, or set APNs, FCM, texts or mail; the console is for development only."
            )
        if not all(self.carriers.reach(contact) for contact in self.duty_contacts):
            raise Misconfigured(
                "DUTY_CONTACTS names one that no carrier reaches: numbers need SMS_ACCOUNT, mailboxes SMTP_URL, and"
                " others a MESSAGES_FILE."
            )

    def _refuse_development(self) -> None:
        if self.outward_loopback:
            raise Misconfigured("OUTWARD_LOOPBACK is a switch of development: production asks no host of its own.")
        if self.outward_ca_file:
            raise Misconfigured("OUTWARD_CA_FILE is for development: production believes the usual certificates.")
        if self.webhook_loopback:
            raise Misconfigured("WEBHOOK_LOOPBACK is a list of development: production tells no host of its own.")
        if self.clock_file:
            raise Misconfigured("CLOCK_FILE is for development: production lives by real time.")
        if self.cursor_secret == self.access_secret:
            raise Misconfigured("ACCESS_SECRET must not be the same as CURSOR_SECRET.")

    @property
    def development(self) -> bool:
        """True only where synthetic people live: demo tokens and demo numbers exist nowhere else."""
        return self.environment == "development"

    @property
    def bearer_apps(self) -> frozenset[str]:
        """The apps whose patients' tokens need no proof of possession: none, unless the deployment says so."""
        demo = {DEMO_APP} if self.development else set()
        return frozenset({*demo, *(self.apps.clients if self.bearer_app_sessions else ())})


def read(env: Mapping[str, str] = os.environ) -> Config:
    """Read every setting from `env`. Raises `Misconfigured`."""
    environment = env.get("CONTINUUM_ENV", "production")
    if environment not in ("production", "development"):
        raise Misconfigured(f"CONTINUUM_ENV must be 'production' or 'development', not {environment!r}.")
    return Config(
        environment=environment,
        database_url=_required(env, "DATABASE_URL"),
        token_keys_file=_key_file(env),
        cursor_secret=_secret(env, "CURSOR_SECRET"),
        access_secret=_secret(env, "ACCESS_SECRET"),
        encryption_keys=_encryption_keys(env),
        apps=_apps(env, environment),
        bearer_app_sessions=_flag(env, "BEARER_APP_SESSIONS"),
        sign_in_idle_minutes=_number(env, "SIGN_IN_IDLE_MINUTES", 60, low=5, high=43_200),
        sign_in_hours=_number(env, "SIGN_IN_HOURS", 24, low=1, high=2_160),
        address_tries_per_hour=_number(env, "ADDRESS_TRIES_PER_HOUR", 100, low=10, high=10_000_000),
        outward_loopback=_flag(env, "OUTWARD_LOOPBACK"),
        outward_ca_file=Path(env["OUTWARD_CA_FILE"]) if env.get("OUTWARD_CA_FILE") else None,
        webhook_loopback=_listed(env),
        public_url=_public_url(env, environment),
        clinic_name=env.get("CLINIC_NAME", "Trinity Wellness Group"),
        clinic_time_zone=env.get("CLINIC_TIME_ZONE", "America/New_York"),
        clinic_phone=env.get("CLINIC_PHONE") or None,
        support_email=env.get("SUPPORT_EMAIL") or None,
        minimum_app_version=env.get("MINIMUM_APP_VERSION") or None,
        app_features=_words(env, "APP_FEATURES"),
        weekly_floor_hours=_floors(env),
        late_cancellation_hours=_number(env, "LATE_CANCELLATION_HOURS", 24, low=0, high=336),
        capacity_stale_hours=_number(env, "CAPACITY_STALE_HOURS", 72, low=1, high=8_760),
        duty_contacts=_words(env, "DUTY_CONTACTS"),
        website_origins=_origins(env, environment),
        referral_requests_per_hour=_number(env, "REFERRAL_REQUESTS_PER_HOUR", 200, low=1, high=1_000_000),
        intake_phone=env.get("INTAKE_PHONE") or None,
        intake_hours=env.get("INTAKE_HOURS") or None,
        intake_hours_es=env.get("INTAKE_HOURS_ES") or None,
        intake_reply_hours=_number(env, "INTAKE_REPLY_HOURS", 0, low=0, high=720) or None,
        intake_overdue_hours=_number(env, "INTAKE_OVERDUE_HOURS", 24, low=1, high=720),
        referral_kept_days=_number(env, "REFERRAL_KEPT_DAYS", 180, low=1, high=3_650),
        consent_waits_days=_number(env, "CONSENT_WAITS_DAYS", 180, low=1, high=3_650),
        messages_file=Path(env["MESSAGES_FILE"]) if env.get("MESSAGES_FILE") else None,
        clock_file=Path(env["CLOCK_FILE"]) if env.get("CLOCK_FILE") else None,
        carriers=_carriers(env, environment),
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
    """The issuer of tokens and the base of problem types (RFC 8414 §2): guessed in development only."""
    if environment == "development":
        return env.get("PUBLIC_URL", "http://127.0.0.1:8000").rstrip("/")
    url = _required(env, "PUBLIC_URL").rstrip("/")
    parts = urlsplit(url)
    if url != f"https://{parts.netloc}" or not parts.hostname or "@" in parts.netloc:
        raise Misconfigured("PUBLIC_URL must be https:// and a host, without a path.")
    return url


def _origins(env: Mapping[str, str], environment: str) -> tuple[str, ...]:
    """The origins (RFC 6454 §6.2) of the clinic's website, exactly as browsers send them."""
    schemes = ("https", "http") if environment == "development" else ("https",)
    for origin in (origins := _words(env, "WEBSITE_ORIGINS")):
        parts = urlsplit(origin)
        if parts.scheme not in schemes or origin != f"{parts.scheme}://{parts.netloc.lower()}" or not parts.hostname:
            raise Misconfigured("WEBSITE_ORIGINS must be origins such as https://www.example.org, without a path.")
    return origins


def _key_file(env: Mapping[str, str]) -> Path:
    file = Path(_required(env, "TOKEN_KEYS_FILE"))
    try:
        keys.KeySet.read(file)
    except OSError as error:
        raise Misconfigured(f"TOKEN_KEYS_FILE cannot be read: {error.strerror}.") from error
    except keys.WeakKey as error:
        raise Misconfigured(f"TOKEN_KEYS_FILE: {error}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise Misconfigured("TOKEN_KEYS_FILE must be a JWK Set with private keys.") from error
    return file


def _encryption_keys(env: Mapping[str, str]) -> tuple[safekeeping.Key, ...]:
    try:
        return safekeeping.read(_required(env, "ENCRYPTION_KEYS"))
    except safekeeping.Malformed as error:
        raise Misconfigured(f"ENCRYPTION_KEYS: {error}.") from error


def _apps(env: Mapping[str, str], environment: str) -> apps.Apps:
    try:
        return apps.read(env, public_url=_public_url(env, environment), development=environment == "development")
    except apps.Malformed as error:
        raise Misconfigured(str(error)) from error


def _carriers(env: Mapping[str, str], environment: str) -> carriers.Carriers:
    try:
        return carriers.read(env, development=environment == "development")
    except carriers.Malformed as error:
        raise Misconfigured(str(error)) from error


def _flag(env: Mapping[str, str], name: str) -> bool:
    if (word := env.get(name, "no")) not in ("yes", "no"):
        raise Misconfigured(f"{name} must be 'yes' or 'no'.")
    return word == "yes"


def _words(env: Mapping[str, str], name: str) -> tuple[str, ...]:
    """Words separated by commas."""
    return tuple(one.strip() for one in env.get(name, "").split(",") if one.strip())


def _listed(env: Mapping[str, str]) -> tuple[str, ...]:
    """Addresses of this machine that may receive webhooks without TLS, each exactly as it will be registered."""
    words = _words(env, "WEBHOOK_LOOPBACK")
    try:
        for word in words:
            destinations.read_listed(word)
    except ValueError as error:
        raise Misconfigured(f"WEBHOOK_LOOPBACK: {error}") from error
    return words


def _floors(env: Mapping[str, str]) -> dict[str, int]:
    """Hours a week by ASAM code, such as `2.5=20`: fewer are told to staff as less than the level's care."""
    found = {}
    for word in _words(env, "WEEKLY_FLOOR_HOURS"):
        code, _, hours = word.partition("=")
        if not (code and hours.isdecimal() and 1 <= int(hours) <= HOURS_OF_A_WEEK):
            raise Misconfigured("WEEKLY_FLOOR_HOURS must be ASAM codes with whole hours, such as '2.5=20'.")
        found[code.strip()] = int(hours)
    return found


def _secret(env: Mapping[str, str], name: str) -> bytes:
    value = _required(env, name).encode()
    if len(value) < LEAST_SECRET or len(set(value)) < LEAST_DIFFERENT:
        raise Misconfigured(f"{name} must be {LEAST_SECRET} characters or more, made at random.")
    return value


def _number(env: Mapping[str, str], name: str, default: int, *, low: int, high: int) -> int:
    text = env.get(name, str(default))
    if not text.isdecimal() or not low <= int(text) <= high:
        raise Misconfigured(f"{name} must be a whole number from {low} to {high}.")
    return int(text)
