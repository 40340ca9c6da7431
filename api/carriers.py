"""Who carries words out of the house, and with which credentials: APNs, FCM, Web Push, texts, mail.

Each carrier is set whole or not at all: half a carrier would refuse every message at night instead of the start in the
morning. What is not set is None, and no message goes that way. Secrets stand in files that the settings name, or never
appear in what a dataclass shows of itself.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

APNS_ID = re.compile(r"[A-Z0-9]{10}")
APNS_TOPIC = re.compile(r"[A-Za-z0-9.-]{1,155}")
HOST = re.compile(r"\.?[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})+")
# A number, a short code, a name (where the country allows one), or a pool of numbers at the gateway.
SMS_SENDER = re.compile(r"\+[1-9][0-9]{6,14}|[0-9]{3,8}|[A-Za-z0-9 ]{1,11}|MG[0-9a-f]{32}")
LINE = re.compile(r"[^\x00-\x1f\x7f]{1,60}")
# An address that needs no quoting (RFC 5321 §4.1.2): ours, so there is no need to take more.
MAILBOX = re.compile(r"[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*")

APNS_HOSTS = {"production": "https://api.push.apple.com", "sandbox": "https://api.sandbox.push.apple.com"}
FCM_URL = "https://fcm.googleapis.com"
SMS_URL = "https://api.twilio.com"
# In development, the log.
CONSOLE = "console:"
# The push services of the browsers that people have; one that begins with a dot stands for what is below it.
WEB_PUSH_HOSTS = (
    "fcm.googleapis.com",
    "updates.push.services.mozilla.com",
    "web.push.apple.com",
    ".notify.windows.com",
)
SMTP_PORTS = {"smtp": 587, "smtps": 465}
SENDER_NAME = "Appointments"


class Malformed(ValueError):
    """A setting about carriers cannot be right, or lacks its companions; the message names it, never its value."""


@dataclass(frozen=True, slots=True)
class Apns:
    """Apple's push service: a signing key (`.p8`) of a team, for the app of bundle id `topic`."""

    key_file: Path
    key_id: str
    team_id: str
    topic: str
    urls: Mapping[str, str] = field(default_factory=lambda: APNS_HOSTS)


@dataclass(frozen=True, slots=True)
class Fcm:
    """Google's push service, as a service account whose JSON file also names the project."""

    service_account_file: Path
    url: str = FCM_URL


@dataclass(frozen=True, slots=True)
class WebPush:
    """Browsers' push services (RFC 8292): our key (PEM), whom they may write to, and which hosts we push to at all."""

    key_file: Path
    subject: str
    hosts: tuple[str, ...] = WEB_PUSH_HOSTS

    def serves(self, host: str) -> bool:
        return any(host == one or (one.startswith(".") and host.endswith(one)) for one in self.hosts)


@dataclass(frozen=True, slots=True)
class Sms:
    """A gateway for texts that speaks as Twilio does; `signing_token` proves that a callback is the gateway's."""

    url: str
    account: str
    token: str = field(repr=False)
    sender: str
    signing_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Smtp:
    """The server that takes our mail: encrypted from the first byte (`tls_first`), or before anything is said."""

    host: str
    port: int
    tls_first: bool
    user: str | None = field(repr=False)
    password: str | None = field(repr=False)
    mail_from: str


@dataclass(frozen=True, slots=True)
class Carriers:
    """`sender_name` is who a mail says it is from: neutral, as its reader may not be alone. A text is from a number."""

    apns: Apns | None = None
    fcm: Fcm | None = None
    web_push: WebPush | None = None
    sms: Sms | None = None
    smtp: Smtp | None = None
    sender_name: str = SENDER_NAME

    @property
    def any(self) -> bool:
        """Whether there is a way to any patient."""
        return any((self.apns, self.fcm, self.web_push, self.sms, self.smtp))

    def reach(self, contact: str) -> bool:
        """Whether a contact at the clinic is reached: a number (`+` and digits) by texts, a mailbox by mail."""
        return bool({"sms": self.sms, "email": self.smtp}.get(carrier_of(contact) or ""))


def carrier_of(contact: str) -> str | None:
    """The carrier that reaches a contact at the clinic: by `+` and digits, or by a mailbox; None for neither."""
    if contact.startswith("+") and contact[1:].isdecimal():
        return "sms"
    return "email" if "@" in contact else None


def read(env: Mapping[str, str], *, development: bool) -> Carriers:
    """The carriers that `env` names. Raises `Malformed`."""
    if not development and (named := next((one for one in ("APNS_URL", "FCM_URL") if env.get(one)), None)):
        raise Malformed(f"{named} is for development: production pushes to the real service.")
    return Carriers(
        apns=_apns(env),
        fcm=_fcm(env),
        web_push=_web_push(env),
        sms=_sms(env, development),
        smtp=_smtp(env, development),
        sender_name=_matching(env, "SENDER_NAME", LINE, default=SENDER_NAME),
    )


