"""Apple's push service: HTTP/2 only, with the checks that it makes of headers, token and payload."""

import asyncio
import json
import re
import socket
import threading
import uuid
from collections.abc import Callable
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from hypercorn.asyncio import serve
from hypercorn.config import Config

from tests.messages.fakes.answers import Asked, Script, Scripted
from tests.messages.fakes.certificates import Certificate

TOPIC, TEAM, KEY_ID = "org.example.app", "TEAM123456", "ABCDE12345"
PATH = re.compile(r"/3/device/[0-9a-f]{64,200}")


class Apns:
    """Listens until it is stopped. `taken` are the notifications by id; the same id again is the same notification."""

    def __init__(self, certificate: Certificate, public_key: ec.EllipticCurvePublicKey) -> None:
        self.script, self.taken = Script(), dict[str, Any]()
        self._public_key = public_key
        listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://localhost:{listening.getsockname()[1]}"
        self._config = Config()
        self._config.bind = [f"fd://{listening.detach()}"]  # hypercorn closes it
        self._config.certfile, self._config.keyfile = str(certificate.chain_file), str(certificate.key_file)
        self._config.alpn_protocols = ["h2"]
        self._config.graceful_timeout = 0.1
        self._config.loglevel = "CRITICAL"
        self._runner, self._over = asyncio.Runner(), asyncio.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._loop = self._runner.get_loop()
        self._thread.start()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(5)

    def _run(self) -> None:
        with self._runner:
            self._runner.run(self._serve())

    async def _serve(self) -> None:
        await serve(self._app, self._config, shutdown_trigger=self._over.wait)

    async def _app(self, scope: Any, receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            part = await receive()
            body, more = body + part.get("body", b""), part.get("more_body", False)
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        asked = Asked(scope["method"], scope["path"], headers, body, scope["http_version"])
        scripted = await asyncio.to_thread(self.script.took, asked)
        said = scripted or self._judged(asked)
        own = {"apns-id": headers.get("apns-id", str(uuid.uuid4()).upper())} | dict(said.headers)
        raw = [(name.encode(), value.encode()) for name, value in own.items()]
        await send({"type": "http.response.start", "status": said.status, "headers": raw})
        await send({"type": "http.response.body", "body": said.body})

    def _judged(self, asked: Asked) -> Scripted:
        if fault := self._fault(asked):
            return Scripted(fault[0], json.dumps({"reason": fault[1]}).encode())
        self.taken.setdefault(asked.headers["apns-id"], asked.json)
        return Scripted(200)

    def _fault(self, asked: Asked) -> tuple[int, str] | None:
        headers = asked.headers
        checks = (
            (405, "MethodNotAllowed", asked.method == "POST"),
            (404, "BadPath", PATH.fullmatch(asked.path)),
            (403, "InvalidProviderToken", self._is_signed(headers.get("authorization", ""))),
            (400, "BadTopic", headers.get("apns-topic") == TOPIC),
            (400, "InvalidPushType", headers.get("apns-push-type") in ("alert", "background")),
            (400, "BadPriority", headers.get("apns-priority") in _priorities(headers)),
            (400, "BadExpirationDate", headers.get("apns-expiration", "").isdecimal()),
            (400, "BadCollapseId", len(headers.get("apns-collapse-id", "").encode()) <= 64),
            (400, "BadMessageId", _is_uuid(headers.get("apns-id", ""))),
            (400, "PayloadEmpty", asked.body),
            (413, "PayloadTooLarge", len(asked.body) <= 4096),
        )
        return next(((status, reason) for status, reason, fine in checks if not fine), None)

    def _is_signed(self, authorization: str) -> bool:
        scheme, _, token = authorization.partition(" ")
        try:
            claims = jwt.decode(token, self._public_key, algorithms=["ES256"], options={"require": ["iss", "iat"]})
        except jwt.PyJWTError:
            return False
        return scheme == "bearer" and claims["iss"] == TEAM and jwt.get_unverified_header(token)["kid"] == KEY_ID


def _priorities(headers: Any) -> tuple[str, ...]:
    return ("5",) if headers.get("apns-push-type") == "background" else ("10", "5", "1")


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False
