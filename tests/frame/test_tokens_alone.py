"""Tokens without a database: what is signed, what is believed, and when it is not any more."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.utils import base64url_encode

from api import auth, db, errors, keys, vocabulary

ISSUER = "https://c.example"
# Tokens count whole seconds: NOW is so much after the second that they say.
PART = 0.4
NOW = datetime(2026, 11, 26, 12, 0, 0, int(PART * 1_000_000), tzinfo=UTC)
PATIENT = UUID("0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e01")
PHONE = UUID("0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e02")
PROVED = auth.Proved("phr", ("hwk", "user"), NOW - timedelta(seconds=30))
Travel = Callable[[float], None]


def key_set(*jwks: dict[str, Any]) -> Callable[[], keys.KeySet]:
    held = keys.KeySet.of({"keys": list(jwks)})
    return lambda: held


FIRST = keys.new_key()


@pytest.fixture
def tokens() -> auth.Tokens:
    return auth.Tokens(key_set(FIRST), issuer=ISSUER, remembered=2)


@pytest.fixture(autouse=True)
def travel() -> Iterator[Travel]:
    """Moves all clocks, the library's too, to so many seconds after NOW."""
    with time_machine.travel(NOW, tick=False) as traveller:
        yield lambda seconds: traveller.move_to(NOW + timedelta(seconds=seconds))


def of_patient(tokens: auth.Tokens, **more: Any) -> str:
    asked = {"scopes": ["me:read", "sessions:read"], "sid": PHONE, "client_id": "continuum-app", **more}
    return tokens.issue(kind="patient", subject=PATIENT, **asked)


def of_client(tokens: auth.Tokens, kind: str = "clinic") -> str:
    return tokens.issue(kind=kind, subject=PATIENT, client_id=str(PATIENT), scopes=vocabulary.SCOPES[kind][:1])


def said(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})


def forged(claims: dict[str, Any], **headers: Any) -> str:
    key = keys.KeySet.of({"keys": [FIRST]}).signing(NOW)
    return jwt.encode(claims, key.private, algorithm="ES256", headers={"typ": "at+jwt", "kid": key.kid, **headers})


def test_a_patients_token_says_who_where_and_how(tokens: auth.Tokens) -> None:
    told = said(of_patient(tokens, key="thumbprint", proved=PROVED))
    jti = told.pop("jti")
    assert len(jti) == 22
    assert told == {
        "iss": ISSUER,
        "aud": f"{ISSUER}/v1/me",
        "kind": "patient",
        "sub": str(PATIENT),
        "client_id": "continuum-app",
        "scope": "me:read sessions:read",
        "iat": int(NOW.timestamp()),
        "exp": int(NOW.timestamp()) + 600,
        "sid": str(PHONE),
        "cnf": {"jkt": "thumbprint"},
        "acr": "phr",
        "amr": ["hwk", "user"],
        "auth_time": int(NOW.timestamp()) - 30,
    }
    assert jwt.get_unverified_header(of_patient(tokens))["typ"] == "at+jwt"


def test_a_systems_token_says_no_more_than_it_must(tokens: auth.Tokens) -> None:
    told = said(of_client(tokens, "partner"))
    assert not {"sid", "cnf", "acr", "amr", "auth_time"} & told.keys()
    assert told["exp"] - told["iat"] == 300 and told["aud"] == f"{ISSUER}/v1/partner"


def test_a_patients_token_makes_a_caller(tokens: auth.Tokens) -> None:
    token = of_patient(tokens, key="thumbprint", proved=PROVED)
    assert tokens.caller(token, kind="patient") == db.Caller(
        kind="patient",
        patient_id=PATIENT,
        app_session_id=PHONE,
        token_id=said(token)["jti"],
        scopes=frozenset({"me:read", "sessions:read"}),
        app="continuum-app",
        key="thumbprint",
        acr="phr",
        authenticated_at=int(NOW.timestamp()) - 30,
    )


def test_a_systems_token_makes_a_caller(tokens: auth.Tokens) -> None:
    token = of_client(tokens)
    assert tokens.caller(token, kind="clinic") == db.Caller(
        kind="clinic", client_id=PATIENT, token_id=said(token)["jti"], scopes=frozenset({"catalogue:read"})
    )


