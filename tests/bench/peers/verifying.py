"""The peers' reading of a token: our claims and keys, checked at every request, nothing remembered."""

import json
import os
from uuid import UUID

import jwt

ISSUER = os.environ["PUBLIC_URL"]
with open(os.environ["TOKEN_KEYS_FILE"]) as keys:
    KEY = jwt.PyJWK(json.load(keys)["keys"][0], algorithm="ES256").key.public_key()
AUDIENCE = f"{ISSUER}/v1/me"
OPTIONS = {"require": ["iss", "aud", "sub", "exp", "iat", "jti"]}


class Refused(Exception):
    """The token is not good."""


def patient_id(header: str | None) -> UUID:
    """Whose token it is. Raises `Refused`."""
    if not header or header[:7].lower() != "bearer ":
        raise Refused
    try:
        token = jwt.decode_complete(
            header[7:], KEY, algorithms=["ES256"], issuer=ISSUER, audience=AUDIENCE, options=OPTIONS
        )
        if token["header"].get("typ") != "at+jwt" or "sessions:read" not in token["payload"]["scope"].split():
            raise Refused
        return UUID(token["payload"]["sub"])
    except (jwt.PyJWTError, ValueError) as error:
        raise Refused from error
