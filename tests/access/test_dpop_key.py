"""The tests' own holder of a DPoP key makes proofs that another library accepts, and wrong ones that it does not."""

import base64
import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest

from tests.dpop import Key

AT = datetime(2026, 11, 2, 15, tzinfo=UTC)
URL = "https://api.example/v1/me/sessions"


def read(proof: str, key: Key) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(
        proof, jwt.PyJWK(key.jwk), algorithms=["ES256"], options={"verify_iat": False, "require": ["jti", "iat"]}
    )
    return claims


def test_a_proof_is_of_one_request() -> None:
    key = Key()
    proof = key.proof("GET", URL + "?page=2#top", token="token", nonce="n", at=AT, jti="once")
    ath = base64.urlsafe_b64encode(hashlib.sha256(b"token").digest()).decode().rstrip("=")
    expected = {"jti": "once", "htm": "GET", "htu": URL, "iat": int(AT.timestamp()), "ath": ath, "nonce": "n"}
    assert read(proof, key) == expected
    assert jwt.get_unverified_header(proof) == {"typ": "dpop+jwt", "alg": "ES256", "jwk": key.jwk}


def test_what_is_not_asked_for_is_not_said_and_no_proof_is_made_twice() -> None:
    key = Key()
    first, second = (read(key.proof("POST", URL), key) for _ in range(2))
    assert set(first) == {"jti", "htm", "htu", "iat"} and first["jti"] != second["jti"]


def test_the_thumbprint_is_of_the_public_key_alone() -> None:
    key = Key()
    members = json.dumps({name: key.jwk[name] for name in ("crv", "kty", "x", "y")}, separators=(",", ":"))
    digest = base64.urlsafe_b64encode(hashlib.sha256(members.encode()).digest()).decode()
    assert key.thumbprint == digest.rstrip("=") and len(key.thumbprint) == 43


def test_everything_can_be_said_otherwise() -> None:
    key = Key()
    proof = key.proof("GET", URL, htm="POST", typ="JWT", iat=None, jwk=Key().jwk, more=1)
    header = jwt.get_unverified_header(proof)
    assert header["typ"] == "JWT" and header["jwk"] != key.jwk
    claims = jwt.decode(proof, jwt.PyJWK(key.jwk), algorithms=["ES256"])
    assert (claims["htm"], claims["more"]) == ("POST", 1) and "iat" not in claims
    with pytest.raises(jwt.InvalidSignatureError):
        read(key.proof("GET", URL, signature=bytes(64)), key)


def test_a_phone_keeps_its_key_in_a_file() -> None:
    key = Key()
    again = Key.of(json.loads(json.dumps(key.state())))
    assert again.thumbprint == key.thumbprint and read(again.proof("GET", URL), key)
