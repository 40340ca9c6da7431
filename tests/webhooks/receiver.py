"""A partner's receiver on this machine: it echoes challenges, keeps what it was sent, and answers as it is told to."""

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PATH = "/hooks"


@dataclass(frozen=True)
class Sent:
    """One request as it came."""

    headers: dict[str, str]
    body: bytes

    @property
    def said(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


class Quiet(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """Senders that are killed, or give up, hang up."""


@dataclass
class Receiver:
    """Answers challenges with their echo while `echoes`, and all else with the next of `answers`, or else 204. While
    `hangs` is set it answers nothing."""

    echoes: bool = True
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    hangs: threading.Event = field(default_factory=threading.Event)
    sent: list[Sent] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0

    def __post_init__(self) -> None:
        self._let_go, self._lock = threading.Event(), threading.Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.take(Sent({key.lower(): value for key, value in self.headers.items()}, body))
                self.answer(*receiver.answer(body))

            def answer(self, status: int, headers: dict[str, str], said: bytes) -> None:
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(said))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, *_: object) -> None:
                """Nothing: tests look at what was sent."""

        self._server = Quiet(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}{PATH}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def take(self, sent: Sent) -> None:
        with self._lock:
            self.sent.append(sent)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        if self.hangs.is_set():
            self._let_go.wait(60)
        with self._lock:
            self.at_once -= 1

    def answer(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        said = json.loads(body)
        if said["type"] == "endpoint.verification":
            challenge = said["data"]["challenge"] if self.echoes else "another"
            return 200, {"Content-Type": "application/json"}, json.dumps({"challenge": challenge}).encode()
        status, headers = self.answers.pop(0) if self.answers else (204, {})
        return status, headers, b""

    def of(self, type: str) -> list[Sent]:
        return [one for one in self.sent if one.said["type"] == type]

    def close(self) -> None:
        self._let_go.set()
        self._server.shutdown()
        self._server.server_close()
