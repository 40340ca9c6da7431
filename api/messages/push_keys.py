"""The keys that pushes are signed with. Apart from what pushes, so that whoever tells a page our key loads no carrier's
library."""

import base64
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from api import carriers


def web_push(settings: carriers.WebPush | None) -> str | None:
    """What a page gives `PushManager.subscribe` as `applicationServerKey`; None where nothing is pushed to browsers."""
    if settings is None:
        return None
    point = p256(settings.key_file, "VAPID_KEY_FILE").public_key()
    raw = point.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def p256(file: Path, setting: str) -> ec.EllipticCurvePrivateKey:
    """The private key in `file`, which `setting` names. Raises `carriers.Malformed`."""
    try:
        key = load_pem_private_key(file.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        raise carriers.Malformed(f"{setting} cannot be read as a key.") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise carriers.Malformed(f"{setting} must hold a P-256 key.")
    return key
