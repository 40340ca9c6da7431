"""Addresses that other people registered lead to the public internet, or nowhere."""

import datetime as dt
import ipaddress
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpcore
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from api import destinations, outward
from api.outward import NotReached, Outward

NAME = "keys.partner.example"
PUBLIC = "93.184.215.14"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-One: a\r\nX-One: b\r\n\r\n{}"

HOSTILE_URLS = [
    ("http://keys.partner.example/jwks", "url"),
    ("HTTPS://keys.partner.example/jwks", "url"),
    ("ftp://keys.partner.example/jwks", "url"),
    ("file:///etc/passwd", "url"),
    ("gopher://keys.partner.example:443/_x", "url"),
    ("//keys.partner.example/jwks", "url"),
    ("https:keys.partner.example", "url"),
    ("https:///keys.partner.example", "url"),
    ("https://user@keys.partner.example/", "url"),
    ("https://user:secret@keys.partner.example/", "url"),
    ("https://keys.partner.example@127.0.0.1/", "url"),
    ("https://127.0.0.1\\@keys.partner.example/", "url"),
    ("https://keys.partner.example/#fragment", "url"),
    ("https://keys.partner.example#@127.0.0.1/", "url"),
    ("https://keys.partner.example/a b", "url"),
    ("https://keys.partner.example/\r\nHost: metadata", "url"),
    ("https://keys.partner.example/\x00", "url"),
    ("https://keys.partner.example\n", "url"),
    (" https://keys.partner.example/", "url"),
    ("https://keys.partner.example/jwks\u200b", "url"),
    ("https://[::1]/", "url"),
    ("https://[::ffff:127.0.0.1]/", "url"),
    ("https://[fd00:ec2::254]/", "url"),
    ("https://127。0。0。1/", "url"),
    ("https://１２７.0.0.1/", "url"),
    ("https://ⓛocalhost/", "url"),
    ("https://keys.partner.example%2f@127.0.0.1/", "url"),
    ("https://keys.partner.example:/", "url"),
    ("https://keys.partner.example:0443/", "url"),
    ("https://keys.partner.example:123456/", "url"),
    ("https://keys.partner.example/" + "a" * 2048, "url"),
    ("https://127.0.0.1/", "host"),
    ("https://127.1/", "host"),
    ("https://2130706433/", "host"),
    ("https://0x7f000001/", "host"),
    ("https://0x7f.0.0.1/", "host"),
    ("https://0177.0.0.1/", "host"),
    ("https://017700000001/", "host"),
    ("https://keys.partner.0x7f/", "host"),
    ("https://169.254.169.254/latest/meta-data/", "host"),
    ("https://127.0.0.1./", "host"),
    ("https://keys.partner.example./", "host"),
    ("https://keys..example/", "host"),
    ("https://.keys.example/", "host"),
    ("https://-keys.partner.example/", "host"),
    ("https://localhost/", "host"),
    ("https://a.localhost/", "host"),
    ("https://database/", "host"),
    ("https://printer.local/", "host"),
    ("https://metadata.google.internal/", "host"),
    ("https://1.0.0.127.in-addr.arpa/", "host"),
    ("https://" + "a" * 64 + ".example/", "host"),
    ("https://keys.partner.example:80/", "port"),
    ("https://keys.partner.example:5432/", "port"),
    ("https://keys.partner.example:65979/", "port"),
]  # fmt: skip

HOSTILE_ADDRESSES = [
    "0.0.0.0", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254", "168.63.129.16",
    "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.0.192", "192.0.2.1", "192.88.99.1",
    "192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1",
    "255.255.255.255", "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:93.184.215.14", "64:ff9b::7f00:1",
    "64:ff9b:1::a00:1", "100::1", "2001::1", "2001:0:7f00:1::", "2001:20::1", "2001:db8::1", "2002:7f00:1::",
    "2002:a9fe:a9fe::1", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1",
    "ff02::1", "2a00:1450:4001::5efe:7f00:1", "2a00:1450:4001:0:200:5efe:a00:1", "", "keys.partner.example", "0x7f.1",
    "2130706433", "127.1",
]  # fmt: skip


