"""A server in threads, for the fakes whose providers speak HTTP/1.1; over TLS with a certificate."""

import threading
from abc import ABC, abstractmethod
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.messages.fakes.answers import Asked, Script, Scripted
from tests.messages.fakes.certificates import Certificate


class HttpFake(ABC):
    """Listens until it is stopped. A subclass says what it answers by itself."""

    def __init__(self, certificate: Certificate | None = None) -> None:
        self.script = Script()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self.url = f"https://localhost:{self.port}" if certificate else f"http://127.0.0.1:{self.port}"
        if certificate:
            context, plain = certificate.server_context(), self._server.socket
            self._server.socket = context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    @abstractmethod
    def judged(self, asked: Asked) -> Scripted: ...


def _handler(fake: HttpFake) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 10

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.command, self.path, headers, body, self.request_version)
            said = fake.script.took(asked) or fake.judged(asked)
            self.send_response(said.status)
            for name, value in {"Content-Length": str(len(said.body)), **said.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(said.body)

        do_GET = do_POST

        def log_message(self, *_: Any) -> None:
            """What it is asked is in the script."""

    return Handler
