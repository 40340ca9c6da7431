"""Signing in on the app's own screens: every way in, and everything that is not let in by OAuth's rules.

OAuth for First-Party Apps, RFC 6749, RFC 7636, RFC 9449 and RFC 9470, by what a phone sees of them.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import argon2
import pytest

from api import vocabulary
from api.access import attempts, hashing, sealing
from tests.access.ways import PASSWORD, VERIFIER, begin, challenge_of, code_now, exchange, problem, refusal
from tests.dpop import Key
from tests.knocking import Knocker
from tests.phone import APP, Answer, Phone, Refused

SQL = Callable[..., list[tuple[Any, ...]]]
NewPhone = Callable[..., Phone]
Invite = Callable[..., str]
HERE = "/oauth/authorize-challenge"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
AAL2, PHR = vocabulary.STRONG_ACRS


@pytest.fixture
def named(new_phone: NewPhone, invite: Invite, patient: Knocker) -> Iterator[Phone]:
    """A phone that was set up with a name, a password and one-time codes; its `name` is that sign-in name."""
    made = new_phone()
    made.name = made.set_password(
        invite(patient, "link_code"), "Sam Rivera", PASSWORD, code_now, keep_authenticators="true"
    )
    yield made


@pytest.fixture
def opened(new_phone: NewPhone, invite: Invite, patient: Knocker) -> tuple[Phone, dict[str, Any]]:
    """A phone whose activation code was right, and the step that follows."""
    made = new_phone()
    return made, made.challenge(**begin(activation_code=invite(patient, "link_code"))).json


def raw(phone: Phone, body: bytes, path: str = HERE, **headers: str) -> Answer:
    """A request with a proof, and whatever else is said."""
    url = phone.address + path
    proof = phone.key.proof("POST", url.partition("?")[0])
    return phone.transport("POST", url, {**FORM, "DPoP": proof, **headers}, body)


def passkey_step(phone: Phone, **more: str | None) -> Any:
    return phone.challenge(**begin(**more)).json


def answered(phone: Phone, step: dict[str, Any], **more: str) -> Answer:
    """The step answered by the phone's passkey."""
    return phone.challenge(auth_session=step["auth_session"], passkey=phone.asserted(step["passkey_request"]), **more)


def by_name(phone: Phone, *, steps: int = 1, **more: str | None) -> Answer:
    """A sign-in by name; the code of the step after this one, for this one's was used to set it up."""
    said = {"sign_in_name": phone.name, "password": PASSWORD, "totp": code_now(phone.secret, steps=steps)}
    return phone.challenge(**begin(**{**said, **more}))


def told(sql: SQL) -> list[str]:
    """What the patients are told, in order."""
    return [name for (name,) in sql("SELECT task_name FROM jobs.procrastinate_jobs ORDER BY id")]


# Ways in.


@pytest.mark.parametrize("form", ["code", "link_code"])
def test_either_form_of_an_activation_code_sets_up_a_passkey(
    new_phone: NewPhone, invite: Invite, patient: Knocker, form: str
) -> None:
    phone = new_phone()
    step = phone.challenge(**begin(activation_code=invite(patient, form)))
    assert refusal(step) == (400, "insufficient_authorization")
    assert {"auth_session", "passkey_creation", "totp_secret", "totp_uri"} <= step.json.keys()
    tokens = phone.register(step.json, VERIFIER)
    assert tokens["token_type"] == "DPoP" and tokens["refresh_token_expires_in"] > 0
    assert set(tokens["scope"].split()) == set(vocabulary.PATIENT_SCOPES)
    assert phone.get("/v1/me").status == 200


def test_a_code_lets_in_once(new_phone: NewPhone, invite: Invite, patient: Knocker) -> None:
    code = invite(patient, "link_code")
    first, second = new_phone(), new_phone()
    steps = [one.challenge(**begin(activation_code=code)).json for one in (first, second)]
    first.register(steps[0], VERIFIER)
    with pytest.raises(Refused) as refused:
        second.register(steps[1], VERIFIER)
    assert refusal(refused.value.answer) == (400, "access_denied")
    assert refusal(second.challenge(**begin(activation_code=code))) == (400, "access_denied")