class Recorded(httpcore.MockBackend):
    """A network that answers with given bytes and keeps where it was led, and what it was told to expect there."""

    def __init__(self, answer: bytes = OK) -> None:
        super().__init__([])
        self.answer, self.led_to = answer, list[str]()

    def connect_tcp(self, host: str, port: int, *_: Any, **__: Any) -> httpcore.NetworkStream:
        self.led_to.append(host)
        return httpcore.MockStream([self.answer])


def asking(*found: str, network: httpcore.NetworkBackend | None = None, **options: Any) -> Outward:
    return Outward(resolve=lambda host: list(found), network=network or Recorded(), **options)


def reason(ask: Outward, url: str = f"https://{NAME}/jwks", **options: Any) -> str:
    with pytest.raises(NotReached) as refused:
        ask.get(url, **options)
    assert str(refused.value) == refused.value.reason
    return refused.value.reason


@pytest.mark.parametrize(("url", "why"), HOSTILE_URLS)
def test_a_hostile_address_is_not_even_resolved(url: str, why: str) -> None:
    def resolved(host: str) -> list[str]:
        raise AssertionError(host)

    ask = Outward(resolve=resolved, network=Recorded())
    assert reason(ask, url) == why == ask.problem(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://keys.partner.example", "https://keys.partner.example/", "https://Keys.Partner.example:443/a/b.json",
        "https://xn--bcher-kva.example/jwks?v=1&w=%20", "https://keys.xn--p1ai?x", "https://a.b-c.d1.example/~x/@y",
    ],
)  # fmt: skip
def test_an_ordinary_address_is_asked(url: str) -> None:
    network = Recorded()
    assert asking(PUBLIC, network=network).get(url).body == b"{}"
    assert network.led_to == [PUBLIC]


@pytest.mark.parametrize("address", HOSTILE_ADDRESSES)
def test_a_name_that_leads_into_the_house_is_not_followed(address: str) -> None:
    network = Recorded()
    assert reason(asking(address, network=network)) == "address"
    assert reason(asking(PUBLIC, address, network=network)) == "address"
    assert network.led_to == []


@pytest.mark.parametrize("address", [PUBLIC, "8.8.8.8", "100.128.0.1", "172.32.0.1", "2a00:1450:4001:830::200e"])
def test_an_address_of_the_public_internet_is_outside(address: str) -> None:
    assert destinations.is_outside(address)


def test_loopback_is_let_through_in_development_and_nothing_else_is() -> None:
    assert asking("127.0.0.1", "::1", loopback=True).get("https://localhost/").status == 200
    assert reason(asking("10.0.0.1", loopback=True)) == "address"
    assert reason(asking("::ffff:10.0.0.1", loopback=True)) == "address"
    assert reason(asking("127.0.0.1", loopback=True), "https://127.0.0.1/") == "host"
    assert reason(asking("127.0.0.1", loopback=True), "http://localhost/") == "url"
    assert reason(asking("127.0.0.1", loopback=True), "https://localhost:8443/") == "port"


def test_a_listed_address_of_this_machine_is_asked_without_tls_and_no_other_is() -> None:
    def resolved(host: str) -> list[str]:
        raise AssertionError(host)

    url, network = "http://127.0.0.1:8099/hooks", Recorded()
    ask = Outward(listed=[url], resolve=resolved, network=network)
    assert ask.post(url, headers={}, content=b"{}").status == 200 and network.led_to == ["127.0.0.1"]
    for other in (
        f"{url}/",
        f"{url}?a",
        "http://127.0.0.1:8098/hooks",
        "http://localhost:8099/hooks",
        "http://127.1:8099/hooks",
    ):
        assert reason(ask, other) == "url" == ask.problem(other)


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.1:80/",
        "http://localhost:80/",
        "https://127.0.0.1:80/",
        "http://127.0.0.1/",
        "http://127.0.0.1:70000/",
    ],
)
def test_only_this_machine_can_be_listed(url: str) -> None:
    with pytest.raises(ValueError, match="listed address"):
        Outward(listed=[url])


