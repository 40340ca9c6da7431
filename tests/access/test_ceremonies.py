"""Passkeys: an honest phone gets in with each algorithm; whatever else it says is the one refusal."""

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import cbor2
import pytest
import webauthn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from api.access import ceremonies
from tests import authenticator as phones
from tests.authenticator import EDDSA, ES256, RS256, Authenticator, Passkey, b64, unb64

ANDROID = "android:apk-key-hash:" + "A" * 43
RP = ceremonies.RelyingParty(id="app.example", origins=("https://app.example", ANDROID))
HANDLE = bytes(range(64))
CHALLENGE = b"c" * 32
ANOTHER = b"d" * 32
RSA = rsa.generate_private_key(65_537, 2048)


def phone() -> Authenticator:
    return Authenticator("https://app.example", "app.example")


def creation() -> str:
    return ceremonies.creation_options(RP, challenge=CHALLENGE, user_handle=HANDLE, exclude=())


REQUEST = ceremonies.request_options(RP, challenge=CHALLENGE)


def made(**said: Any) -> ceremonies.Created:
    return ceremonies.created(RP, challenge=CHALLENGE, credential=phone().create(creation(), **said))


def having(**said: Any) -> tuple[Authenticator, ceremonies.Created]:
    held = phone()
    return held, ceremonies.created(RP, challenge=CHALLENGE, credential=held.create(creation(), **said))


def used(credential: str, kept: ceremonies.Created, sign_count: int | None = None) -> ceremonies.Asserted:
    return ceremonies.asserted(
        RP,
        challenge=CHALLENGE,
        credential=credential,
        public_key=kept.public_key,
        sign_count=kept.sign_count if sign_count is None else sign_count,
        backup_eligible=kept.backup_eligible,
    )


def refused(ceremony: Callable[[], Any]) -> None:
    with pytest.raises(ceremonies.PasskeyRefused) as refusal:
        ceremony()
    assert refusal.value.__cause__ is None and refusal.value.__suppress_context__


def refused_at_creation(credential: str) -> None:
    refused(lambda: ceremonies.created(RP, challenge=CHALLENGE, credential=credential))


HELD, KEPT = having()


def test_challenges_are_long_and_never_the_same() -> None:
    challenges = {ceremonies.new_challenge() for _ in range(50)}
    assert len(challenges) == 50 and {len(one) for one in challenges} == {32}


def test_creation_options_ask_for_a_verified_discoverable_passkey_and_name_nobody() -> None:
    written = ceremonies.creation_options(RP, challenge=CHALLENGE, user_handle=HANDLE, exclude=[b"one", b"two"])
    assert json.loads(written) == {
        "rp": {"id": "app.example", "name": "Clinic app account"},
        "user": {"id": b64(HANDLE), "name": "Clinic app account", "displayName": "Clinic app account"},
        "challenge": b64(CHALLENGE),
        "pubKeyCredParams": [{"type": "public-key", "alg": alg} for alg in (-7, -8, -257)],
        "timeout": 300_000,
        "excludeCredentials": [{"type": "public-key", "id": b64(one)} for one in (b"one", b"two")],
        "authenticatorSelection": {
            "residentKey": "required",
            "requireResidentKey": True,
            "userVerification": "required",
        },
        "attestation": "none",
    }


def test_request_options_name_no_passkey() -> None:
    assert json.loads(ceremonies.request_options(RP, challenge=CHALLENGE)) == {
        "rpId": "app.example",
        "challenge": b64(CHALLENGE),
        "timeout": 300_000,
        "userVerification": "required",
    }


@pytest.mark.parametrize("said", [{}, {"alg": EDDSA}, {"key": RSA}], ids=["ES256", "EdDSA", "RS256"])
def test_a_passkey_of_each_algorithm_is_made_and_used(said: dict[str, Any]) -> None:
    held, kept = having(**said)
    credential = held.get(REQUEST)
    assert ceremonies.presented(credential) == (kept.credential_id, HANDLE)
    assert used(credential, kept) == ceremonies.Asserted(sign_count=0, backed_up=True, count_regressed=False)