@pytest.mark.parametrize("kind", ["partner", "clinic", "patient"])
def test_a_token_opens_the_doors_of_one_kind(tokens: auth.Tokens, kind: str) -> None:
    own = of_patient(tokens) if kind == "patient" else of_client(tokens, kind)
    for other in {"partner", "clinic", "patient"} - {kind}:
        with pytest.raises(auth.InvalidToken):
            tokens.caller(own, kind=other)
    assert tokens.caller(own, kind=kind).kind == kind
    # Remembered by now, and still of one kind.
    for other in {"partner", "clinic", "patient"} - {kind}:
        with pytest.raises(auth.InvalidToken):
            tokens.caller(own, kind=other)


def test_a_token_holds_until_its_end_and_a_little_longer(tokens: auth.Tokens, travel: Travel) -> None:
    token = of_patient(tokens)
    travel(600 + auth.LEEWAY_SECONDS - PART - 0.1)
    assert tokens.caller(token, kind="patient").patient_id == PATIENT
    travel(600 + auth.LEEWAY_SECONDS - PART)
    for _ in range(2):
        with pytest.raises(auth.TokenExpired):
            tokens.caller(token, kind="patient")


def test_a_remembered_token_ends_when_a_fresh_one_would(tokens: auth.Tokens, travel: Travel) -> None:
    token = of_patient(tokens)
    tokens.caller(token, kind="patient")
    travel(600 + auth.LEEWAY_SECONDS - PART - 0.1)
    assert tokens.caller(token, kind="patient")
    travel(600 + auth.LEEWAY_SECONDS - PART)
    with pytest.raises(auth.TokenExpired):
        tokens.caller(token, kind="patient")


def test_a_signature_is_checked_once_by_each_set_of_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    checked, decode = list[Any](), jwt.decode
    monkeypatch.setattr(jwt, "decode", lambda *args, **kwargs: checked.append(args) or decode(*args, **kwargs))
    sets = [keys.KeySet.of({"keys": [FIRST, *more]}) for more in ([], [keys.new_key()])]
    tokens = auth.Tokens(lambda: sets[0], issuer=ISSUER, remembered=2)
    token = of_patient(tokens)
    for times in (1, 2):
        assert tokens.caller(token, kind="patient") == tokens.caller(token, kind="patient")
        assert len(checked) == times
        sets.reverse()


def test_as_many_tokens_are_remembered_as_were_said(tokens: auth.Tokens) -> None:
    made = [of_patient(tokens) for _ in range(3)]
    for token in made:
        tokens.caller(token, kind="patient")
    assert list(tokens._verified) == made[1:]
    none = auth.Tokens(key_set(FIRST), issuer=ISSUER, remembered=0)
    none.caller(made[0], kind="patient")
    assert not none._verified


@pytest.mark.parametrize("name", auth.CLAIMS)
def test_every_claim_is_needed(tokens: auth.Tokens, name: str) -> None:
    claims = said(of_patient(tokens))
    del claims[name]
    with pytest.raises(auth.InvalidToken):
        tokens.caller(forged(claims), kind="patient")


