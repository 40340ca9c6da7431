"""Whether a callback is the gateway's: HMAC-SHA1 over our own address and the form, as Twilio signs.

The address is the one that the deployment names, never what the request says of itself. SHA-1 is the gateway's choice;
as a MAC it is not broken.
"""

import base64
import hmac
from collections.abc import Iterable

HEADER = "X-Twilio-Signature"


def signature(token: str, url: str, form: Iterable[tuple[str, str]]) -> str:
    """What the gateway writes into the header."""
    signed = url + "".join(name + value for name, value in sorted(set(form)))
    return base64.b64encode(hmac.digest(token.encode(), signed.encode(), "sha1")).decode()


def is_right(given: str, *, token: str, url: str, form: Iterable[tuple[str, str]]) -> bool:
    """Compared in constant time."""
    return hmac.compare_digest(given.encode(), signature(token, url, form).encode())