def test_what_is_kept_of_a_passkey() -> None:
    held, kept = having(transports=["internal", "hybrid", "telepathy", 7, "internal"])
    assert kept.credential_id == held.passkeys[0].id and cbor2.loads(kept.public_key)[3] == ES256
    assert kept.transports == ("hybrid", "internal")
    assert (kept.sign_count, kept.backup_eligible, kept.backed_up) == (0, True, True)


def test_a_passkey_that_stays_on_its_device_counts() -> None:
    held, kept = having(be=False, bs=False)
    assert (kept.sign_count, kept.backup_eligible, kept.backed_up) == (1, False, False)
    assert used(held.get(REQUEST, be=False, bs=False), kept) == ceremonies.Asserted(2, False, False)


@pytest.mark.parametrize("transports", [None, [], "usb", {}, [None], [["usb"]]])
def test_transports_are_a_hint(transports: Any) -> None:
    assert made(transports=transports).transports == ()


def test_the_app_on_android_has_an_origin_of_its_own() -> None:
    assert made(origin=ANDROID)
    assert used(HELD.get(REQUEST, origin=ANDROID), KEPT)


def test_the_passkeys_own_attestation_is_checked_and_accepted() -> None:
    assert made(fmt="packed") and made(fmt="packed", key=RSA)
    refused(lambda: made(fmt="packed", signature=b"0" * 70))


def certificate(key: ec.EllipticCurvePrivateKey) -> bytes:
    """As §8.2.1 asks of a maker's certificate."""
    words = {"COUNTRY_NAME": "US", "ORGANIZATION_NAME": "Maker", "COMMON_NAME": "Maker"}
    words["ORGANIZATIONAL_UNIT_NAME"] = "Authenticator Attestation"
    name = x509.Name([x509.NameAttribute(getattr(x509.NameOID, kind), word) for kind, word in words.items()])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 7, datetime(2026, 1, 1), datetime(2036, 1, 1))
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def test_a_makers_attestation_is_refused_even_where_it_is_right() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    credential = phone().create(creation(), fmt="packed", maker=(key, certificate(key)))
    assert webauthn.verify_registration_response(
        credential=credential,
        expected_challenge=CHALLENGE,
        expected_rp_id=RP.id,
        expected_origin=list(RP.origins),
    )
    refused_at_creation(credential)


def test_extensions_and_unknown_words_are_passed_over() -> None:
    assert made(client={"somethingNew": {"a": 1}}, json={"authenticatorAttachment": "implanted", "more": []})
    assert used(HELD.get(REQUEST, client={"somethingNew": 1}, json={"authenticatorAttachment": "implanted"}), KEPT)


@pytest.mark.parametrize("length", [1, 16, 1023])
def test_credential_ids_of_any_allowed_length(length: int) -> None:
    assert len(made(credential_id=b"i" * length).credential_id) == length


