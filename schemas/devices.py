"""Where notifications go: the push addresses of a patient's phones and browsers."""

import re
from collections.abc import Mapping
from typing import Any

import marshmallow as ma
from marshmallow import fields

from api import vocabulary
from schemas.base import Answer, Ask, Flag, Id, Instant, Items, ListAnswer, Text, Word

DEVICE = "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e71"
LONGEST_TOKEN, LONGEST_ENDPOINT, LONGEST_KEY = 4096, 2048, 128
# APNs gives the app bytes of no fixed length, sent as hexadecimal; FCM's tokens are text of no fixed form.
TOKENS = {"apns": r"(?:[0-9a-fA-F]{2}){32,128}", "fcm": r"[0-9A-Za-z_:.\-]{20,4096}"}


class PushSubscriptionAsk(Ask):
    """What a browser's `PushManager.subscribe` gives: `endpoint`, and its two `keys` in base64url."""

    endpoint = Text(max=LONGEST_ENDPOINT, required=True)
    p256dh = Text(max=LONGEST_KEY, required=True)
    auth = Text(max=LONGEST_KEY, required=True)

    example = {
        "endpoint": "https://updates.push.services.mozilla.com/wpush/v2/synthetic",
        "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        "auth": "BTBZMqHH6r4Tts7J_aSIgg",
    }


class DeviceAsk(Ask):
    """A phone by the `token` that its provider gave the app (of `apns` in hexadecimal), a browser (`web_push`) by its
    `subscription`. `environment` is `sandbox` for development builds of an iPhone app. `language` is what
    notifications are written in there; without it, the patient's."""

    provider = Word(vocabulary.PUSH_PROVIDERS, required=True)
    token = Text(max=LONGEST_TOKEN)
    subscription = fields.Nested(PushSubscriptionAsk)
    environment = Word(vocabulary.PUSH_ENVIRONMENTS, load_default="production")
    language = Word(vocabulary.LANGUAGES)

    example = {"provider": "apns", "token": "0a1b2c3d4e5f6071" * 4, "environment": "production", "language": "en"}

    @ma.validates_schema
    def check_the_address(self, data: Mapping[str, Any], **_: Any) -> None:
        needed, other = ("subscription", "token") if data["provider"] == "web_push" else ("token", "subscription")
        if needed not in data:
            raise ma.ValidationError("Needed for this provider.", needed)
        if other in data:
            raise ma.ValidationError("Not for this provider.", other)
        if needed == "token" and not re.fullmatch(TOKENS[data["provider"]], data["token"]):
            raise ma.ValidationError("Must be a token of this provider.", "token")

    @ma.post_load
    def of_one_spelling(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return data | ({"token": data["token"].lower()} if data["provider"] == "apns" else {})


class DeviceAnswer(Answer):
    """A phone or browser that notifications go to. `current` is the one that asks; `last_seen_at` is when its app last
    registered. Its token is not shown."""

    id = Id(required=True)
    provider = Word(vocabulary.PUSH_PROVIDERS, required=True)
    environment = Word(vocabulary.PUSH_ENVIRONMENTS, required=True)
    language = Word(vocabulary.LANGUAGES)
    registered_at = Instant(required=True)
    last_seen_at = Instant(required=True)
    current = Flag(required=True)

    example = {
        "id": DEVICE,
        "provider": "apns",
        "environment": "production",
        "language": "en",
        "registered_at": "2026-11-23T15:00:00Z",
        "last_seen_at": "2026-11-24T12:00:00Z",
        "current": True,
    }


class DevicesAnswer(ListAnswer):
    """Devices, the one seen last first."""

    items = Items(DeviceAnswer, max=100, required=True)

    example = {"items": [DeviceAnswer.example]}