def _apns(env: Mapping[str, str]) -> Apns | None:
    if not _set_whole(env, "APNS_KEY_FILE", "APNS_KEY_ID", "APNS_TEAM_ID", "APNS_TOPIC"):
        return None
    url = env.get("APNS_URL")
    return Apns(
        key_file=_file(env, "APNS_KEY_FILE"),
        key_id=_matching(env, "APNS_KEY_ID", APNS_ID),
        team_id=_matching(env, "APNS_TEAM_ID", APNS_ID),
        topic=_matching(env, "APNS_TOPIC", APNS_TOPIC),
        urls=dict.fromkeys(APNS_HOSTS, _url(env, "APNS_URL")) if url else APNS_HOSTS,
    )


def _fcm(env: Mapping[str, str]) -> Fcm | None:
    if not _set_whole(env, "FCM_SERVICE_ACCOUNT_FILE"):
        return None
    return Fcm(_file(env, "FCM_SERVICE_ACCOUNT_FILE"), _url(env, "FCM_URL", default=FCM_URL))


def _web_push(env: Mapping[str, str]) -> WebPush | None:
    if not _set_whole(env, "VAPID_KEY_FILE", "VAPID_SUBJECT"):
        return None
    subject = env["VAPID_SUBJECT"]
    if not (subject.startswith("https://") or MAILBOX.fullmatch(subject.removeprefix("mailto:"))):
        raise Malformed("VAPID_SUBJECT must be mailto: and an address, or https:// and a page.")
    hosts = tuple(one.strip() for one in env.get("WEB_PUSH_HOSTS", "").split(",") if one.strip())
    if not all(HOST.fullmatch(one) or one == "localhost" for one in hosts):
        raise Malformed("WEB_PUSH_HOSTS must be names of hosts, separated by commas.")
    return WebPush(_file(env, "VAPID_KEY_FILE"), subject, hosts or WEB_PUSH_HOSTS)


def _sms(env: Mapping[str, str], development: bool) -> Sms | None:
    if not _set_whole(env, "SMS_ACCOUNT", "SMS_TOKEN", "SMS_FROM"):
        return None
    console = development and env.get("SMS_URL") == CONSOLE
    return Sms(
        url=CONSOLE if console else _url(env, "SMS_URL", default=SMS_URL, plain=development),
        account=_matching(env, "SMS_ACCOUNT", re.compile(r"[A-Za-z0-9_-]{1,64}")),
        token=env["SMS_TOKEN"],
        sender=_matching(env, "SMS_FROM", SMS_SENDER),
        signing_token=env.get("SMS_SIGNING_TOKEN") or env["SMS_TOKEN"],
    )


def _smtp(env: Mapping[str, str], development: bool) -> Smtp | None:
    if not _set_whole(env, "SMTP_URL", "MAIL_FROM"):
        return None
    parts = urlsplit(env["SMTP_URL"])
    if parts.scheme not in SMTP_PORTS or not parts.hostname:
        raise Malformed("SMTP_URL must be smtp:// or smtps:// with a host.")
    if bool(parts.username) != bool(parts.password) or not (parts.username or development):
        raise Malformed("SMTP_URL must hold a user and a password.")
    return Smtp(
        host=parts.hostname,
        port=parts.port or SMTP_PORTS[parts.scheme],
        tls_first=parts.scheme == "smtps",
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        mail_from=_matching(env, "MAIL_FROM", MAILBOX),
    )


def _set_whole(env: Mapping[str, str], *names: str) -> bool:
    """Whether these are set: all, or none."""
    missing = [name for name in names if not env.get(name)]
    if missing and len(missing) < len(names):
        raise Malformed(f"{missing[0]} is not set, though others of its carrier are.")
    return not missing


def _file(env: Mapping[str, str], name: str) -> Path:
    if not (file := Path(env[name])).is_file():
        raise Malformed(f"{name} names no file.")
    return file


def _url(env: Mapping[str, str], name: str, *, default: str = "", plain: bool = False) -> str:
    url = (env.get(name) or default).rstrip("/")
    parts = urlsplit(url)
    if parts.scheme not in ({"https", "http"} if plain else {"https"}) or not parts.hostname or "@" in parts.netloc:
        raise Malformed(f"{name} must be https:// and a host.")
    return url


def _matching(env: Mapping[str, str], name: str, pattern: re.Pattern[str], *, default: str = "") -> str:
    if not pattern.fullmatch(value := env.get(name) or default):
        raise Malformed(f"{name} cannot be right.")
    return value