# What a phone may say wrong in both ceremonies. Each is signed as it stands, so that only the check in question tells.
WRONG_IN_BOTH: dict[str, dict[str, Any]] = {
    "another challenge": {"challenge": b64(ANOTHER)},
    "no challenge": {"challenge": ""},
    "a part of the challenge": {"challenge": b64(CHALLENGE[:31])},
    "the challenge padded": {"challenge": b64(CHALLENGE) + "="},
    "the challenge with noise": {"challenge": "!" + b64(CHALLENGE)},
    "a challenge that is no text": {"challenge": 7},
    "another origin": {"origin": "https://evil.example"},
    "a subdomain": {"origin": "https://a.app.example"},
    "the origin with a port": {"origin": "https://app.example:444"},
    "the origin without transport security": {"origin": "http://app.example"},
    "the origin with a slash": {"origin": "https://app.example/"},
    "another app": {"origin": ANDROID[:-1] + "B"},
    "origins in a list": {"origin": ["https://app.example"]},
    "no origin": {"origin": None},
    "no such ceremony": {"type": "payment.get"},
    "no type": {"type": None},
    "a frame of another origin": {"client": {"crossOrigin": True}},
    "a frame of another origin, truthy": {"client": {"crossOrigin": "false"}},
    "a page around it": {"client": {"topOrigin": "https://app.example"}},
    "client data that is a list": {"client_data": b"[]"},
    "client data that is no JSON": {"client_data": b"\xff"},
    "client data that is deep": {"client_data": b"[" * 5000},
    "another relying party": {"rp_id_hash": hashlib.sha256(b"evil.example").digest()},
    "nobody there": {"up": False},
    "nobody verified": {"uv": False},
    "backed up but not eligible": {"be": False, "bs": True},
    "too little data": {"data": b"\0" * 36},
    "no data": {"data": b""},
    "an id that is not the raw one": {"json_id": b64(b"another")},
    "an id with padding": {"json_id": b64(b"i" * 31) + "=", "credential_id": b"i" * 31},
    "a raw id with noise": {"json": {"rawId": "!!!!"}},
    "an id that is no text": {"json_id": 7},
    "another type of credential": {"json_type": "password"},
    "no type of credential": {"json_type": None},
    "no response": {"json": {"response": None}},
    "a response that is text": {"json": {"response": "clientDataJSON"}},
    "no client data": {"response": {"clientDataJSON": None}},
    "client data that is a number": {"response": {"clientDataJSON": 1}},
    "client data that is no base64url": {"response": {"clientDataJSON": "a+/="}},
}
WRONG_AT_CREATION: dict[str, dict[str, Any]] = {
    "the other ceremony": {"type": "webauthn.get"},
    "no passkey in it": {"flags": phones.UP | phones.UV | phones.BE},
    "an extension flag without extension": {"flags": 0xFF},
    "an id that is too long": {"credential_id": b"i" * 1024},
    "no id": {"credential_id": b""},
    "another id outside": {"raw_id": b"i" * 32},
    "a length that is not the id's": {"id_length": 31},
    "a length beyond the end": {"id_length": 65_535},
    "no public key": {"public_key": b""},
    "a key that is no map": {"public_key": cbor2.dumps([1, 2])},
    "a key that is one number": {"public_key": b"\x04"},
    "an algorithm not offered": {"cose": {3: -35}},
    "an RSA algorithm not offered": {"key": RSA, "cose": {3: -37}},
    "an old RSA algorithm": {"key": RSA, "cose": {3: -65535}},
    "another key's algorithm": {"cose": {3: RS256}},
    "an RSA key's algorithm for a curve": {"key": RSA, "cose": {3: ES256}},
    "a curve's algorithm for Ed25519": {"alg": EDDSA, "cose": {3: ES256}},
    "no key type": {"cose": {1: 0}},
    "a key type nobody knows": {"cose": {1: 99}},
    "a curve that is not P-256": {"key": ec.generate_private_key(ec.SECP384R1())},
    "a point that is not on the curve": {"cose": {-2: b"\1" * 32}},
    "no point": {"cose": {-2: b""}},
    "a point as text": {"cose": {-2: "1" * 32}},
    "a short Ed25519 key": {"alg": EDDSA, "cose": {-2: b"\1" * 31}},
    "an RSA key that is too small": {"key": rsa.generate_private_key(65_537, 1024)},
    "an RSA key that is too large": {"key": RSA, "cose": {-1: b"\xff" * 520}},
    "an RSA exponent of three": {"key": RSA, "cose": {-2: b"\3"}},
    "bytes behind the key": {"public_key": cbor2.dumps(phones.cose(RSA)) + b"\0"},
    "a statement where there is none": {"statement": {"sig": b"s"}},
    "an unknown attestation": {"fmt": "horoscope"},
    "an attestation of certificates": {"fmt": "packed", "statement": {"alg": -7, "sig": b"s", "x5c": [b"c"]}},
    "an attestation of no certificates": {"fmt": "packed", "statement": {"alg": -7, "sig": b"s", "x5c": []}},
    "an old security key's attestation": {"fmt": "fido-u2f", "statement": {"sig": b"s", "x5c": [b"c"]}},
    "a phone maker's attestation": {"fmt": "apple", "statement": {"x5c": [b"c"]}},
    "a module's attestation": {"fmt": "tpm", "statement": {"ver": "2.0"}},
    "an attestation that is no map": {"attestation": cbor2.dumps([])},
    "an attestation without data": {"attestation": cbor2.dumps({"fmt": "none", "attStmt": {}})},
    "no attestation": {"attestation": b""},
    "bytes behind the attestation": {"attestation": b"\0" * 12_000},
    "a deep attestation": {"attestation": b"\x81" * 8000},
    "an endless attestation": {"attestation": b"\x9b" + b"\xff" * 8},
    "an attestation that counts to the skies": {"attestation": cbor2.dumps(cbor2.CBORTag(5, [10**9, 3]))},
    "more than 16 KiB": {"client": {"more": "m" * 16_384}},
}
WRONG_AT_USE: dict[str, dict[str, Any]] = {
    "the other ceremony": {"type": "webauthn.create"},
    "not eligible any more": {"be": False, "bs": False},
    "another signature": {"signature": phones.sign(phones.new_key(ES256), b"something")},
    "no signature": {"signature": b""},
    "a signature of zeros": {"signature": bytes(64)},
    "a signature that is missing": {"response": {"signature": None}},
    "a signature with noise": {"response": {"signature": "!!"}},
    "a user handle that is no text": {"response": {"userHandle": 5}},
    "a user handle that is no base64url": {"response": {"userHandle": "%"}},
    "bytes behind the data": {"data": hashlib.sha256(b"app.example").digest() + b"\x1d" + bytes(4) + b"more"},
    "more than 16 KiB": {"client": {"more": "m" * 16_384}},
}


