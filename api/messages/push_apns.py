"""Apple's push service: its HTTP/2 provider API, with a provider token signed by the team's key.

https://developer.apple.com/documentation/usernotifications/sending-notification-requests-to-apns. Apple refuses tokens
older than an hour, and senders who make a new one more often than every 20 minutes; one lives 40 here.
"""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import jwt
import orjson

from api import carriers
from api.messages import push_keys, push_parts
from api.messages.gateway import ACCEPTED, DEAD, MISCONFIGURED, REFUSED, RETRY, Address, Message, Outcome
from api.messages.push_parts import Clocks

KEPT, SOONEST = timedelta(minutes=40), timedelta(minutes=20)

# A token that is of another app, or of a topic that we got wrong, is not forgotten: a mistake in the settings would
# cost every patient's phone.
VERDICTS = {
    **dict.fromkeys(("BadDeviceToken",), DEAD),
    **dict.fromkeys(("DeviceTokenNotForTopic", "BadCollapseId", "BadExpirationDate", "BadMessageId"), REFUSED),
    **dict.fromkeys(("BadPriority", "DuplicateHeaders", "InvalidPushType", "PayloadEmpty", "BadPath"), REFUSED),
    **dict.fromkeys(("PayloadTooLarge", "MethodNotAllowed", "MissingDeviceToken"), REFUSED),
    **dict.fromkeys(("BadTopic", "MissingTopic", "TopicDisallowed", "BadCertificate"), MISCONFIGURED),
    **dict.fromkeys(("BadCertificateEnvironment", "BadEnvironmentKeyInToken", "Forbidden"), MISCONFIGURED),
    **dict.fromkeys(("InvalidProviderToken", "MissingProviderToken", "UnrelatedKeyIdInToken"), MISCONFIGURED),
    **dict.fromkeys(("IdleTimeout", "TooManyRequests", "TooManyProviderTokenUpdates"), RETRY),
    **dict.fromkeys(("InternalServerError", "ServiceUnavailable", "Shutdown"), RETRY),
}


class ProviderTokens:
    """One token for all threads, made anew when it has grown old."""

    def __init__(self, settings: carriers.Apns, clocks: Clocks) -> None:
        self._clocks = clocks
        self._settings, self._key = settings, push_keys.p256(settings.key_file, "APNS_KEY_FILE")
        self._lock, self._token, self._made_at = threading.Lock(), "", datetime.min.replace(tzinfo=UTC)

    def current(self) -> str:
        with self._lock:
            now = self._clocks.wall()
            if not self._made_at <= now < self._made_at + KEPT:
                self._token, self._made_at = self._made(now), now
            return self._token

    def give_up(self, token: str) -> bool:
        """Apple says that `token` has expired: use another one from now on. False where it is too new for that, and our
        clock or theirs is wrong; another would only be refused as one too many."""
        with self._lock:
            if token == self._token:
                if self._clocks.wall() < self._made_at + SOONEST:
                    return False
                self._made_at = datetime.min.replace(tzinfo=UTC)
            return True

    def _made(self, now: datetime) -> str:
        claims = {"iss": self._settings.team_id, "iat": push_parts.unix(now)}
        return jwt.encode(claims, self._key, algorithm="ES256", headers={"kid": self._settings.key_id})


class Apns:
    """Pushes to iPhones."""

    name = "apns"

    def __init__(self, settings: carriers.Apns, *, clocks: Clocks, ca_file: Path | None = None) -> None:
        self._settings, self._clocks, self._tokens = settings, clocks, ProviderTokens(settings, clocks)
        self._clients = push_parts.PerThread(lambda: push_parts.client(ca_file, http2=True))

    @property
    def _client(self) -> httpx.Client:
        return self._clients.current()

    def close(self) -> None:
        """End its connections."""
        self._clients.close()

    def send(self, message: Message, address: Address) -> Outcome:
        token = self._tokens.current()
        base = self._settings.urls[address.details.get("environment", "production")]
        headers = self._headers(message, token)
        try:
            url = f"{base}/3/device/{address.target}"
            response = self._client.post(url, headers=headers, content=payload(message))
        except httpx.HTTPError as error:
            return push_parts.unanswered(error)
        if response.status_code == 200:
            return Outcome(ACCEPTED, provider_id=response.headers.get("apns-id", headers["apns-id"]))
        return self._refused(response, address, token)

    def _headers(self, message: Message, token: str) -> dict[str, str]:
        left = push_parts.seconds_left(message, at=self._clocks.now())
        headers = {
            "authorization": f"bearer {token}",
            "content-type": "application/json",
            "apns-topic": self._settings.topic,
            "apns-push-type": "alert" if message.text else "background",
            # A background push may have no other than 5; what rings nowhere need not wake a phone at night.
            "apns-priority": "10" if message.text and not message.silent else "5",
            "apns-expiration": str(push_parts.unix(self._clocks.wall()) + left),
            "apns-id": str(push_parts.notification_id(message)),
        }
        return headers | ({"apns-collapse-id": message.collapse_id} if message.collapse_id else {})

    def _refused(self, response: httpx.Response, address: Address, token: str) -> Outcome:
        said = push_parts.parsed(response.content)
        said = said if isinstance(said, dict) else {}
        reason = push_parts.word(said.get("reason"), response.status_code)
        if response.status_code == 410:
            return Outcome(DEAD if _gone(said, address) else REFUSED, reason)
        if reason == "ExpiredProviderToken":
            return Outcome(RETRY if self._tokens.give_up(token) else MISCONFIGURED, reason)
        at = self._clocks.wall()
        if verdict := VERDICTS.get(reason):
            return Outcome(verdict, reason, push_parts.retry_after(response.headers, at=at) or _usual_wait(reason))
        return push_parts.by_status(response.status_code, reason, response.headers, at=at)


def payload(message: Message) -> bytes:
    """A silent one lies on the lock screen without sound or light. It is no background push, which iOS delivers at its
    own discretion, and not at all to an app that was swiped away; what has no text is one."""
    if not message.text:
        return orjson.dumps({"aps": {"content-available": 1}, **push_parts.ids(message)})
    aps: dict[str, Any] = {
        "alert": {"body": message.text},
        "thread-id": push_parts.THREAD,
        # The app's extension may tell that it was delivered, and put its own words in place of these.
        "mutable-content": 1,
    }
    ringing = {"interruption-level": "passive"} if message.silent else {"sound": "default"}
    return orjson.dumps({"aps": aps | ringing, **push_parts.ids(message)})


def _gone(said: dict[str, Any], address: Address) -> bool:
    """Whether the token stood for nothing after the app last registered it; without a time, it does now."""
    since = said.get("timestamp")
    if not isinstance(since, int | float):
        return True
    return address.registered_at.timestamp() <= since / 1000


def _usual_wait(reason: str) -> float | None:
    return SOONEST.total_seconds() if reason == "TooManyProviderTokenUpdates" else None