def test_the_account_says_nothing_of_the_clinic_or_the_person(opened: tuple[Phone, dict[str, Any]]) -> None:
    _, step = opened
    shown = (step["passkey_creation"] + step["totp_uri"]).lower()
    assert json.loads(step["passkey_creation"])["user"]["displayName"] in ("", "Clinic app account")
    assert not any(word in shown for word in ("sam", "trinity", "continuum", "recovery", "treatment"))


def test_a_name_gets_four_digits_and_signs_in(named: Phone) -> None:
    assert re.fullmatch(r"sam\.rivera-[0-9]{4}", named.name)
    code = by_name(named).json["authorization_code"]
    assert named.form("/oauth/token", exchange(code)).status == 200


def test_a_name_is_typed_as_people_type(named: Phone) -> None:
    assert by_name(named, sign_in_name=f"  {named.name.upper()} ").status == 200


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"password": "short"}, "too_short"),
        ({"password": "x" * 257 + "yz"}, "too_long"),
        ({"password": "password123"}, "too_common"),
        ({"password": "Sam.Rivera2026"}, "like_the_name"),
        ({"sign_in_name": "é"}, "name_refused"),
    ],
)
def test_a_choice_that_cannot_be_is_made_again_in_the_same_attempt(
    opened: tuple[Phone, dict[str, Any]], said: dict[str, str], reason: str
) -> None:
    phone, step = opened
    session = {"auth_session": step["auth_session"]}
    wish = {"sign_in_name": "Sam Rivera", "password": PASSWORD, "totp": code_now(step["totp_secret"])}
    for _ in range(attempts.MOST_TRIES + 1):
        answer = phone.challenge(**session, **{**wish, **said})
        assert refusal(answer) == (400, "insufficient_authorization")
        assert answer.json["reason"] == reason and answer.json["auth_session"] == step["auth_session"]
    assert phone.challenge(**session, **wish).status == 200


def test_a_one_time_code_counts_once(named: Phone) -> None:
    assert refusal(by_name(named, steps=0)) == (400, "access_denied")
    assert by_name(named).status == 200
    assert refusal(by_name(named)) == (400, "access_denied")


def test_a_one_time_code_of_long_ago_is_none(named: Phone, owner_sql: SQL) -> None:
    owner_sql("UPDATE sign_in_accounts SET totp_last_step = NULL")
    assert refusal(by_name(named, steps=-2)) == (400, "access_denied")
    assert by_name(named, steps=-1).status == 200


def test_a_phone_that_set_a_name_up_is_known_under_it(named: Phone, new_phone: NewPhone) -> None:
    for number in range(11):
        stranger = new_phone(f"192.0.2.{number}")
        answer = stranger.challenge(**begin(sign_in_name=named.name, password="guessed it", totp="000000"))
    assert answer.status == 429
    assert by_name(named).status == 200


def test_a_passkey_signs_in_without_any_name(phone: Phone) -> None:
    step = passkey_step(phone)
    assert "allowCredentials" not in json.loads(step["passkey_request"])
    code = answered(phone, step).json["authorization_code"]
    assert phone.form("/oauth/token", exchange(code)).status == 200


def test_a_passkey_that_names_nobody_is_refused(phone: Phone) -> None:
    """WebAuthn level 3 §7.2 step 6."""
    step = passkey_step(phone)
    assert phone.authenticator
    credential = phone.authenticator.get(step["passkey_request"], user_handle=None)
    assert refusal(phone.challenge(auth_session=step["auth_session"], passkey=credential)) == (400, "access_denied")


def test_a_second_phone_may_keep_the_first(
    phone: Phone, new_phone: NewPhone, invite: Invite, patient: Knocker, owner_sql: SQL
) -> None:
    second = new_phone()
    second.activate(invite(patient, "link_code"), keep_authenticators="true")
    assert phone.get("/v1/me").status == 200
    phone.sign_in()
    assert owner_sql("SELECT count(*) FROM passkeys") == [(2,)]