@pytest.mark.parametrize("wrong", WRONG_IN_BOTH | WRONG_AT_CREATION)
def test_a_passkey_is_not_made_with(wrong: str) -> None:
    said = (WRONG_IN_BOTH | WRONG_AT_CREATION)[wrong]
    refused_at_creation(phone().create(creation(), **said))


@pytest.mark.parametrize("wrong", WRONG_IN_BOTH | WRONG_AT_USE)
def test_a_passkey_is_not_used_with(wrong: str) -> None:
    said = (WRONG_IN_BOTH | WRONG_AT_USE)[wrong]
    refused(lambda: used(HELD.get(REQUEST, **said), KEPT))


def test_no_algorithm_is_accepted_that_was_not_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ceremonies, "ALGORITHMS", ceremonies.ALGORITHMS[:1])
    assert made()
    refused(lambda: made(key=RSA))


def test_what_is_signed_cannot_be_changed_afterwards() -> None:
    honest = json.loads(HELD.get(REQUEST))
    for name in ("clientDataJSON", "authenticatorData", "signature"):
        whole = unb64(honest["response"][name])
        for at in range(0, len(whole), 3):
            changed = b64(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
            refused(lambda: used(json.dumps(honest | {"response": honest["response"] | {name: changed}}), KEPT))  # noqa: B023


def test_only_the_origins_configured_are_let_in() -> None:
    other = ceremonies.RelyingParty(id="app.example", origins=("https://other.example",))
    refused(lambda: ceremonies.created(other, challenge=CHALLENGE, credential=phone().create(creation())))
    nobody = ceremonies.RelyingParty(id="app.example", origins=())
    refused(lambda: ceremonies.created(nobody, challenge=CHALLENGE, credential=phone().create(creation())))


def test_an_answer_to_one_challenge_is_none_to_another() -> None:
    credential = HELD.get(REQUEST)
    refused(
        lambda: ceremonies.asserted(
            RP, challenge=ANOTHER, credential=credential, public_key=KEPT.public_key, sign_count=0, backup_eligible=True
        )
    )
    refused(lambda: ceremonies.created(RP, challenge=ANOTHER, credential=phone().create(creation())))


def test_one_passkey_does_not_answer_for_another() -> None:
    another, _ = having()
    refused(lambda: used(another.get(REQUEST), KEPT))


@pytest.mark.parametrize(("kept_eligible", "says"), [(True, False), (False, True)])
def test_eligibility_for_backup_never_changes(kept_eligible: bool, says: bool) -> None:
    held, kept = having(be=kept_eligible, bs=False)
    assert used(held.get(REQUEST, be=kept_eligible, bs=False), kept)
    refused(lambda: used(held.get(REQUEST, be=says, bs=False), kept))


def test_whether_it_is_backed_up_may_change() -> None:
    assert [used(HELD.get(REQUEST, bs=bs), KEPT).backed_up for bs in (True, False)] == [True, False]


@pytest.mark.parametrize(
    ("kept", "counter", "regressed"),
    [(0, 0, False), (0, 1, False), (5, 6, False), (5, 5, True), (5, 4, True), (5, 0, True)],
)
def test_a_count_that_goes_back_is_told_and_not_refused(kept: int, counter: int, regressed: bool) -> None:
    told = used(HELD.get(REQUEST, counter=counter), KEPT, sign_count=kept)
    assert (told.sign_count, told.count_regressed) == (counter, regressed)


def test_a_phone_may_keep_the_user_handle_to_itself() -> None:
    credential = HELD.get(REQUEST, user_handle=None)
    assert ceremonies.presented(credential) == (KEPT.credential_id, None) and used(credential, KEPT)


def test_sixteen_kibibytes_are_read_and_no_more() -> None:
    credential = HELD.get(REQUEST).ljust(16 * 1024)
    assert used(credential, KEPT) and ceremonies.presented(credential)
    refused(lambda: used(credential + " ", KEPT))
    refused(lambda: ceremonies.presented(credential + " "))


def test_a_platform_need_not_say_that_no_frame_was_there() -> None:
    client = {"type": "webauthn.get", "challenge": b64(CHALLENGE), "origin": "https://app.example"}
    assert used(HELD.get(REQUEST, client_data=json.dumps(client).encode()), KEPT)


@pytest.mark.parametrize("length", [1, 1023])
def test_an_id_of_any_allowed_length_is_looked_up(length: int) -> None:
    assert ceremonies.presented(HELD.get(REQUEST, credential_id=b"i" * length)) == (b"i" * length, HANDLE)


def test_what_is_presented_is_one_credential() -> None:
    for said in ({"json_id": b64(b"another")}, {"credential_id": b""}, {"credential_id": b"i" * 1024}):
        refused(lambda: ceremonies.presented(HELD.get(REQUEST, **said)))  # noqa: B023


GARBAGE = [
    "",
    "null",
    "[]",
    "7",
    '"text"',
    "{}",
    "[" * 16_000,
    '{"a":' * 3000,
    "{",
    "\ud800",
    "\0",
    "NaN",
    " " * 20_000,
]


@pytest.mark.parametrize("credential", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage_is_refused(credential: str) -> None:
    refused_at_creation(credential)
    refused(lambda: used(credential, KEPT))
    refused(lambda: ceremonies.presented(credential))


@pytest.mark.parametrize("stored", [b"", b"\x04", b"\xa0", b"\xff", cbor2.dumps({1: 2})])
def test_garbage_in_the_store_is_refused(stored: bytes) -> None:
    refused(lambda: used(HELD.get(REQUEST), replace(KEPT, public_key=stored)))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
CBOR = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**64), 2**64 - 1) | st.binary(max_size=64) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.integers(-9, 9) | st.text(max_size=4), inner, max_size=4)
        | st.builds(cbor2.CBORTag, st.integers(0, 300), inner)
    ),
    max_leaves=8,
)
HONEST = {"created": json.loads(phone().create(creation())), "used": json.loads(HELD.get(REQUEST))}
OPTIONAL = ("transports", "userHandle")
PLACES = [
    (ceremony, place)
    for ceremony, whole in HONEST.items()
    for place in (
        *((key,) for key in ("id", "rawId", "type", "response")),
        *(("response", key) for key in whole["response"] if key not in OPTIONAL),
    )
]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(PLACES), JSON)
def test_anything_else_in_any_place_is_refused(where: tuple[str, tuple[str, ...]], value: Any) -> None:
    ceremony, place = where
    whole = json.loads(json.dumps(HONEST[ceremony]))
    inner = whole
    for key in place[:-1]:
        inner = inner[key]
    if inner[place[-1]] == value:
        return
    inner[place[-1]] = value
    credential = json.dumps(whole)
    if ceremony == "created":
        refused_at_creation(credential)
    else:
        refused(lambda: used(credential, KEPT))