def test_a_name_that_turns_is_judged_again_at_each_call() -> None:
    network, turns = Recorded(), iter([[PUBLIC], ["127.0.0.1"], [PUBLIC, "10.0.0.1"]])
    ask = Outward(resolve=lambda host: next(turns), network=network)
    ask.get(f"https://{NAME}/")
    assert [reason(ask), reason(ask)] == ["address", "address"]
    assert network.led_to == [PUBLIC]  # one resolution, and the connection went where it pointed


def test_without_readable_certificates_nobody_is_asked(tmp_path: Path) -> None:
    (empty := tmp_path / "empty.pem").touch()
    for unreadable in (tmp_path / "missing.pem", empty):
        network = Recorded()
        assert reason(asking(PUBLIC, network=network, ca_file=unreadable)) == "protocol"
        assert network.led_to == []


def test_a_name_without_an_address_is_not_reached() -> None:
    assert reason(asking()) == "unresolved"

    def unknown(host: str) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    assert reason(Outward(resolve=unknown, network=Recorded())) == "unresolved"


def test_a_resolver_that_hangs_is_not_waited_for() -> None:
    let_go, ended = threading.Event(), list[str]()

    def hanging(host: str) -> list[str]:
        let_go.wait(60)
        ended.append(host)
        return [PUBLIC]

    ask = Outward(resolve=hanging, network=Recorded())
    assert [reason(ask, seconds=0.05) for _ in range(12)] == ["timeout"] * 12
    assert ended == []
    let_go.set()


def test_the_next_address_is_tried_when_one_is_silent() -> None:
    class Half(Recorded):
        def connect_tcp(self, host: str, port: int, *_: Any, **__: Any) -> httpcore.NetworkStream:
            if host == PUBLIC:
                raise httpcore.ConnectError
            return super().connect_tcp(host, port)

    assert asking(PUBLIC, "93.184.215.15", network=Half()).get(f"https://{NAME}/").status == 200
    assert reason(asking(PUBLIC, network=Half())) == "connect"


def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    network = Recorded(b"HTTP/1.1 302 Found\r\nLocation: https://169.254.169.254/\r\nContent-Length: 0\r\n\r\n")
    assert asking(PUBLIC, network=network).get(f"https://{NAME}/").status == 302
    assert network.led_to == [PUBLIC]


def test_headers_of_one_name_are_joined() -> None:
    assert asking(PUBLIC).get(f"https://{NAME}/").headers == {"content-length": "2", "x-one": "a, b"}


def test_an_answer_over_the_limit_is_dropped() -> None:
    exact = b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 65536
    assert len(asking(PUBLIC, network=Recorded(exact)).get(f"https://{NAME}/").body) == 65536
    assert reason(asking(PUBLIC, network=Recorded(exact + b"x"))) == "too_large"
    assert reason(asking(PUBLIC), most_bytes=1) == "too_large"


