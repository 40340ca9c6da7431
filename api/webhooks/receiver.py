"""A receiver to try webhooks with: what a partner's system has to do, in development and on loopback only.

It verifies the signature over the bytes as they came, refuses what is five minutes off, echoes challenges, and says
what arrived. A real one would also leave aside a `webhook-id` that it has had, and read what changed by its own token.
"""

import base64
import binascii
import hmac
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import orjson

from api.webhooks import signing

TOLERANCE_SECONDS = 300
MOST_BYTES = 65_536
HOST, PORT, PATH = "127.0.0.1", 8099, "/webhooks"
URL = f"http://{HOST}:{PORT}{PATH}"


class NotVerified(Exception):
    """The message is a sentence about what is wrong."""


def verified(secret: str, headers: Mapping[str, str], body: bytes, *, now: float) -> None:
    """Raises `NotVerified` unless the webhook was signed with `secret` a moment ago."""
    told_at, id = headers.get("webhook-timestamp", ""), headers.get("webhook-id", "")
    if not told_at.isdecimal() or abs(now - int(told_at)) > TOLERANCE_SECONDS:
        raise NotVerified("It was not sent just now.")
    expected = signing.headers([_key(secret)], id=id, timestamp=int(told_at), body=body)["webhook-signature"]
    given = headers.get("webhook-signature", "").split()
    if not any(hmac.compare_digest(one.encode(), expected.encode()) for one in given):
        raise NotVerified("No signature fits.")


def answer(
    secret: str | None, headers: Mapping[str, str], body: bytes, *, now: float, say: Callable[[str], None]
) -> tuple[int, bytes]:
    """The status and body that the webhook is answered with. Without a secret, challenges are echoed on trust."""
    try:
        if secret:
            verified(secret, headers, body, now=now)
        told = orjson.loads(body)
    except (NotVerified, ValueError) as error:
        say(f"Refused: {error}")
        return 400, b""
    say(f"{'Verified' if secret else 'Not verified'}: {orjson.dumps(told).decode()} ({headers.get('webhook-id')})")
    if told.get("type") == "endpoint.verification":
        return 200, orjson.dumps({"challenge": told["data"]["challenge"]})
    return 204, b""


def server(secret: str | None, *, port: int, say: Callable[[str], None]) -> ThreadingHTTPServer:
    """Listens on loopback; to be told to `serve_forever`. Raises OSError where the port is taken."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if not length.isdecimal() or int(length) > MOST_BYTES:
                self.send_error(413)
                return
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.say(*answer(secret, headers, self.rfile.read(int(length)), now=time.time(), say=say))

        def say(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """What arrives is said by `answer`."""

    return ThreadingHTTPServer((HOST, port), Handler)


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix(signing.PREFIX), validate=True)
    except binascii.Error as error:
        raise NotVerified("The secret is none: it begins with whsec_.") from error