@settings(max_examples=60, deadline=None)
@given(CBOR, st.binary(max_size=200))
def test_anything_else_for_a_key_is_refused(key: Any, behind: bytes) -> None:
    try:
        public_key = cbor2.dumps(key) + behind
    except cbor2.CBOREncodeError:
        return
    refused_at_creation(phone().create(creation(), public_key=public_key))


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from([1, 3, -1, -2, -3]), CBOR, min_size=1, max_size=2))
def test_anything_else_in_a_key_is_refused_or_is_a_key(members: dict[int, Any]) -> None:
    try:
        credential = phone().create(creation(), key=HELD.passkeys[0].key, cose=members)
        ceremonies.created(RP, challenge=CHALLENGE, credential=credential)
    except (ceremonies.PasskeyRefused, cbor2.CBOREncodeError):
        return
    assert members.items() <= phones.cose(HELD.passkeys[0].key).items()


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300), CBOR)
def test_anything_else_for_an_attestation_is_refused(data: bytes, statement: Any) -> None:
    try:
        whole = cbor2.dumps({"fmt": "none", "attStmt": statement, "authData": data})
    except cbor2.CBOREncodeError:
        return
    refused_at_creation(phone().create(creation(), attestation=whole))
    refused_at_creation(phone().create(creation(), attestation=data))