def test_else_whatever_was_set_up_before_ends(
    phone: Phone, named: Phone, new_phone: NewPhone, invite: Invite, patient: Knocker, owner_sql: SQL
) -> None:
    owner_sql("DELETE FROM jobs.procrastinate_jobs")
    new_phone().activate(invite(patient, "link_code"))
    for old in (phone, named):
        assert (old.get("/v1/me").status, problem(old.get("/v1/me"))) == (401, "session-revoked")
    assert refusal(answered(phone, passkey_step(phone))) == (400, "access_denied")
    assert refusal(by_name(named)) == (400, "access_denied")
    assert told(owner_sql) == ["tell-authenticator-removed", "tell-authenticator-added"]


def test_a_passkey_that_is_registered_already_is_refused_like_a_broken_one(
    phone: Phone, new_phone: NewPhone, invite: Invite, other_patient: Knocker, owner_sql: SQL
) -> None:
    """WebAuthn level 3 §7.1 step 26; and nothing of the attempt is kept."""
    thief = new_phone()
    assert phone.authenticator
    taken = phone.authenticator.passkeys[0].id
    for said in ({"credential_id": taken}, {"uv": False}):
        step = thief.challenge(**begin(activation_code=invite(other_patient, "link_code"))).json
        credential = phone.authenticator.create(step["passkey_creation"], keep=False, **said)
        answer = thief.challenge(auth_session=step["auth_session"], passkey=credential)
        assert refusal(answer) == (400, "access_denied")
    assert owner_sql("SELECT count(*) FROM passkeys") == [(1,)]
    assert owner_sql("SELECT sum(tries) FROM sign_ins WHERE code_hash IS NULL") == [(2,)]


# What is asked for.


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": ""}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"client_id": None}, "unauthorized_client"),
        ({"client_id": "somebody-elses-app"}, "unauthorized_client"),
        ({"scope": "me:read patients:read"}, "invalid_scope"),
        ({"scope": "me:read  me:write"}, "invalid_request"),
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge": "x" * 42}, "invalid_request"),
        ({"code_challenge": "x" * 129}, "invalid_request"),
        ({"code_challenge": "x" * 42 + "+"}, "invalid_request"),
        ({"password": "alone"}, "invalid_request"),
        ({"device_name": "nul\x00"}, "invalid_request"),
        ({"sign_in_name": "x" * 201}, "invalid_request"),
        ({"auth_session": "no such attempt"}, "invalid_request"),
        ({"auth_session": "no-such-attempt"}, "invalid_session"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_its_own_word(
    new_phone: NewPhone, said: dict[str, str | None], error: str
) -> None:
    assert refusal(new_phone().challenge(**begin(**said))) == (400, error)


@pytest.mark.parametrize("length", [43, 128])
def test_what_is_empty_or_unknown_is_not_there(new_phone: NewPhone, length: int) -> None:
    more = {"scope": "", "activation_code": "", "redirect_uri": "x", "nobody_knows": "this", "client_secret": "s"}
    answer = new_phone().challenge(**begin(code_challenge="x" * length, **more))
    assert refusal(answer) == (400, "insufficient_authorization") and "passkey_request" in answer.json


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"client_id=continuum-app&client_id=continuum-app&response_type=code", 400),
        (b"unknown=1&unknown=2", 400),
        (b"sign_in_name=%ff%fe", 400),
        (b"sign_in_name=\xff\xfe", 400),
        (b"sign_in_name=%00", 400),
        (b"&".join(b"p%d=1" % number for number in range(41)), 400),
        (b"password=" + b"x" * 65_536, 413),
        (b"password=" + b"x" * 2_000_000, 413),
    ],
)
def test_a_form_that_no_app_sends_is_refused_at_once(new_phone: NewPhone, body: bytes, status: int) -> None:
    for path in (HERE, "/oauth/token", "/oauth/revoke"):
        assert refusal(raw(new_phone(), body, path)) == (status, "invalid_request")


