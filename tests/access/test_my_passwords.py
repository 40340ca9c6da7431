"""A signed-in patient sets a sign-in name, a password and one-time codes, after a fresh sign-in."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pyotp
import pytest
from prometheus_client import REGISTRY

from api import clock, db
from api.access import authenticators, hashing, offers, sealing
from api.access.models import SignInAccount
from api.app import Continuum
from tests.access.test_my_passkeys import problem
from tests.conftest import sign_in
from tests.knocking import Knocker
from tests.world import freshly

SQL = Callable[..., list[tuple[Any, ...]]]
PASSWORD, TOTP = "/v1/me/password", "/v1/me/totp"
GOOD = "four quiet herons wading"


@pytest.fixture
def sure(patient: Knocker) -> Knocker:
    return freshly(patient)


def put(sure: Knocker, password: str = GOOD, name: str | None = "Sam", **more: Any) -> Any:
    return sure.put(PASSWORD, json={"password": password, **({"sign_in_name": name} if name else {}), **more})


def held(patient: Knocker) -> SignInAccount:
    assert patient.id
    with db.transaction(db.Caller(kind="patient", patient_id=patient.id)):
        return authenticators.account(patient.id)


def hashes() -> float:
    return REGISTRY.get_sample_value("continuum_secret_hashes_total") or 0


def confirm(sure: Knocker, offer: dict[str, Any], code: str, **more: Any) -> Any:
    return sure.put(TOTP, json={"offer": offer["offer"], "code": code, **more})


def offered(sure: Knocker) -> tuple[dict[str, Any], pyotp.TOTP]:
    offer = sure.post(f"{TOTP}/options", key="").json
    return offer, pyotp.TOTP(offer["secret"])


def test_the_first_password_comes_with_a_name_that_is_shown_once(sure: Knocker) -> None:
    name = put(sure).json["sign_in_name"]
    account = held(sure)
    assert name.startswith("sam-") and account.name_index == sealing.index(name)
    assert hashing.matches(sealing.peppered(GOOD), account.password_hash)


def test_a_later_password_keeps_the_name(sure: Knocker) -> None:
    assert problem(put(sure, name=None)) == (422, "sign-in-name-missing")
    put(sure)
    before = held(sure)
    assert put(sure, "another seven words of mine", name=None).json.keys() == {"set_at"}
    after = held(sure)
    assert after.name_index == before.name_index and after.password_hash != before.password_hash


@pytest.mark.parametrize(
    ("password", "reason"), [("short", "too_short"), ("password123", "too_common"), ("samsamsam1", "like_the_name")]
)
def test_a_poor_password_is_refused_before_it_is_hashed(sure: Knocker, password: str, reason: str) -> None:
    before = hashes()
    answer = put(sure, password)
    assert problem(answer) == (422, "password-refused") and answer.json["reason"] == reason
    assert hashes() == before and held(sure).password_hash is None


def test_the_kept_name_is_no_password(sure: Knocker) -> None:
    name = put(sure).json["sign_in_name"]
    answer = put(sure, name, name=None)
    assert problem(answer) == (422, "password-refused") and answer.json["reason"] == "like_the_name"


def test_a_password_costs_one_hash(sure: Knocker) -> None:
    before = hashes()
    put(sure)
    assert hashes() - before == 1


@pytest.mark.parametrize("body", [b"{", b"[]", b"{}", b'{"password": 7}', b'{"password": "x", "password": "y"}'])
def test_a_body_that_cannot_be_read_costs_no_hash(sure: Knocker, body: bytes) -> None:
    before = hashes()
    answer = sure.put(PASSWORD, data=body, content_type="application/json")
    assert answer.status_code in (400, 422) and hashes() == before


def test_one_time_codes_are_set_once_a_code_confirms_them(sure: Knocker) -> None:
    offer, app = offered(sure)
    assert held(sure).totp_secret is None and "Sam" not in offer["uri"]
    assert problem(confirm(sure, offer, "000000" if app.now() != "000000" else "000001")) == (422, "code-refused")
    assert confirm(sure, offer, app.now()).status_code == 204
    account = held(sure)
    assert authenticators.totp_secret(account) == offer["secret"]
    assert account.totp_last_step is not None and abs(account.totp_last_step - app.timecode(clock.wall())) <= 1


def test_an_offer_is_for_one_patient_and_ten_minutes(
    sure: Knocker, other_patient: Knocker, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer, app = offered(sure)
    assert problem(confirm(freshly(other_patient), offer, app.now())) == (422, "code-refused")
    assert sure.id
    at = clock.wall()
    for minutes, fits in ((9.9, True), (10.1, False), (-2, False)):
        later = at + timedelta(minutes=minutes)
        assert (offers._offered(sure.id, offer["offer"], later) == offer["secret"]) is fits


@pytest.mark.parametrize("offer", ["x", "AAAA", "é", "AQ=="])
def test_an_offer_that_is_none_of_ours_is_refused(sure: Knocker, offer: str) -> None:
    assert problem(confirm(sure, {"offer": offer}, "123456")) == (422, "code-refused")


def test_a_sealed_secret_of_the_account_is_no_offer(sure: Knocker) -> None:
    assert sure.id
    with pytest.raises(ValueError, match="not for this place"):
        sealing.unseal(authenticators.sealed_totp(sure.id, "A" * 32), place=offers.TOTP_PLACE, row=sure.id)


@pytest.mark.parametrize("asked", [True, False])
def test_other_phones_are_signed_out_if_asked(sure: Knocker, app: Continuum, asked: bool) -> None:
    assert sure.id
    others = [sign_in(app, sure.id) for _ in range(2)]
    assert put(sure, end_other_sessions=asked).status_code == 200
    assert others[0].get("/v1/me").status_code == (401 if asked else 200)
    offer, codes = offered(sure)
    assert confirm(sure, offer, codes.now(), end_other_sessions=asked).status_code == 204
    assert sure.get("/v1/me").status_code == 200


def test_both_need_a_fresh_sign_in(patient: Knocker) -> None:
    before = hashes()
    for method, path in (("PUT", PASSWORD), ("PUT", TOTP), ("POST", f"{TOTP}/options")):
        assert problem(patient.request(method, path, json={"password": GOOD})) == (401, "step-up-required")
    assert hashes() == before


def test_no_secret_reaches_the_log_or_the_audit(
    sure: Knocker, owner_sql: SQL, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    name = put(sure).json["sign_in_name"]
    offer, codes = offered(sure)
    code = codes.now()
    confirm(sure, offer, code)
    written = capfdbinary.readouterr().out.decode() + str(owner_sql("SELECT audit_events::text FROM audit_events"))
    assert "putMyTotp" in written
    assert not [secret for secret in (name, GOOD, offer["secret"], offer["offer"], f'"{code}"') if secret in written]
