"""A mail server that keeps what it took, and refuses as it is told."""

import socket
import ssl
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope

from api import carriers

USER, PASSWORD = "user", "password"
SENDER = "appointments@mail.example"


class SmtpFake:
    """Listens until it is stopped. `refuses` maps a step (`AUTH`, `MAIL`, `RCPT`, `DATA`, `QUIT`) to its answer."""

    def __init__(self, *, certificate: ssl.SSLContext | None = None, tls_first: bool = False) -> None:
        self.taken: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.refuses: dict[str, str] = {}
        starttls = certificate if certificate and not tls_first else None
        self.port = _free_port()
        self._controller = Controller(
            _Handler(self),
            hostname="127.0.0.1",
            port=self.port,
            ssl_context=certificate if tls_first else None,
            tls_context=starttls,
            authenticator=self._authenticate,
            auth_require_tls=starttls is not None,
        )
        self._controller.start()

    def stop(self) -> None:
        self._controller.stop()

    def settings(self, *, tls_first: bool = False, user: str | None = None, password: str = PASSWORD) -> carriers.Smtp:
        return carriers.Smtp("localhost", self.port, tls_first, user, password if user else None, SENDER)

    def _authenticate(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, given: Any) -> AuthResult:
        if answer := self.refuses.get("AUTH"):
            return AuthResult(success=False, handled=False, message=answer)
        return AuthResult(success=(given.login, given.password) == (USER.encode(), PASSWORD.encode()), handled=False)


def _free_port() -> int:
    """The controller connects to its port to see that it listens, so it must be named before."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class _Handler:
    def __init__(self, fake: SmtpFake) -> None:
        self._fake = fake

    async def handle_MAIL(self, _server: Any, _session: Any, envelope: Envelope, address: str, _options: Any) -> str:
        envelope.mail_from = address
        return self._fake.refuses.get("MAIL", "250 OK")

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Envelope, address: str, _options: Any) -> str:
        if answer := self._fake.refuses.get("RCPT"):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:
        if answer := self._fake.refuses.get("DATA"):
            return answer
        assert isinstance(envelope.content, bytes)
        self._fake.taken.append(message_from_bytes(envelope.content.replace(b"\r\n", b"\n"), policy=policy.default))
        self._fake.recipients.append(envelope.rcpt_tos)
        return "250 OK"

    async def handle_QUIT(self, _server: Any, _session: Any, _envelope: Envelope) -> str:
        return self._fake.refuses.get("QUIT", "221 Bye")
