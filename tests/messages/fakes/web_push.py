"""A browser, and the push service of its maker: RFC 8030, 8291 and 8292, checked as strictly as services do."""

import base64
import os
import re
import time

import http_ece
import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.messages.fakes.answers import Asked, Scripted
from tests.messages.fakes.certificates import Certificate
from tests.messages.fakes.http import HttpFake

TOPIC = re.compile(r"[A-Za-z0-9_-]{1,32}")
# RFC 8188 §2.1: salt, record size, length of the key id, and the key itself; RFC 8291 §4 wants 65 bytes of key.
HEADER = 16 + 4 + 1 + 65


class Browser:
    """It alone can read what it is sent."""

    def __init__(self) -> None:
        self._key, self._auth = ec.generate_private_key(ec.SECP256R1()), os.urandom(16)

    def subscription(self, endpoint: str) -> dict[str, str]:
        point = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return {"endpoint": endpoint, "p256dh": text(point), "auth": text(self._auth)}

    def read(self, body: bytes) -> bytes:
        plain: bytes = http_ece.decrypt(body, private_key=self._key, auth_secret=self._auth, version="aes128gcm")
        return plain


class WebPush(HttpFake):
    """`keys` are the application server keys that its subscriptions were made for; none means any."""

    def __init__(self, certificate: Certificate) -> None:
        self.keys = set[str]()
        super().__init__(certificate)

    @property
    def endpoint(self) -> str:
        return f"{self.url}/push/synthetic"

    def judged(self, asked: Asked) -> Scripted:
        headers = asked.headers
        checks = (
            (400, headers.get("ttl", "").isdecimal()),
            (415, headers.get("content-encoding") == "aes128gcm"),
            (400, "topic" not in headers or TOPIC.fullmatch(headers["topic"])),
            (400, headers.get("urgency", "normal") in ("very-low", "low", "normal", "high")),
            (413, len(asked.body) <= 4096),
            (400, len(asked.body) > HEADER and asked.body[20] == 65),
            (403, self._is_signed(headers.get("authorization", ""))),
        )
        refused = next((status for status, fine in checks if not fine), None)
        return Scripted(refused) if refused else Scripted(201, headers={"Location": f"{self.url}/message/1"})

    def _is_signed(self, authorization: str) -> bool:
        if not (parts := re.fullmatch(r"vapid t=([^,]+), k=([A-Za-z0-9_-]{87})", authorization)):
            return False
        point = base64.urlsafe_b64decode(parts[2] + "=")
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
        try:
            claims = jwt.decode(parts[1], key, algorithms=["ES256"], audience=self.url)
        except jwt.PyJWTError:
            return False
        known = not self.keys or parts[2] in self.keys
        return (
            bool(known) and claims["exp"] <= time.time() + 86_400 and claims["sub"].startswith(("mailto:", "https://"))
        )


def text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
