"""Google's push service for Android: FCM's HTTP v1 API, as a service account.

https://firebase.google.com/docs/cloud-messaging/send/v1-api; its error codes:
https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode. The service account's key signs an assertion, which is
exchanged for an access token of an hour (RFC 7523).
"""

import json
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from api import carriers
from api.messages import push_parts
from api.messages.gateway import ACCEPTED, DEAD, MISCONFIGURED, REFUSED, RETRY, Address, Message, Outcome
from api.messages.push_parts import Clocks

SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ASSERTED = timedelta(hours=1)
# A token is given up this long before its end, so that none ends under way.
EARLY = timedelta(minutes=5)
ACCOUNT_NAMES = ("project_id", "client_email", "token_uri", "private_key_id")
NEVER = datetime.min.replace(tzinfo=UTC)
# What Google asks of whoever is over a quota and is told no time.
QUOTA_WAIT = 60.0
# The channel of an Android app that makes no sound; its importance is the app's to set.
SILENT_CHANNEL = "silent"

# SENDER_ID_MISMATCH is a token of another project, or a wrong project in the settings: it is not forgotten.
VERDICTS = {
    "UNREGISTERED": DEAD,
    "INVALID_ARGUMENT": REFUSED,
    "SENDER_ID_MISMATCH": REFUSED,
    "QUOTA_EXCEEDED": RETRY,
    "UNAVAILABLE": RETRY,
    "INTERNAL": RETRY,
    "THIRD_PARTY_AUTH_ERROR": MISCONFIGURED,
    "PERMISSION_DENIED": MISCONFIGURED,
    # Of the project: an unknown token is UNREGISTERED.
    "NOT_FOUND": MISCONFIGURED,
}


class NoAccess(Exception):
    """No access token was to be had; `outcome` is what that means for the message."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.reason)
        self.outcome = outcome


@dataclass(frozen=True, slots=True)
class Account:
    """A service account, as the JSON file from Google's console holds it."""

    project: str
    email: str
    token_uri: str
    key_id: str
    key: rsa.RSAPrivateKey = field(repr=False)

    @classmethod
    def read(cls, file: Path) -> "Account":
        try:
            said = json.loads(file.read_bytes())
            key = load_pem_private_key(said["private_key"].encode(), None)
            project, email, uri, key_id = (str(said[name]) for name in ACCOUNT_NAMES)
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise carriers.Malformed("FCM_SERVICE_ACCOUNT_FILE is not the JSON of a service account.") from error
        if not isinstance(key, rsa.RSAPrivateKey) or not uri.startswith("https://"):
            raise carriers.Malformed("FCM_SERVICE_ACCOUNT_FILE holds a key or an address that cannot be right.")
        return cls(project, email, uri, key_id, key)

    def assertion(self, now: datetime) -> str:
        times = {"iat": push_parts.unix(now), "exp": push_parts.unix(now + ASSERTED)}
        claims = {"iss": self.email, "scope": SCOPE, "aud": self.token_uri, **times}
        return jwt.encode(claims, self.key, "RS256", {"kid": self.key_id})


class AccessTokens:
    """One access token for all threads."""

    def __init__(self, account: Account, client: httpx.Client, clocks: Clocks) -> None:
        self._account, self._client, self._clocks = account, client, clocks
        self._lock, self._token, self._made_at, self._ends_at = threading.Lock(), "", NEVER, NEVER

    def current(self) -> str:
        """Raises `NoAccess`."""
        with self._lock:
            now = self._clocks.wall()
            if not self._made_at <= now < self._ends_at:
                self._token, lives = self._fetched(now)
                self._made_at, self._ends_at = now, now + lives - EARLY
            return self._token

    def give_up(self, token: str) -> bool:
        """Google refuses `token`: use another one from now on. False where it was made a moment ago, and another would
        be no better."""
        with self._lock:
            if token == self._token:
                if self._clocks.wall() < self._made_at + EARLY:
                    return False
                self._ends_at = NEVER
            return True

    def _fetched(self, now: datetime) -> tuple[str, timedelta]:
        form = {"grant_type": GRANT, "assertion": self._account.assertion(now)}
        try:
            response = self._client.post(self._account.token_uri, data=form)
        except httpx.HTTPError as error:
            raise NoAccess(push_parts.unanswered(error)) from error
        said = push_parts.parsed(response.content)
        if response.status_code == 200 and isinstance(said, dict) and isinstance(said.get("access_token"), str):
            return said["access_token"], timedelta(seconds=int(said.get("expires_in", 3600)))
        reason = push_parts.word(said.get("error") if isinstance(said, dict) else None, response.status_code)
        if response.status_code == 429 or response.status_code >= 500:
            raise NoAccess(Outcome(RETRY, reason, push_parts.retry_after(response.headers, at=now)))
        raise NoAccess(Outcome(MISCONFIGURED, reason))