@pytest.mark.parametrize("path", [HERE, "/oauth/token", "/oauth/revoke", "/oauth/introspect"])
def test_parameters_are_in_a_form_in_the_body_of_a_post(new_phone: NewPhone, path: str) -> None:
    phone = new_phone()
    assert refusal(raw(phone, b"", f"{path}?client_id={APP}")) == (400, "invalid_request")
    assert raw(phone, b"{}", path, **{"Content-Type": "application/json"}).status == 415
    got = phone.transport("GET", phone.address + path, {}, None)
    assert (got.status, got.headers["allow"]) == (405, "OPTIONS, POST")
    assert got.json["error"] == "invalid_request"


def test_the_app_proves_its_key(new_phone: NewPhone) -> None:
    phone = new_phone()
    without = phone.transport("POST", phone.address + HERE, FORM, b"client_id=continuum-app&response_type=code")
    assert without.json["error"] in ("invalid_dpop_proof", "invalid_request")
    phone.proof = {"htm": "GET"}
    assert refusal(phone.challenge(**begin())) == (400, "invalid_dpop_proof")


def test_a_phone_whose_clock_is_wrong_signs_in_with_the_servers_nonce(
    new_phone: NewPhone, invite: Invite, patient: Knocker
) -> None:
    phone = new_phone()
    phone.proof = {"iat": 1_000_000_000}
    assert phone.activate(invite(patient, "link_code"))["token_type"] == "DPoP"
    stale = phone.transport(
        "POST", phone.address + HERE, {**FORM, "DPoP": phone.key.proof("POST", phone.address + HERE, iat=1)}, b"a=b"
    )
    assert stale.json["error"] in ("use_dpop_nonce", "invalid_request")


def test_a_weaker_way_than_was_asked_for_does_not_do(named: Phone) -> None:
    """RFC 9470 §5: never silently less."""
    assert refusal(by_name(named, acr_values=PHR)) == (400, "unmet_authentication_requirements")
    assert refusal(by_name(named, acr_values="urn:somebody:else")) == (400, "unmet_authentication_requirements")
    assert by_name(named, acr_values=f"{PHR} {AAL2}").status == 200


@pytest.mark.parametrize("acr_values", [PHR, AAL2, " ".join(vocabulary.STRONG_ACRS)])
def test_a_stronger_way_than_was_asked_for_does(phone: Phone, acr_values: str) -> None:
    assert answered(phone, passkey_step(phone, acr_values=acr_values)).status == 200


def test_a_narrower_scope_is_granted_as_asked(phone: Phone) -> None:
    code = answered(phone, passkey_step(phone, scope="me:read")).json["authorization_code"]
    told = phone.form("/oauth/token", exchange(code))
    assert told.json["scope"] == "me:read"


# An attempt, and its end.


def test_an_attempt_belongs_to_its_key_and_its_client(phone: Phone) -> None:
    step, key = passkey_step(phone), phone.key
    phone.key = Key()
    assert refusal(answered(phone, step)) == (400, "invalid_session")
    phone.key = key
    assert refusal(answered(phone, step, client_id="somebody-elses-app")) == (400, "unauthorized_client")
    assert answered(phone, step, client_id=APP).status == 200


def test_an_attempt_that_was_concluded_goes_no_further(phone: Phone) -> None:
    step = passkey_step(phone)
    assert answered(phone, step).status == 200
    assert refusal(answered(phone, step)) == (400, "invalid_session")


def test_five_wrong_tries_end_an_attempt_by_passkey(phone: Phone) -> None:
    step = passkey_step(phone)
    assert phone.authenticator
    for _ in range(attempts.MOST_TRIES):
        wrong = phone.authenticator.get(step["passkey_request"], signature=b"wrong")
        assert refusal(phone.challenge(auth_session=step["auth_session"], passkey=wrong)) == (400, "access_denied")
    assert refusal(answered(phone, step)) == (400, "invalid_session")


def test_five_wrong_tries_end_an_attempt_by_password(named: Phone) -> None:
    session = {"auth_session": passkey_step(named)["auth_session"]}
    for _ in range(attempts.MOST_TRIES):
        assert refusal(by_name(named, totp="000000", **session)) == (400, "access_denied")
    assert refusal(by_name(named, **session)) == (400, "invalid_session")


