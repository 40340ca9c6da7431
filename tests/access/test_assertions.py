"""A client's system proves itself by a key of its own, to us, once, now; anything else proves nothing."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from api.access import assertions, public_keys
from api.access.assertions import Assertion, AssertionRefused

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
NOW = int(AT.timestamp())
CLIENT, US, URL = "partner-1", "https://api.clinic.example", "https://keys.partner.example/jwks"
CURVES = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1()}


@cache
def private(alg: str, bits: int = 2048) -> Any:
    if alg in CURVES:
        return ec.generate_private_key(CURVES[alg])
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def jwk(of: str = "ES384", /, **changed: Any) -> dict[str, Any]:
    algorithm = jwt.algorithms.ECAlgorithm if of in CURVES else jwt.algorithms.RSAAlgorithm
    made = {**algorithm.to_jwk(private(of).public_key(), as_dict=True), "kid": f"k-{of}", **changed}
    return {name: value for name, value in made.items() if value is not None}


def signed(alg: str = "ES384", header: dict[str, Any] | None = None, **changed: Any) -> str:
    claims = {"iss": CLIENT, "sub": CLIENT, "aud": US, "exp": NOW + 300, "jti": "j-1", "iat": NOW, **changed}
    claims = {name: value for name, value in claims.items() if value is not None}
    return raw(alg, {"alg": alg, "typ": "JWT", "kid": f"k-{alg}", **(header or {})}, json.dumps(claims).encode())


def raw(alg: str, header: dict[str, Any], payload: bytes) -> str:
    """Signed by hand, as PyJWT would not write what is refused here."""
    given = {name: value for name, value in header.items() if value is not None}
    body = f"{encoded(json.dumps(given).encode())}.{encoded(payload)}"
    signature = jwt.get_algorithm_by_name(alg).sign(body.encode(), private(alg))
    return f"{body}.{encoded(signature)}"


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def judged(assertion: str, keys: list[dict[str, Any]] | None = None, **changed: Any) -> Assertion:
    asked: dict[str, Any] = {"client_id": CLIENT, "audience": US, "jwks_url": URL, "at": AT, **changed}
    return assertions.verify(assertion, keys=[jwk()] if keys is None else keys, **asked)


def refused(assertion: str, keys: list[dict[str, Any]] | None = None, **changed: Any) -> str:
    with pytest.raises(AssertionRefused) as refusal:
        judged(assertion, keys, **changed)
    assert str(refusal.value) == refusal.value.reason
    return refusal.value.reason


@pytest.mark.parametrize("alg", ["RS384", "ES384", "RS256", "ES256"])
def test_each_of_the_four_algorithms_proves_a_client(alg: str) -> None:
    proven = judged(signed(alg), [jwk("ES384", kid="other"), jwk(alg, alg=alg, use="sig", key_ops=["verify"])])
    assert proven == Assertion("j-1", AT + timedelta(seconds=300))
    assert proven.remembered_until == AT + timedelta(seconds=310)


@pytest.mark.parametrize(
    "alg", ["RS512", "PS384", "ES256K", "EdDSA", "HS256", "none", "None", "", None, 5, ["ES384"], {}]
)
def test_another_algorithm_is_refused_whatever_signed(alg: Any) -> None:
    assert refused(signed(header={"alg": alg})) in ("header", "form")


@pytest.mark.parametrize("alg", ["RS384", "RS256", "ES256"])
def test_an_algorithm_that_does_not_fit_the_key_is_refused(alg: str) -> None:
    assert refused(signed(header={"alg": alg})) == "key"


def test_another_algorithm_of_the_same_kind_does_not_verify() -> None:
    assert refused(signed("RS256", header={"alg": "RS384"}), [jwk("RS256")]) == "signature"
    assert refused(signed("RS256"), [jwk("RS256", alg="RS384")]) == "key"


def test_an_unsigned_assertion_is_refused() -> None:
    header, payload, _ = signed(header={"alg": "none"}).split(".")
    assert refused(f"{header}.{payload}.") == "header"
    header, payload, _ = signed().split(".")
    assert refused(f"{header}.{payload}.") == "signature"


@pytest.mark.parametrize("alg", ["ES256", "RS256"])
def test_the_public_key_is_no_secret_to_sign_with(alg: str) -> None:
    form = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    pem = private(alg).public_key().public_bytes(*form)
    for said in ("HS256", alg):
        head, payload, _ = signed(alg, header={"alg": said}).split(".")
        mac = hmac.digest(pem, f"{head}.{payload}".encode(), hashlib.sha256)
        assert refused(f"{head}.{payload}.{encoded(mac)}", [jwk(alg)]) in ("header", "signature")


def test_a_changed_claim_is_refused() -> None:
    header, _, signature = signed().split(".")
    _, payload, _ = signed(jti="j-2").split(".")
    assert refused(f"{header}.{payload}.{signature}") == "signature"


@pytest.mark.parametrize("kid", [None, "", "k-unknown", "K-ES384", "k-ES384 ", "k\x00", "k" * 256])
def test_the_key_must_be_named(kid: str | None) -> None:
    assert refused(signed(header={"kid": kid})) in ("header", "key")


@pytest.mark.parametrize("kid", [5, ["k-ES384"], {"k-ES384": 1}])
def test_the_name_of_a_key_is_a_text(kid: Any) -> None:
    assert refused(signed(header={"kid": kid})) == "form"


def test_exactly_one_key_has_the_name_and_the_kind() -> None:
    assert refused(signed(), []) == "key"
    assert refused(signed(), [jwk(), jwk()]) == "key"
    assert refused(signed(), [jwk(), jwk("ES256", kid="k-ES384")]) == "key"
    assert judged(signed(), [jwk(), jwk("RS256", kid="k-ES384")]).jti == "j-1"


@pytest.mark.parametrize("typ", ["JWT", "jwt", "client-authentication+jwt", None])
def test_the_types_of_an_assertion_are_accepted(typ: str | None) -> None:
    assert judged(signed(header={"typ": typ})).jti == "j-1"


@pytest.mark.parametrize("typ", ["at+jwt", "dpop+jwt", "", "JWS", 5, ["JWT"]])
def test_a_token_of_another_type_is_refused(typ: Any) -> None:
    assert refused(signed(header={"typ": typ})) == "header"


def test_a_key_set_named_in_the_header_is_the_registered_one() -> None:
    assert judged(signed(header={"jku": URL})).jti == "j-1"
    for jku in (URL + "/", URL.upper(), "https://elsewhere.example/jwks", "", 5):
        assert refused(signed(header={"jku": jku})) == "header"
    assert refused(signed(header={"jku": URL}), jwks_url=None) == "header"


@pytest.mark.parametrize("crit", [["exp"], ["b64"], [], "b64"])
def test_what_must_be_understood_is_refused(crit: Any) -> None:
    assert refused(signed(header={"crit": crit})) in ("form", "header")


def test_what_must_be_understood_is_refused_though_others_understand_it() -> None:
    assert refused(signed(header={"crit": ["b64"], "b64": True})) == "header"


def test_keys_that_come_along_are_not_looked_at() -> None:
    along = {"jwk": jwk(), "x5c": ["MII"], "x5u": "https://elsewhere.example/"}
    assert judged(signed(header=along)).jti == "j-1"
    assert refused(signed(header=along), [jwk("ES256", kid="k-ES384", alg="ES256")]) == "key"
    assert refused(signed(header=along), []) == "key"


@pytest.mark.parametrize("changed", [{"iss": "partner-2"}, {"sub": "partner-2"}, {"iss": None}, {"sub": [CLIENT]}])
def test_a_client_speaks_for_itself_alone(changed: dict[str, Any]) -> None:
    assert refused(signed(**changed)) == "issuer"


def test_one_client_is_not_another() -> None:
    assert refused(signed(), client_id="partner-2") == "issuer"


@pytest.mark.parametrize(
    "aud", [None, "", [], US + "/", US + "/oauth/token", US[:-1], [US, US], [US, "x"], ["x", US], {US: 1}, [[US]], 5]
)
def test_the_audience_is_us_and_nobody_else(aud: Any) -> None:
    assert refused(signed(aud=aud)) == "audience"


def test_the_audience_may_be_a_list_of_one() -> None:
    assert judged(signed(aud=[US])).jti == "j-1"


@pytest.mark.parametrize("exp", [None, NOW - 10, NOW - 11, NOW + 311, NOW + 864000, str(NOW + 60), True, [NOW], 1e300])
def test_an_assertion_without_a_near_end_is_refused(exp: Any) -> None:
    assert refused(signed(exp=exp)) == "expiry"


@pytest.mark.parametrize("exp", [NOW - 9, NOW - 9.5, NOW + 1, NOW + 310])
def test_ten_seconds_between_two_clocks_are_forgiven(exp: float) -> None:
    assert judged(signed(exp=exp)).expires_at == datetime.fromtimestamp(exp, UTC)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_number_that_is_none_is_no_time(number: str) -> None:
    payload = f'{{"iss":"{CLIENT}","sub":"{CLIENT}","aud":"{US}","jti":"j","exp":{number}}}'
    header = {"alg": "ES384", "kid": "k-ES384"}
    assert refused(raw("ES384", header, payload.encode())) in ("form", "expiry")


@pytest.mark.parametrize("claim", ["iat", "nbf"])
def test_an_assertion_from_the_future_is_refused(claim: str) -> None:
    for said in (NOW + 61, "now", False, [NOW]):
        assert refused(signed(**{claim: said})) == "time"
    assert judged(signed(**{claim: NOW + 60})).jti == "j-1"
    assert judged(signed(**{claim: NOW - 86400})).jti == "j-1"
    assert judged(signed(**{claim: None})).jti == "j-1"


@pytest.mark.parametrize("jti", [None, "", "j" * 256, 5, ["j"], "j\x00", "j\n"])
def test_an_assertion_that_cannot_be_recognized_again_is_refused(jti: Any) -> None:
    assert refused(signed(jti=jti)) == "jti"


def test_the_longest_name_of_an_assertion_is_accepted() -> None:
    assert judged(signed(jti="j" * 255)).jti == "j" * 255


def test_an_endless_assertion_is_not_read() -> None:
    few = (assertions.LONGEST - len(signed(more=""))) * 3 // 4 - 3
    growing = [signed(more="x" * (few + more)) for more in range(8)]
    longest = next(one for one in growing if len(one) == assertions.LONGEST)
    assert judged(longest).jti == "j-1" and assertions.unverified_issuer(longest) == CLIENT
    endless = next(one for one in growing if len(one) > assertions.LONGEST)
    assert refused(endless) == "form" and assertions.unverified_issuer(endless) is None


@pytest.mark.parametrize("payload", [b"", b"[]", b"5", b"null", b"{", b"\xff", b'"x"', b"[" * 2000])
def test_claims_that_are_none_are_refused(payload: bytes) -> None:
    assertion = raw("ES384", {"alg": "ES384", "kid": "k-ES384"}, payload)
    assert refused(assertion) == "form"
    assert assertions.unverified_issuer(assertion) is None


def test_a_header_of_depths_is_refused() -> None:
    assert refused(f"{encoded(b'[' * 3000)}.{encoded(b'{}')}.AA") == "form"


@given(st.one_of(st.text(), st.lists(st.binary().map(encoded), min_size=3, max_size=3).map(".".join)))
def test_garbage_is_refused_and_names_nobody(garbage: str) -> None:
    assert refused(garbage) in ("form", "header")
    assert assertions.unverified_issuer(garbage) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda more: st.lists(more, max_size=3),
    max_leaves=4,
)
HEADERS = ("alg", "typ", "kid", "jku", "crit", "b64", "x")
CLAIMS = ("iss", "sub", "aud", "exp", "iat", "nbf", "jti")


@given(st.dictionaries(st.sampled_from(HEADERS), JSON), st.dictionaries(st.sampled_from(CLAIMS), JSON, min_size=1))
def test_a_signed_oddity_is_refused_or_read_but_never_breaks(header: dict[str, Any], claims: dict[str, Any]) -> None:
    try:
        judged(signed(header=header, **claims))
    except AssertionRefused as refusal:
        assert refusal.reason


def test_the_issuer_is_read_before_anything_is_proven() -> None:
    assert assertions.unverified_issuer(signed()[:-8] + "AAAAAAAA") == CLIENT
    for issuer in (None, 5, "", "p" * 256, "p\x00", ["p"]):
        assert assertions.unverified_issuer(signed(iss=issuer)) is None


GOOD: list[Callable[[], dict[str, Any]]] = [
    lambda: jwk("ES384", alg="ES384", use="sig"), lambda: jwk("ES256"), lambda: jwk("RS384", alg="RS256"),
    lambda: jwk("RS256", key_ops=["verify"], x5c=["MII"]), lambda: jwk("RS256", crv="P-256"),
    lambda: weak(2048), lambda: weak(8192), lambda: weak(2048, 2**33 - 1),
]  # fmt: skip


@pytest.mark.parametrize("made", GOOD)
def test_a_good_key_has_no_problem(made: Callable[[], dict[str, Any]]) -> None:
    assert public_keys.jwk_problems(made()) is None


def weak(bits: int, exponent: int = 65537) -> dict[str, Any]:
    """Numbers of that size, nobody's key."""
    numbers = {"n": (1 << bits) - 1, "e": exponent}
    written = {name: encoded(number.to_bytes(-(-number.bit_length() // 8), "big")) for name, number in numbers.items()}
    return {"kty": "RSA", "kid": "weak", **written}


def private_parts(*names: str) -> str:
    return f"private parts ({', '.join(names)}) stay with the client: make a new pair, this one is known now"


NO_SIGNATURES = "the key is not for signatures"
FIT_NONE = "kty, crv and alg fit none of RS384, ES384, RS256, ES256"
NO_KEY = "its numbers are no key"
SIZE = "an RSA key has 2048 to 8192 bits"
EXPONENT = "the public exponent of an RSA key is usually 65537"
BAD: list[tuple[Callable[[], Any], str]] = [
    *[(lambda name=name: jwk("RS256", **{name: "AQAB"}), private_parts(name)) for name in public_keys.PRIVATE_MEMBERS],
    (lambda: jwk("ES256", d=""), private_parts("d")),
    (lambda: jwk("RS256", p="AQAB", d="AQAB"), private_parts("d", "p")),
    (lambda: {"kty": "oct", "k": "c2VjcmV0", "kid": "s"}, private_parts("k")),
    (lambda: "key", "a key is a JSON object"),
    (lambda: jwk(kid=None), "kid is missing"),
    (lambda: jwk(kid=""), "kid is missing"),
    (lambda: jwk(kid=5), "kid is missing"),
    (lambda: jwk(use="enc"), NO_SIGNATURES),
    (lambda: jwk(key_ops=["sign"]), NO_SIGNATURES),
    (lambda: jwk(key_ops="verify"), NO_SIGNATURES),
    (lambda: jwk(kty="OKP"), FIT_NONE),
    (lambda: jwk(kty=None), FIT_NONE),
    (lambda: jwk(kty=["EC"]), FIT_NONE),
    (lambda: jwk(crv="P-521"), FIT_NONE),
    (lambda: jwk(crv=None), FIT_NONE),
    (lambda: jwk(alg="ES256"), FIT_NONE),
    (lambda: jwk("RS256", alg="PS256"), FIT_NONE),
    (lambda: jwk("RS256", alg="ES384"), FIT_NONE),
    (lambda: jwk(x="AAAA"), NO_KEY),
    (lambda: jwk(y=None), NO_KEY),
    (lambda: jwk(x=5), NO_KEY),
    (lambda: jwk(x="!!"), NO_KEY),
    (lambda: jwk("ES256", crv="P-384"), NO_KEY),
    (lambda: jwk("RS256", n=None), NO_KEY),
    (lambda: jwk("RS256", n="A" * 9000), NO_KEY),
    (lambda: weak(1024), SIZE),
    (lambda: weak(2047), SIZE),
    (lambda: weak(8193), SIZE),
    (lambda: weak(2048, 3), EXPONENT),
    (lambda: weak(2048, 2**16 - 1), EXPONENT),
    (lambda: weak(2048, 2**16), NO_KEY),
    (lambda: weak(2048, 2**33), NO_KEY),
    (lambda: weak(2048, 2**33 + 1), EXPONENT),
]


@pytest.mark.parametrize(("made", "why"), BAD)
def test_a_bad_key_is_not_registered_and_proves_nothing(made: Callable[[], Any], why: str) -> None:
    assert public_keys.jwk_problems(made()) == why


def test_a_weak_key_proves_nothing_though_it_was_registered() -> None:
    assert refused(signed("RS256"), [{**weak(1024), "kid": "k-RS256"}]) == "key"
    assert refused(signed("ES384"), [jwk(d="AQAB")]) == "key"
