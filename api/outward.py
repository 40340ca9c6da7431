"""The only way this house asks hosts that other people named: a partner for its keys, a browser's push service.

The name is resolved once, every answer is judged (`destinations`), and the connection goes to a judged address while
SNI, certificate and `Host` stay the name's: a name that resolves differently a moment later gains nothing. No redirect
is followed, no proxy of the environment is used, nothing is unpacked, and one deadline covers all of it, however
slowly the other side drips. An egress policy of the network is the second layer.
"""

import functools
import socket
import ssl
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING

import certifi

from api import destinations
from api.destinations import MOST_BYTES, STEP_SECONDS, Answer, Destination, NotReached, Question, Reason
from api.observe import log

if TYPE_CHECKING:
    import httpcore

__all__ = ["Answer", "NotReached", "Outward", "Reason", "Trust", "current", "use"]

Resolve = Callable[[str], list[str]]

# A lookup cannot be called off; this many may hang before further ones are refused.
_lookups = threading.BoundedSemaphore(8)


def resolve(host: str) -> list[str]:
    """All addresses of `host`, as the system knows them. Raises `OSError`."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


class Outward:
    """Asks other hosts. `loopback` lets this machine be asked, and `allowed_ports` (None: any) others than 443: for
    development and tests; so are `listed`, exact addresses of this machine that are asked without TLS. With `ca_file`,
    only its authorities are believed. Safe to share between threads."""

    def __init__(
        self,
        *,
        loopback: bool = False,
        ca_file: Path | None = None,
        allowed_ports: Collection[int] | None = (destinations.HTTPS_PORT,),
        resolve: Resolve = resolve,
        network: "httpcore.NetworkBackend | None" = None,
        listed: Collection[str] = (),
    ) -> None:
        self._loopback, self._ports, self._resolve = loopback, allowed_ports, resolve
        self._listed = {url: destinations.read_listed(url) for url in listed}
        self._network, self._ca_file = network, ca_file

    @functools.cached_property
    def _trust(self) -> "Trust":
        """Read at the first use, as it takes a tenth of a second."""
        return Trust.of(self._ca_file)

    def problem(self, url: str) -> Reason | None:
        """What keeps `url` from ever being asked, as far as reading it tells; None for nothing."""
        try:
            self._read(url)
        except NotReached as refused:
            return refused.reason
        return None

    def get(self, url: str, *, most_bytes: int = MOST_BYTES, seconds: float = 5.0) -> Answer:
        """The answer, whatever its status, a redirect's too. Raises `NotReached`."""
        return self._said(Question("GET", url, most_bytes=most_bytes), seconds)

    def post(
        self,
        url: str,
        *,
        headers: Mapping[str, str],
        content: bytes,
        most_bytes: int = MOST_BYTES,
        seconds: float = 10.0,
        step_seconds: float = STEP_SECONDS,
    ) -> Answer:
        """The answer to `content`, whatever its status, a redirect's too; each step of it may take `step_seconds`.
        Raises `NotReached`."""
        return self._said(Question("POST", url, tuple(headers.items()), content, step_seconds, most_bytes), seconds)

    def _said(self, asked: Question, seconds: float) -> Answer:
        try:
            return self._answer(asked, time.monotonic() + seconds)
        except NotReached as refused:
            log.warning("another host was not reached", problem=refused.reason)
            raise

    def _read(self, url: str) -> Destination:
        if (listed := self._listed.get(url)) is not None:
            return listed
        return destinations.read(url, ports=self._ports, loopback=self._loopback)

    def _answer(self, asked: Question, deadline: float) -> Answer:
        to = self._read(asked.url)
        addresses = self._judged(to, deadline)
        try:
            trust = self._trust
        except (OSError, ValueError):  # its file cannot be read, or holds no certificates
            raise NotReached("protocol") from None
        # Only who asks somebody needs what it takes: it would be a twentieth of the API's start.
        from api import exchanges

        return exchanges.exchanged(
            asked, to, addresses=addresses, trust=trust, network=self._network, deadline=deadline
        )

    def _judged(self, to: Destination, deadline: float) -> list[str]:
        """The addresses of the host; one bad one spoils them all, since which is taken would be the other side's luck.
        A listed address is of this machine, and is not looked up."""
        if not to.secure:
            return [destinations.LOOPBACK]
        found = self._looked_up(to.host, deadline)
        if not found:
            raise NotReached("unresolved")
        if not all(self._may_be_asked(one) for one in found):
            raise NotReached("address")
        return found

    def _may_be_asked(self, address: str) -> bool:
        return destinations.is_outside(address) or (self._loopback and destinations.is_loopback(address))

    def _looked_up(self, host: str, deadline: float) -> list[str]:
        """By a thread of its own, as the system's resolver knows no deadline."""
        if not _lookups.acquire(blocking=False):
            raise NotReached("timeout")
        answer: Future[list[str]] = Future()
        threading.Thread(target=self._look_up, args=(host, answer), daemon=True).start()
        try:
            return answer.result(timeout=max(deadline - time.monotonic(), 0))
        except TimeoutError:
            raise NotReached("timeout") from None
        except (OSError, ValueError):
            raise NotReached("unresolved") from None

    def _look_up(self, host: str, answer: "Future[list[str]]") -> None:
        try:
            answer.set_result(self._resolve(host))
        except Exception as error:
            answer.set_exception(error)
        finally:
            _lookups.release()


class Trust(ssl.SSLContext):
    """Whom we believe. Shared by threads, so it is complete before its first use: httpcore would set the protocols
    again at each connection, while OpenSSL may be copying them for another."""

    @classmethod
    def of(cls, ca_file: Path | None, *, protocol: str = "http/1.1") -> "Trust":
        trust = cls(ssl.PROTOCOL_TLS_CLIENT)  # certificates required, names checked
        trust.minimum_version = ssl.TLSVersion.TLSv1_2
        if ca_file is None:
            trust.load_default_certs()
        trust.load_verify_locations(ca_file or certifi.where())
        ssl.SSLContext.set_alpn_protocols(trust, [protocol])
        return trust

    def set_alpn_protocols(self, alpn_protocols: Iterable[str]) -> None:
        """They are set."""


_in_use: Outward | None = None
_first_use = threading.Lock()


def use(outward: Outward | None) -> None:
    """Ask by `outward` from now on in this process; None for one that only asks the public internet."""
    global _in_use
    _in_use = outward


def current() -> Outward:
    """The one in use."""
    global _in_use
    with _first_use:
        if _in_use is None:
            _in_use = Outward()
        return _in_use