@pytest.mark.parametrize("answer", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort"])
def test_an_answer_that_is_not_http_or_not_whole_is_none(answer: bytes) -> None:
    assert reason(asking(PUBLIC, network=Recorded(answer))) == "protocol"


def test_refusals_are_logged_by_reason_alone(capfd: pytest.CaptureFixture[str]) -> None:
    reason(asking("10.0.0.1"), f"https://{NAME}/?token=secret")
    (line,) = capfd.readouterr().out.splitlines()
    assert '"problem":"address"' in line and NAME not in line and "secret" not in line and "10.0.0.1" not in line


def test_one_is_in_use_and_another_can_be_put_in_its_place() -> None:
    mine = asking(PUBLIC)
    outward.use(mine)
    assert outward.current() is mine
    outward.use(None)
    assert outward.current() is outward.current() is not mine
    outward.use(None)


# With real TLS, on loopback.

Script = Callable[[ssl.SSLSocket, bytes], None]


def certificate(
    subject: str, key: ec.EllipticCurvePrivateKey, issuer: str, signer: ec.EllipticCurvePrivateKey, *, ca: bool
) -> x509.Certificate:
    now = dt.datetime.now(dt.UTC)
    named = lambda name: x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])  # noqa: E731
    built = (
        x509.CertificateBuilder()
        .subject_name(named(subject))
        .issuer_name(named(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(subject)]), critical=False)
    )
    return built.sign(signer, hashes.SHA256())


def whole(peer: ssl.SSLSocket) -> bytes:
    """A request with its body: who answers before all of it has come resets the connection under the asker."""
    asked = peer.recv(65536)
    head, _, body = asked.partition(b"\r\n\r\n")
    announced = re.search(rb"content-length: ([0-9]+)", head.lower())
    while announced and len(body) < int(announced[1]):
        body += peer.recv(65536)
    return head + b"\r\n\r\n" + body


class Host:
    """A TLS server on loopback that calls itself `NAME`, as its own authority says; each connection is one script."""

    def __init__(self, folder: Path) -> None:
        self.script: Script = lambda peer, asked: peer.sendall(OK)
        self.asked: list[bytes] = []
        self.names: list[str | None] = []
        self.ca_file = folder / "ca.pem"
        self._context = self._trusted(folder)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _trusted(self, folder: Path) -> ssl.SSLContext:
        authority, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        pem = serialization.Encoding.PEM
        root = certificate("Test authority", authority, "Test authority", authority, ca=True)
        self.ca_file.write_bytes(root.public_bytes(pem))
        chain = folder / "host.pem"
        secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        chain.write_bytes(secret + certificate(NAME, key, "Test authority", authority, ca=False).public_bytes(pem))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain)
        context.sni_callback = lambda _, name, __: self.names.append(name)
        return context

    def _serve(self) -> None:
        while True:
            try:
                peer, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._meet, args=(peer,), daemon=True).start()

    def _meet(self, peer: socket.socket) -> None:
        with closing(peer):
            try:
                with self._context.wrap_socket(peer, server_side=True) as safe:
                    self.asked.append(whole(safe))
                    self.script(safe, self.asked[-1])
            except OSError:
                return

    def url(self, name: str = NAME) -> str:
        return f"https://{name}:{self.port}/jwks?a=1"

    def asking(self, **options: Any) -> Outward:
        settings: dict[str, Any] = {"ca_file": self.ca_file, "allowed_ports": None, **options}
        return Outward(loopback=True, resolve=lambda name: ["127.0.0.1"], **settings)

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    serving = Host(tmp_path)
    yield serving
    serving.close()


def test_the_name_stays_the_hosts_though_the_address_was_judged(host: Host) -> None:
    assert host.asking().get(host.url()).body == b"{}"
    (asked,) = host.asked
    assert host.names == [NAME]
    assert asked.startswith(b"GET /jwks?a=1 HTTP/1.1\r\n") and f"Host: {NAME}:{host.port}\r\n".encode() in asked


