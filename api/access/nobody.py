"""What is compared where nobody was found: made at random when the process starts, so that nothing ever fits it."""

from functools import cache

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec

from api.access import totp

TOTP_SECRET = totp.new_secret()


@cache
def passkey() -> bytes:
    """A public P-256 key as COSE writes it (RFC 9053 §7.1)."""
    point = ec.generate_private_key(ec.SECP256R1()).public_key().public_numbers()
    x, y = (one.to_bytes(32, "big") for one in (point.x, point.y))
    return cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})