def test_five_wrong_codes_end_an_attempt_after_an_activation_code(opened: tuple[Phone, dict[str, Any]]) -> None:
    phone, step = opened
    wish = {"auth_session": step["auth_session"], "sign_in_name": "Sam", "password": PASSWORD}
    for _ in range(attempts.MOST_TRIES):
        assert refusal(phone.challenge(**wish, totp="000000")) == (400, "access_denied")
    assert refusal(phone.challenge(**wish, totp=code_now(step["totp_secret"]))) == (400, "invalid_session")


def test_an_attempt_lasts_a_quarter_of_an_hour_and_its_passkey_challenge_five_minutes(
    opened: tuple[Phone, dict[str, Any]], owner_sql: SQL
) -> None:
    phone, step = opened
    wish = {"auth_session": step["auth_session"], "sign_in_name": "Sam", "password": PASSWORD}
    owner_sql("UPDATE sign_ins SET created_at = now() - interval '301 seconds'")
    with pytest.raises(Refused) as refused:
        phone.register(step, VERIFIER)
    assert refusal(refused.value.answer) == (400, "access_denied")
    owner_sql("UPDATE sign_ins SET expires_at = now()")
    answer = phone.challenge(**wish, totp=code_now(step["totp_secret"]))
    assert (refusal(answer), answer.json["retry"]) == ((400, "invalid_session"), "after_sign_in")


# The authorization code.


@pytest.mark.parametrize(("length", "status"), [(42, 400), (43, 200), (128, 200), (129, 400)])
def test_a_verifier_has_43_to_128_characters(phone: Phone, length: int, status: int) -> None:
    verifier = "v" * length
    code = answered(phone, passkey_step(phone, code_challenge=challenge_of(verifier))).json["authorization_code"]
    told = phone.form("/oauth/token", exchange(code, verifier))
    assert told.status == status and (status == 200 or refusal(told) == (400, "invalid_grant"))


def test_a_code_is_for_who_was_given_it(phone: Phone) -> None:
    code, key = answered(phone, passkey_step(phone)).json["authorization_code"], phone.key
    assert refusal(phone.form("/oauth/token", exchange(code, "another" + VERIFIER))) == (400, "invalid_grant")
    assert refusal(phone.form("/oauth/token", exchange(code, client_id="another"))) == (401, "invalid_client")
    phone.key = Key()
    assert refusal(phone.form("/oauth/token", exchange(code))) == (400, "invalid_grant")
    phone.key = key
    assert phone.form("/oauth/token", exchange(code)).status == 200


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ({"code": ""}, (400, "invalid_request")),
        ({"code_verifier": ""}, (400, "invalid_request")),
        ({"client_id": ""}, (400, "invalid_request")),
        ({"grant_type": ""}, (400, "invalid_request")),
        ({"grant_type": "password"}, (400, "unsupported_grant_type")),
        ({"grant_type": "client_credentials"}, (400, "unauthorized_client")),
        ({"resource": "https://elsewhere.example"}, (400, "invalid_target")),
        ({"code": "never-given"}, (400, "invalid_grant")),
    ],
)
def test_the_token_endpoint_refuses_by_its_own_words(
    new_phone: NewPhone, said: dict[str, str], answer: tuple[int, str]
) -> None:
    assert refusal(new_phone().form("/oauth/token", {**exchange("c"), **said})) == answer


def test_a_code_is_good_for_a_minute(phone: Phone, owner_sql: SQL) -> None:
    for seconds, status in ((59, 200), (61, 400)):
        code = answered(phone, passkey_step(phone)).json["authorization_code"]
        owner_sql("UPDATE sign_ins SET code_expires_at = code_expires_at - make_interval(secs => %s)", seconds)
        assert phone.form("/oauth/token", exchange(code)).status == status