CHANGES: dict[str, dict[str, Any]] = {
    "issuer": {"iss": "https://c.example/"},
    "audience": {"aud": f"{ISSUER}/v1/clinic"},
    "kind": {"kind": "clinic"},
    "subject": {"sub": "sam"},
    "phone": {"sid": "phone"},
    "time": {"iat": int(NOW.timestamp()) + 60},
    "key": {"cnf": {}},
    "key as text": {"cnf": "thumbprint"},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_changed_claim_is_not_believed(tokens: auth.Tokens, change: dict[str, Any]) -> None:
    with pytest.raises(auth.InvalidToken):
        tokens.caller(forged(said(of_patient(tokens)) | change), kind="patient")


@pytest.mark.parametrize(
    "headers",
    [
        {"typ": "JWT"},
        {"typ": ""},
        {"kid": "other"},
        {"kid": ""},
        {"crit": ["exp"]},
        {"crit": []},
    ],
)
def test_a_changed_header_is_not_believed(tokens: auth.Tokens, headers: dict[str, Any]) -> None:
    with pytest.raises(auth.InvalidToken):
        tokens.caller(forged(said(of_patient(tokens)), **headers), kind="patient")


def by_hand(claims: dict[str, Any], **headers: Any) -> str:
    """As `forged`, with headers that PyJWT would not write."""
    key = keys.KeySet.of({"keys": [FIRST]}).signing(NOW)
    parts = {"alg": "ES256", "typ": "at+jwt", "kid": key.kid, **headers}, claims
    body = b".".join(base64url_encode(json.dumps(part).encode()) for part in parts)
    signature = jwt.get_algorithm_by_name("ES256").sign(body, key.private)
    return (body + b"." + base64url_encode(signature)).decode()


def test_what_must_be_understood_is_not_believed_though_the_library_understands_it(tokens: auth.Tokens) -> None:
    claims = said(of_patient(tokens))
    assert tokens.caller(by_hand(claims), kind="patient")
    with pytest.raises(auth.InvalidToken):
        tokens.caller(by_hand(claims, crit=["b64"], b64=True), kind="patient")


@pytest.mark.parametrize("type_", ["at+jwt", "AT+JWT", "application/at+jwt"])
def test_the_type_may_be_written_in_full(tokens: auth.Tokens, type_: str) -> None:
    assert tokens.caller(forged(said(of_patient(tokens)), typ=type_), kind="patient").kind == "patient"


def test_a_token_has_a_length(tokens: auth.Tokens) -> None:
    claims = said(of_patient(tokens))
    few = (auth.LONGEST_TOKEN - len(forged(claims | {"x": ""}))) * 3 // 4 - 3
    growing = [forged(claims | {"x": "x" * (few + more)}) for more in range(8)]
    longest = next(token for token in growing if len(token) == auth.LONGEST_TOKEN)
    assert tokens.caller(longest, kind="patient")
    with pytest.raises(auth.InvalidToken):
        tokens.caller(next(token for token in growing if len(token) > auth.LONGEST_TOKEN), kind="patient")


@pytest.mark.parametrize("text", ["", "a", "a.b.c", "." * 3, "é.é.é", "x" * 5000])
def test_what_is_no_token_is_not_believed(tokens: auth.Tokens, text: str) -> None:
    for _ in range(2):
        with pytest.raises(auth.InvalidToken):
            tokens.caller(text, kind="patient")
    assert not tokens._verified


def test_scopes_of_another_kind_are_not_granted(tokens: auth.Tokens) -> None:
    with pytest.raises(ValueError, match=r"not scopes of a patient: \['audit:read'\]"):
        of_patient(tokens, scopes=["me:read", "audit:read"])


def test_each_key_has_one_algorithm() -> None:
    """RFC 9068 §2.1 wants RS256 to be verifiable; a key of one kind verifies nothing of the other."""
    private = rsa.generate_private_key(65537, 2048)
    jwk = {**jwt.algorithms.RSAAlgorithm.to_jwk(private, as_dict=True), "kid": "rsa"}
    both = auth.Tokens(key_set(FIRST, jwk), issuer=ISSUER, remembered=0)
    rs = auth.Tokens(key_set(jwk), issuer=ISSUER, remembered=0)
    token = of_patient(rs)
    assert jwt.get_unverified_header(token)["alg"] == "RS256"
    assert both.caller(token, kind="patient").patient_id == PATIENT
    swapped = jwt.encode(said(token), private, algorithm="RS384", headers={"typ": "at+jwt", "kid": "rsa"})
    with pytest.raises(auth.InvalidToken):
        both.caller(swapped, kind="patient")


def test_the_key_whose_time_came_last_signs_and_all_verify(travel: Travel) -> None:
    document = keys.rotated({"keys": [FIRST]}, at=NOW)
    tokens = auth.Tokens(key_set(*document["keys"]), issuer=ISSUER, remembered=0)
    before = of_patient(tokens)
    travel(keys.AHEAD.total_seconds() - 1)
    assert jwt.get_unverified_header(of_patient(tokens))["kid"] == FIRST["kid"]
    travel(keys.AHEAD.total_seconds())
    after = of_patient(tokens)
    assert jwt.get_unverified_header(after)["kid"] == document["keys"][1]["kid"] != FIRST["kid"]
    assert tokens.caller(after, kind="patient") and jwt.get_unverified_header(before)["kid"] == FIRST["kid"]


def test_a_rotation_waits_for_the_one_before_and_drops_what_no_token_needs() -> None:
    once = keys.rotated({"keys": [FIRST], "note": "kept"}, at=NOW)
    with pytest.raises(ValueError, match="does not sign yet"):
        keys.rotated(once, at=NOW + keys.AHEAD - timedelta(seconds=1))
    soon = keys.rotated(once, at=NOW + keys.AHEAD + timedelta(seconds=1))
    assert [key["kid"] for key in soon["keys"]][:2] == [key["kid"] for key in once["keys"]] and soon["note"] == "kept"
    later = keys.rotated(once, at=NOW + keys.AHEAD + keys.RETIRED_AFTER + timedelta(seconds=1))
    assert next(key["kid"] for key in later["keys"]) == once["keys"][1]["kid"] and len(later["keys"]) == 2


def test_what_is_published_holds_no_secret() -> None:
    rs = {**jwt.algorithms.RSAAlgorithm.to_jwk(rsa.generate_private_key(65537, 2048), as_dict=True), "kid": "rsa"}
    (ec_key, rsa_key) = keys.KeySet.of({"keys": [FIRST, rs]}).published()["keys"]
    assert set(ec_key) == {"kty", "crv", "x", "y", "kid", "use", "alg"}
    assert set(rsa_key) == {"kty", "n", "e", "kid", "use", "alg"}
    assert (ec_key["use"], ec_key["alg"], rsa_key["alg"]) == ("sig", "ES256", "RS256")


@pytest.mark.parametrize(
    "jwk",
    [
        jwt.algorithms.ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP384R1()), as_dict=True),
        jwt.algorithms.ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()).public_key(), as_dict=True),
        jwt.algorithms.RSAAlgorithm.to_jwk(rsa.generate_private_key(65537, 1024), as_dict=True),
    ],
    ids=["another curve", "a public key", "a short key"],
)
def test_a_key_that_must_not_sign_is_refused(jwk: dict[str, Any]) -> None:
    with pytest.raises((ValueError, jwt.PyJWTError)):
        keys.KeySet.of({"keys": [{**jwk, "kid": "weak"}]})