class Fcm:
    """Pushes to Android phones."""

    name = "fcm"

    def __init__(self, settings: carriers.Fcm, *, clocks: Clocks, ca_file: Path | None = None) -> None:
        self._clocks = clocks
        account = Account.read(settings.service_account_file)
        self._url = f"{settings.url}/v1/projects/{account.project}/messages:send"
        self._client = push_parts.client(ca_file, http2=False)
        self._tokens = AccessTokens(account, self._client, clocks)

    def close(self) -> None:
        """End its connections."""
        self._client.close()

    def send(self, message: Message, address: Address) -> Outcome:
        try:
            token = self._tokens.current()
            headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
            response = self._client.post(
                self._url, headers=headers, content=payload(message, address, at=self._clocks.now())
            )
        except NoAccess as without:
            return without.outcome
        except httpx.HTTPError as error:
            return push_parts.unanswered(error)
        if response.status_code == 200:
            return Outcome(ACCEPTED, provider_id=_name(response))
        return self._refused(response, token)

    def _refused(self, response: httpx.Response, token: str) -> Outcome:
        error = _error(response)
        code = push_parts.word(_code(error), response.status_code)
        if response.status_code == 401 and code != "THIRD_PARTY_AUTH_ERROR":
            return Outcome(RETRY if self._tokens.give_up(token) else MISCONFIGURED, code)
        if code == "INVALID_ARGUMENT" and _is_about_the_token(error):
            return Outcome(DEAD, code)
        at = self._clocks.wall()
        wait = push_parts.retry_after(response.headers, at=at) or (QUOTA_WAIT if code == "QUOTA_EXCEEDED" else None)
        if verdict := VERDICTS.get(code):
            return Outcome(verdict, code, wait)
        return push_parts.by_status(response.status_code, code, response.headers, at=at)


def payload(message: Message, address: Address, *, at: datetime) -> bytes:
    """The message of FCM's v1 API. A phone shows one notification per `tag`, so a later one replaces an earlier."""
    android: dict[str, Any] = {
        "priority": "NORMAL" if message.silent else "HIGH",
        "ttl": f"{push_parts.seconds_left(message, at=at)}s",
    }
    shown: dict[str, Any] = {"channel_id": SILENT_CHANNEL} if message.silent else {}
    if message.collapse_id:
        android["collapse_key"] = shown["tag"] = message.collapse_id
    asked: dict[str, Any] = {"token": address.target, "data": push_parts.ids(message), "android": android}
    if message.text:
        asked["notification"] = {"body": message.text}
        # Whoever picks up a locked phone reads that something is there, and the words after unlocking.
        android["notification"] = shown | {"visibility": "PRIVATE"}
    return orjson.dumps({"message": asked})


def _name(response: httpx.Response) -> str | None:
    """The last part of `projects/…/messages/…`."""
    said = push_parts.parsed(response.content)
    name = said.get("name") if isinstance(said, dict) else None
    return name.rpartition("/")[2][:200] if isinstance(name, str) else None


def _error(response: httpx.Response) -> dict[str, Any]:
    said = push_parts.parsed(response.content)
    error = said.get("error") if isinstance(said, dict) else None
    return error if isinstance(error, dict) else {}


def _details(error: dict[str, Any]) -> list[dict[str, Any]]:
    details = error.get("details")
    return [one for one in details if isinstance(one, dict)] if isinstance(details, list) else []


def _code(error: dict[str, Any]) -> object:
    """FCM's own code where there is one: `status` is Google's general word, NOT_FOUND for an unknown token too."""
    return next((one["errorCode"] for one in _details(error) if "errorCode" in one), error.get("status"))


def _is_about_the_token(error: dict[str, Any]) -> bool:
    violations = [one for detail in _details(error) for one in detail.get("fieldViolations") or ()]
    return any(isinstance(one, dict) and one.get("field") == "message.token" for one in violations)