def test_a_code_used_twice_ends_what_it_opened(phone: Phone, owner_sql: SQL) -> None:
    """RFC 6749 §4.1.2. The copy came from this phone's own key: nobody else can do that to a patient."""
    owner_sql("DELETE FROM jobs.procrastinate_jobs")
    code = answered(phone, passkey_step(phone)).json["authorization_code"]
    phone.tokens = phone.form("/oauth/token", exchange(code)).json
    key, phone.key = phone.key, Key()
    assert refusal(phone.form("/oauth/token", exchange(code))) == (400, "invalid_grant")
    phone.key = key
    assert phone.get("/v1/me").status == 200
    assert refusal(phone.form("/oauth/token", exchange(code))) == (400, "invalid_grant")
    assert problem(phone.get("/v1/me")) == "session-revoked"
    assert told(owner_sql) == ["tell-sign-in-ended"]
    why = "SELECT count(*) FROM audit_events WHERE problem = 'oauth-code-used-twice'"
    assert owner_sql(why) == [(1,)]


# Whose account is not active.


@pytest.mark.parametrize("status", ["suspended", "deceased", "merged"])
def test_whose_account_is_not_active_is_not_let_in(
    phone: Phone, named: Phone, new_phone: NewPhone, invite: Invite, patient: Knocker, owner_sql: SQL, status: str
) -> None:
    link, fresh = invite(patient, "link_code"), new_phone()
    step = fresh.challenge(**begin(activation_code=link)).json
    code = answered(phone, passkey_step(phone)).json["authorization_code"]
    owner_sql("UPDATE patients SET status = %s", status)
    denied = [answered(phone, passkey_step(phone)), by_name(named), fresh.challenge(**begin(activation_code=link))]
    with pytest.raises(Refused) as refused:
        fresh.register(step, VERIFIER)
    assert {refusal(one) for one in (*denied, refused.value.answer)} == {(400, "access_denied")}
    assert refusal(phone.form("/oauth/token", exchange(code))) == (400, "invalid_grant")


# What every answer has.


def test_every_answer_is_kept_by_nobody_and_says_what_to_do(phone: Phone, named: Phone) -> None:
    step = passkey_step(phone)
    refused = [
        phone.challenge(**begin(response_type=None)),
        phone.challenge(**begin(scope="nothing")),
        phone.challenge(**begin(activation_code="AAAA")),
        phone.challenge(**begin()),
        by_name(named, password="wrong"),
        by_name(named, acr_values=PHR),
        phone.form("/oauth/token", exchange("wrong")),
        phone.form("/oauth/revoke", {"client_id": APP}),
        raw(phone, b"{}", **{"Content-Type": "application/json"}),
    ]
    for answer in refused:
        assert answer.json["retry"] in vocabulary.RETRIES and answer.json["problem"].startswith("http")
        assert re.fullmatch(r"[ !#-\[\]-~]*", answer.json["error_description"])
    done = answered(phone, step)
    tokens = phone.form("/oauth/token", exchange(done.json["authorization_code"]))
    assert (done.status, tokens.status) == (200, 200)
    assert {one.headers["cache-control"] for one in (*refused, done, tokens)} == {"no-store"}
    assert {one.headers["content-type"] for one in (*refused, done, tokens)} == {"application/json"}


def test_a_password_is_hashed_anew_once_hashes_cost_more(named: Phone, owner_sql: SQL) -> None:
    cheap = argon2.PasswordHasher(time_cost=1, memory_cost=1024).hash(sealing.peppered(PASSWORD))
    owner_sql("UPDATE sign_in_accounts SET password_hash = %s", cheap)
    assert by_name(named).status == 200
    ((kept,),) = owner_sql("SELECT password_hash FROM sign_in_accounts")
    assert not hashing.outdated(kept) and hashing.matches(sealing.peppered(PASSWORD), kept)


def test_who_was_not_let_in_is_in_the_audit(named: Phone, owner_sql: SQL) -> None:
    by_name(named, password="wrong")
    named.form("/oauth/token", exchange("wrong"))
    said = "SELECT operation, problem, patient_id FROM audit_events WHERE outcome = 'refused' ORDER BY recorded_at"
    assert owner_sql(said) == [
        ("authorizeChallenge", "access-denied", None),
        ("requestToken", "invalid-grant", None),
    ]