@pytest.mark.parametrize("jwks", [[], [FIRST, FIRST]])
def test_a_set_has_keys_with_names_of_their_own(jwks: list[dict[str, Any]]) -> None:
    with pytest.raises(ValueError, match="a key set needs"):
        keys.KeySet.of({"keys": jwks})


def test_a_file_of_keys_is_followed(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    file, now = tmp_path / "keys.json", [100.0]
    monkeypatch.setattr("api.keys.time.monotonic", lambda: now[0])
    file.write_text(json.dumps({"keys": [FIRST]}))
    file.chmod(0o600)
    held = keys.KeyFile(file)
    keys.rotate(file, at=NOW)
    assert len(held.current().public) == 1
    now[0] += keys.LOOK_SECONDS + 0.1
    assert len(held.current().public) == 2
    assert file.stat().st_mode & 0o777 == 0o600
    file.write_text("{")
    now[0] += keys.LOOK_SECONDS + 0.1
    assert len(held.current().public) == 2


def test_a_rotation_leaves_the_file_whose_it_is_and_where_it_is(tmp_path: Any) -> None:
    """Secrets are often mounted as links, readable by the group of the service."""
    held, link = tmp_path / "held", tmp_path / "keys.json"
    held.write_text(json.dumps({"keys": [FIRST]}))
    held.chmod(0o640)
    link.symlink_to(held)
    keys.rotate(link, at=NOW)
    assert link.is_symlink() and len(json.loads(held.read_text())["keys"]) == 2
    assert held.stat().st_mode & 0o777 == 0o640


def test_two_rotations_at_once_are_one(tmp_path: Any) -> None:
    file = tmp_path / "keys.json"
    file.write_text(json.dumps({"keys": [FIRST]}))
    file.with_suffix(".new").touch()
    with pytest.raises(FileExistsError):
        keys.rotate(file, at=NOW)
    assert json.loads(file.read_text()) == {"keys": [FIRST]}


def test_a_key_that_was_taken_away_is_believed_no_longer() -> None:
    sets = [keys.KeySet.of({"keys": [FIRST]}), keys.KeySet.of({"keys": [keys.new_key()]})]
    tokens = auth.Tokens(lambda: sets[0], issuer=ISSUER, remembered=5)
    token = of_patient(tokens)
    assert tokens.caller(token, kind="patient")
    sets.pop(0)
    with pytest.raises(auth.InvalidToken):
        tokens.caller(token, kind="patient")


HEADERS: dict[str | None, tuple[str, str] | type[errors.Refusal]] = {
    None: auth.NoToken,
    "": auth.NoToken,
    "Basic c2Ft": auth.NoToken,
    "bearer": auth.InvalidToken,
    "Bearer  ": auth.InvalidToken,
    "DPoP": auth.InvalidToken,
    "Bearer a.b.c": ("bearer", "a.b.c"),
    "dPoP  a.b.c ": ("dpop", "a.b.c"),
}


@pytest.mark.parametrize(("header", "expected"), HEADERS.items())
def test_a_token_is_presented_by_its_scheme(header: str | None, expected: Any) -> None:
    if isinstance(expected, tuple):
        assert auth.presented(header) == auth.Presented(*expected)
    else:
        with pytest.raises(expected) as refused:
            auth.presented(header)
        assert type(refused.value) is expected


@pytest.mark.parametrize(
    ("acr", "seconds", "fits"),
    [
        ("phr", 0, True),
        ("phr", 300, True),
        ("phr", 301, False),
        ("urn:continuum:acr:aal2", 10, True),
        ("urn:continuum:acr:aal1", 10, False),
        (None, 10, False),
        ("phr", None, False),
    ],
)
def test_a_step_up_wants_a_strong_proof_of_a_little_while_ago(acr: str | None, seconds: int | None, fits: bool) -> None:
    at = datetime(2026, 11, 26, 12, tzinfo=UTC)
    since = None if seconds is None else int(at.timestamp()) - seconds
    caller = db.Caller(kind="patient", acr=acr, authenticated_at=since)
    if fits:
        auth.refuse_weak(caller, at=at)
    else:
        with pytest.raises(auth.StepUpRequired):
            auth.refuse_weak(caller, at=at)


METADATA = 'resource_metadata="https://c.example/.well-known/oauth-protected-resource/v1'
CHALLENGES: list[tuple[Callable[[], errors.Refusal], str, str | None, str]] = [
    (auth.NoToken, "patient", None, f'DPoP algs="ES256", {METADATA}/me"'),
    (auth.NoToken, "clinic", None, f'Bearer {METADATA}/clinic"'),
    (auth.InvalidToken, "patient", "bearer", f'Bearer error="invalid_token", {METADATA}/me"'),
    (auth.InvalidToken, "partner", "dpop", f'DPoP algs="ES256", error="invalid_token", {METADATA}/partner"'),
    (
        lambda: auth.InsufficientScope("a:read"),
        "clinic",
        "bearer",
        f'Bearer error="insufficient_scope", scope="a:read", {METADATA}/clinic"',
    ),
    (auth.InsufficientScope, "clinic", "bearer", f'Bearer error="insufficient_scope", {METADATA}/clinic"'),
    (
        auth.StepUpRequired,
        "patient",
        "dpop",
        'DPoP algs="ES256", error="insufficient_user_authentication", '
        f'acr_values="urn:continuum:acr:aal2 phr", max_age="300", {METADATA}/me"',
    ),
]


@pytest.mark.parametrize(("refusal", "kind", "scheme", "expected"), CHALLENGES)
def test_a_challenge_says_what_is_missing(
    refusal: Callable[[], errors.Refusal], kind: str, scheme: str | None, expected: str
) -> None:
    assert auth.challenge(refusal(), kind=kind, scheme=scheme, issuer=ISSUER) == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ('"u-17";role=counselor', ("u-17", "counselor")),
        (' "u \\"17\\\\";  role=a/b ', ('u "17\\', "a/b")),
        (f'"{"u" * 64}";role={"r" * 64}', ("u" * 64, "r" * 64)),
    ],
)
def test_a_person_is_named_with_a_role(header: str, expected: tuple[str, str]) -> None:
    assert auth.acting_user(header) == expected
    acting = auth.acting(db.SYSTEM, header)
    assert (acting.acting_user, acting.acting_role, acting.kind) == (*expected, "clinic")


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "u-17",
        '"u-17"',
        '"u-17";role=',
        '"";role=a',
        f'"{"u" * 65}";role=a',
        f'"u";role={"r" * 65}',
        '"u";role=1a',
    ],
)
def test_nobody_is_named_otherwise(header: str | None) -> None:
    with pytest.raises(auth.ActingUserMissing):
        auth.acting_user(header)
