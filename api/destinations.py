"""What is asked outside this house, and which addresses may be asked at all: pure judgement, before anything is sent.

An address that somebody else registered must not lead back into the house (ASVS 5.0 1.3.6, 13.2.4, 15.3.2; OWASP
API7). Its text is read by one strict expression, so that no second parser can understand it differently; what its
name resolves to is judged by number.
"""

import ipaddress
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal

Reason = Literal["url", "host", "port", "unresolved", "address", "connect", "tls", "timeout", "protocol", "too_large"]

HTTPS_PORT = 443
LONGEST_URL = 2048
MOST_BYTES = 65536
STEP_SECONDS = 3.0

# Lower-case scheme, no user, no fragment, nothing that one reader escapes and another does not.
URL = re.compile(r"https://([A-Za-z0-9.-]{1,253})(?::([1-9][0-9]{0,4}))?((?:[/?][!$-;=?-\[\]_a-z~]*)?)")
LOOPBACK = "127.0.0.1"
LISTED_URL = re.compile(r"http://127\.0\.0\.1:([1-9][0-9]{0,4})(/[A-Za-z0-9/._~-]*)?")
# RFC 1123 labels. The last one is letters, or begins with xn--: no notation of a number passes for a name.
LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
NAME = re.compile(rf"(?:{LABEL}\.)+(?:[a-z]{{2,63}}|xn--[a-z0-9-]{{0,58}}[a-z0-9])")
OF_THE_HOUSE = frozenset(("localhost", "local", "localdomain", "internal", "arpa", "onion"))


def _networks_4(*them: str) -> tuple[ipaddress.IPv4Network, ...]:
    return tuple(map(ipaddress.IPv4Network, them))


def _networks_6(*them: str) -> tuple[ipaddress.IPv6Network, ...]:
    return tuple(map(ipaddress.IPv6Network, them))


# By number (IANA's special-purpose registries) and not by `is_global` alone, whose answer differs between patch
# releases of Python. 168.63.129.16 is a public address at which one cloud tells its machines about themselves.
# fmt: off
NOT_OUTSIDE_4 = _networks_4(
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32", "169.254.0.0/16", "172.16.0.0/12",
    "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16",
    "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
)
# fmt: on
# Only 2000::/3 is handed out: mapped, compatible, NAT64, unique local, link-local and multicast are all beside it.
OUTSIDE_6 = ipaddress.IPv6Network("2000::/3")
NOT_OUTSIDE_6 = _networks_6("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3ffe::/16", "3fff::/20")
ISATAP = 0x00005EFE


class NotReached(Exception):
    """Nothing usable came back. Its only content is the word `reason`: an address may hold a secret."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Destination:
    """An address that was read; `target` is its path and query. One that is not `secure` is of this machine."""

    host: str
    port: int
    target: str
    secure: bool = True


@dataclass(frozen=True, slots=True)
class Question:
    """Each step of its answer may take `step_seconds`, and its body `most_bytes`."""

    method: str
    url: str = field(repr=False)
    headers: tuple[tuple[str, str], ...] = ()
    content: bytes | None = field(default=None, repr=False)
    step_seconds: float = STEP_SECONDS
    most_bytes: int = MOST_BYTES


@dataclass(frozen=True, slots=True)
class Answer:
    """`headers` by lower-case name; several of one name are joined by a comma (RFC 9110 §5.3)."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def read(url: str, *, ports: Collection[int] | None, loopback: bool) -> Destination:
    """`url`, understood; `ports` of None are any. Raises `NotReached`: `url`, `host` or `port`."""
    if len(url) > LONGEST_URL or (parts := URL.fullmatch(url)) is None:
        raise NotReached("url")
    host, port = parts[1].lower(), int(parts[2] or HTTPS_PORT)
    if not (_is_name(host) or (loopback and host == "localhost")):
        raise NotReached("host")
    if port > 65535 or (ports is not None and port not in ports):
        raise NotReached("port")
    return Destination(host, port, parts[3] if parts[3].startswith("/") else f"/{parts[3]}")


def read_listed(url: str) -> Destination:
    """An address of this machine without TLS, as development lists it: `http://127.0.0.1:port/path`. Raises ValueError
    for anything else."""
    if (parts := LISTED_URL.fullmatch(url)) is None or int(parts[1]) > 65535:
        raise ValueError("A listed address is http://127.0.0.1:port/path.")
    return Destination(LOOPBACK, int(parts[1]), parts[2] or "/", secure=False)


def _is_name(host: str) -> bool:
    return NAME.fullmatch(host) is not None and host.rpartition(".")[2] not in OF_THE_HOUSE


def is_outside(address: str) -> bool:
    """Whether the numeric `address` is one of the public internet, and of no translation or tunnel into another."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv4Address):
        return ip.is_global and not any(ip in one for one in NOT_OUTSIDE_4)
    tunnel = (int(ip) >> 32) & 0xFDFFFFFF == ISATAP  # RFC 5214: any prefix, and an IPv4 address behind it
    return ip.is_global and ip in OUTSIDE_6 and not tunnel and not any(ip in one for one in NOT_OUTSIDE_6)


def is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