def test_proxies_of_the_environment_are_ignored(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert host.asking().get(host.url()).status == 200


def test_a_certificate_for_another_name_is_refused(host: Host) -> None:
    assert reason(host.asking(), host.url("other.partner.example")) == "tls"
    assert host.asked == []


def test_a_certificate_of_an_unknown_authority_is_refused(host: Host) -> None:
    assert reason(host.asking(ca_file=None), host.url()) == "tls"
    assert host.asked == []


def test_a_port_that_was_not_allowed_is_not_asked(host: Host) -> None:
    assert reason(host.asking(allowed_ports=(443,)), host.url()) == "port"


@pytest.mark.parametrize(
    "drip", [b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTTP/1.1 102 Wait\r\n\r\n"]
)
def test_a_drip_ends_with_the_deadline(host: Host, drip: bytes) -> None:
    """Each byte is in time, and all of them together would take a minute."""
    whole_answers = []

    def script(peer: ssl.SSLSocket, asked: bytes) -> None:
        for _ in range(1200):
            peer.sendall(drip if b"102" in drip or _ == 0 else b"x")
            time.sleep(0.05)
        whole_answers.append(drip)

    host.script = script
    assert reason(host.asking(), host.url(), seconds=0.5) == "timeout"
    assert whole_answers == []


def test_each_step_of_a_connection_has_no_longer_than_the_deadline() -> None:
    allowed = list[float]()

    class Stream(httpcore.MockStream):
        def start_tls(self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None) -> Any:
            allowed.append(timeout or 0)
            raise httpcore.ConnectTimeout

    class Network(httpcore.MockBackend):
        def connect_tcp(self, host: str, port: int, timeout: float | None = None, *_: Any, **__: Any) -> Any:
            allowed.append(timeout or 0)
            return Stream([])

    assert reason(asking(PUBLIC, network=Network([])), seconds=0.3) == "timeout"
    assert len(allowed) == 2 and all(0 < one <= 0.3 for one in allowed)


def test_a_handshake_that_never_ends_ends_with_the_deadline() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        ask = Outward(loopback=True, allowed_ports=None, resolve=lambda name: ["127.0.0.1"])
        assert reason(ask, f"https://localhost:{silent.getsockname()[1]}/", seconds=0.3) == "timeout"


@pytest.mark.parametrize(("step_seconds", "status"), [(20.0, 200), (0.1, None)])
def test_a_receiver_may_be_given_more_time_for_each_step(host: Host, step_seconds: float, status: int | None) -> None:
    def slowly(peer: ssl.SSLSocket, asked: bytes) -> None:
        time.sleep(0.4)
        peer.sendall(OK)

    host.script, ask = slowly, host.asking()
    asked: dict[str, Any] = {"headers": {}, "content": b"{}", "step_seconds": step_seconds}
    if status:
        assert ask.post(host.url(), **asked).status == status
    else:
        with pytest.raises(NotReached, match="timeout"):
            ask.post(host.url(), **asked)


def test_a_closed_port_is_no_answer() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as gone:
        port = gone.getsockname()[1]
    ask = Outward(loopback=True, allowed_ports=None, resolve=lambda name: ["127.0.0.1"])
    assert reason(ask, f"https://localhost:{port}/") == "connect"


def test_threads_share_one(host: Host) -> None:
    ask, answers = host.asking(), list[int]()
    threads = [threading.Thread(target=lambda: answers.append(ask.get(host.url()).status)) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(10)
    assert answers == [200] * 8


def test_this_machine_resolves_itself_to_loopback() -> None:
    assert all(ipaddress.ip_address(one).is_loopback for one in outward.resolve("localhost"))


def test_content_is_posted_under_the_same_guard(host: Host) -> None:
    answer = host.asking().post(host.url(), headers={"TTL": "60", "Content-Type": "text/plain"}, content=b"sealed")
    assert (answer.status, answer.body) == (200, b"{}")
    head, _, body = host.asked[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /jwks?a=1 HTTP/1.1")
    assert b"TTL: 60" in head and b"Content-Length: 6" in head and b"User-Agent: continuum" in head
    assert body == b"sealed"


def test_nothing_is_posted_into_the_house() -> None:
    network = Recorded()
    with pytest.raises(NotReached) as refused:
        asking("10.0.0.1", network=network).post(f"https://{NAME}/", headers={}, content=b"sealed")
    assert (refused.value.reason, network.led_to) == ("address", [])