def test_a_hostile_answer_costs_no_time() -> None:
    tags = [cbor2.CBORTag(4, [10**15, 1]), cbor2.CBORTag(5, [10**15, 1]), cbor2.CBORTag(35, "(" * 4000)]
    begun = time.thread_time()
    for bomb in (*map(cbor2.dumps, tags), b"\xd8\x23" * 4000, b"\xc2\x59\x20\x00" + b"\xff" * 8192, b"\x9f" * 11_000):
        refused_at_creation(phone().create(creation(), attestation=bomb))
        refused_at_creation(phone().create(creation(), public_key=bomb[:8000]))
    assert time.thread_time() - begun < 5


def test_a_phone_keeps_its_passkeys_in_a_file() -> None:
    for said in ({}, {"alg": EDDSA}, {"key": RSA}):
        held, kept = having(be=False, bs=False, **said)
        again = Authenticator.of(json.loads(json.dumps(held.state())))
        assert used(again.get(REQUEST, be=False, bs=False), kept).sign_count == 2
        assert again.state() != held.state() and again.origin == held.origin


def test_a_phone_looks_for_a_passkey_that_fits() -> None:
    two = phone()
    first = ceremonies.created(RP, challenge=CHALLENGE, credential=two.create(creation()))
    two.create(creation())
    asking = json.loads(REQUEST) | {"allowCredentials": [{"type": "public-key", "id": b64(first.credential_id)}]}
    assert used(two.get(json.dumps(asking)), first)
    with pytest.raises(LookupError, match="no passkey"):
        phone().get(REQUEST)
    with pytest.raises(LookupError, match="no passkey"):
        two.get(json.dumps(json.loads(REQUEST) | {"rpId": "evil.example"}))


def test_a_mutation_that_mutates_nothing_is_an_error() -> None:
    with pytest.raises(TypeError, match="aaguid"):
        HELD.get(REQUEST, aaguid=b"")
    with pytest.raises(TypeError, match="signatrue"):
        phone().create(creation(), signatrue=b"")


def test_a_passkey_is_used_by_name() -> None:
    stranger = Passkey(b"s" * 16, "app.example", b"h", phones.new_key(ES256))
    assert ceremonies.presented(HELD.get(REQUEST, passkey=stranger)) == (b"s" * 16, b"h")
