"""Browsers' push services: RFC 8030, encrypted for the browser alone (RFC 8291), signed by our key (RFC 8292).

The endpoint is the browser's word, so it is asked by `outward` and only at hosts of the list.
"""

import base64
import hashlib
import threading
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import jwt
import orjson
from pywebpush import WebPusher, WebPushException

from api import carriers, outward
from api.messages import push_keys, push_parts
from api.messages.gateway import ACCEPTED, DEAD, MISCONFIGURED, REFUSED, RETRY, Address, Message, Outcome
from api.messages.push_parts import Clocks
from api.outward import NotReached

# RFC 8292 §2 allows a day; services refuse what is close to it when clocks differ.
SIGNED_FOR, RENEWED = timedelta(hours=12), timedelta(hours=6)
TOPIC_CHARACTERS = 32
NOT_NOW = ("unresolved", "connect", "tls", "timeout", "protocol")


class Signer:
    """Signs for an origin (RFC 8292 §2), a few hours at a time: one signature serves every browser there."""

    def __init__(self, settings: carriers.WebPush, clocks: Clocks) -> None:
        self._clocks = clocks
        self._subject, self._key = settings.subject, push_keys.p256(settings.key_file, "VAPID_KEY_FILE")
        self.public_key = push_keys.web_push(settings)
        self._lock, self._made = threading.Lock(), dict[str, tuple[str, datetime]]()

    def authorization(self, origin: str) -> str:
        with self._lock:
            token, made_at = self._made.get(origin, ("", None))
            now = self._clocks.wall()
            if made_at is None or not made_at <= now < made_at + RENEWED:
                claims = {"aud": origin, "exp": push_parts.unix(now + SIGNED_FOR), "sub": self._subject}
                token = jwt.encode(claims, self._key, algorithm="ES256")
                self._made[origin] = token, now
        return f"vapid t={token}, k={self.public_key}"


class WebPush:
    """Pushes to browsers."""

    name = "web_push"

    def __init__(self, settings: carriers.WebPush, *, clocks: Clocks) -> None:
        self._settings, self._clocks, self._signer = settings, clocks, Signer(settings, clocks)
        self._believed = set[str]()

    def send(self, message: Message, address: Address) -> Outcome:
        subscription = orjson.loads(address.target)
        parts = urlsplit(subscription["endpoint"])
        if not self._settings.serves(parts.hostname or ""):
            return Outcome(REFUSED, "host_not_listed")
        try:
            content = WebPusher(subscription).encode(payload(message))["body"]
        except (WebPushException, ValueError):
            return Outcome(DEAD, "keys")
        return self._pushed(subscription["endpoint"], f"https://{parts.netloc}", content, message)

    def _pushed(self, endpoint: str, origin: str, content: bytes, message: Message) -> Outcome:
        headers = self._headers(origin, message)
        try:
            answer = outward.current().post(endpoint, headers=headers, content=content)
        except NotReached as refused:
            return Outcome(RETRY if refused.reason in NOT_NOW else REFUSED, refused.reason)
        return self._outcome(answer, origin)

    def _headers(self, origin: str, message: Message) -> dict[str, str]:
        headers = {
            "Authorization": self._signer.authorization(origin),
            "Content-Type": "application/octet-stream",
            "Content-Encoding": "aes128gcm",
            "TTL": str(push_parts.seconds_left(message, at=self._clocks.now())),
            "Urgency": "low" if message.silent else "high",
        }
        return headers | ({"Topic": topic(message.collapse_id)} if message.collapse_id else {})

    def _outcome(self, answer: outward.Answer, origin: str) -> Outcome:
        reason = f"status_{answer.status}"
        if answer.status in (200, 201, 202):
            self._believed.add(origin)
            return Outcome(ACCEPTED)
        if answer.status in (404, 410):
            return Outcome(DEAD, reason)
        if answer.status in (401, 403):
            # Where our key is believed, this subscription was made for another one; only one browser is lost.
            return Outcome(REFUSED if origin in self._believed else MISCONFIGURED, reason)
        return push_parts.by_status(answer.status, reason, answer.headers, at=self._clocks.wall())


def payload(message: Message) -> bytes:
    """What the page's service worker is given: it shows `text` under the tag `collapse_id`."""
    body: dict[str, Any] = {"text": message.text, "language": message.language, "silent": message.silent}
    return orjson.dumps(body | push_parts.ids(message))


def topic(collapse_id: str) -> str:
    """At most 32 characters of base64url (RFC 8030 §5.4), the same for the same id."""
    digest = hashlib.sha256(collapse_id.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode()[:TOPIC_CHARACTERS]
