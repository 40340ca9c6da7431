"""A gateway for texts that speaks as Twilio does: basic auth, a form, JSON with an id or an error code."""

import base64
import itertools
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

import orjson

from api import carriers
from api.messages import signatures
from tests.messages.fakes.answers import Asked, Script, Scripted

ACCOUNT, TOKEN, SIGNING = "AC0123456789abcdef", "auth-token", "signing-token"
SENDER = "+12125550100"


class SmsFake:
    """Listens until it is stopped; takes every text, unless its script says otherwise."""

    def __init__(self) -> None:
        self.script, self._numbers = Script(), itertools.count(1)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def judged(self, asked: Asked) -> Scripted:
        basic = base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
        if asked.headers.get("authorization") != f"Basic {basic}":
            return Scripted(401, orjson.dumps({"code": 20003, "message": "Authenticate", "status": 401}))
        if asked.path != f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json":
            return Scripted(404, orjson.dumps({"code": 20404, "status": 404}))
        return Scripted(201, orjson.dumps({"sid": f"SM{next(self._numbers):032x}", "status": "queued"}))

    @property
    def form(self) -> dict[str, str]:
        """What the last text came as."""
        return dict(parse_qsl(self.script.last.body.decode(), keep_blank_values=True))


def settings(url: str = "https://sms.example", token: str = TOKEN, sender: str = SENDER) -> carriers.Sms:
    return carriers.Sms(url, ACCOUNT, token, sender, SIGNING)


def signed(path: str, form: dict[str, str], public_url: str = "http://127.0.0.1:8000") -> dict[str, str]:
    """The headers of a callback of this gateway."""
    return {signatures.HEADER: signatures.signature(SIGNING, public_url + path, form.items())}


def _handler(fake: SmsFake) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 10

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked("POST", self.path, headers, body, self.request_version)
            said = fake.script.took(asked) or fake.judged(asked)
            self.send_response(said.status)
            for name, value in {"Content-Length": str(len(said.body)), **said.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(said.body)

        def log_message(self, *_: Any) -> None:
            """What it is asked is in the script."""

    return Handler
