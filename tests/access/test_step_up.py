"""What gives more power asks for a fresh sign-in on the same phone; what takes it away asks for none (RFC 9470)."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from api import auth, vocabulary
from api.app import operations
from tests.access.ways import PASSWORD, code_now, problem
from tests.knocking import Knocker
from tests.phone import Answer, Phone

SQL = Callable[..., list[tuple[Any, ...]]]
GUARDED = [one for one in operations() if one.steps_up]
NOBODYS = "00000000-0000-7000-8000-000000000000"
ENDING = [("/v1/me/app-sessions", 204), (f"/v1/me/app-sessions/{NOBODYS}", 404)]


def minutes_ago(phone: Phone, sql: SQL, minutes: float, acr: str | None = None) -> None:
    """The phone as if its patient had proved who they are so long ago."""
    values = "authenticated_at = authenticated_at - make_interval(secs => %s), acr = coalesce(%s, acr)"
    sql(f"UPDATE app_sessions SET {values} WHERE key_thumbprint IS NOT NULL", minutes * 60, acr)
    phone.refresh()


def knock(phone: Phone, operation: Any) -> Answer:
    path = re.sub(r"\{[^}]+\}", NOBODYS, operation.path)
    return phone.request(operation.method, path, body={})


def asked_for(answer: Answer) -> dict[str, str]:
    """The attributes of the challenge."""
    return dict(re.findall(r'(\w+)="([^"]*)"', answer.headers["www-authenticate"]))


def phones_in_the_list(phone: Phone) -> list[str]:
    return [one["id"] for one in phone.get("/v1/me/app-sessions").json["items"] if one.get("device_name")]


def test_what_lets_more_be_told_is_guarded_and_what_lets_less_be_told_is_not() -> None:
    guarded = {one.id for one in GUARDED}
    assert guarded >= {"giveMyConsent", "withdrawMyRestriction"}
    assert not guarded & {"revokeMyConsent", "askForMyRestriction"}


def test_ways_in_are_guarded() -> None:
    guarded = {one.id for one in GUARDED}
    assert guarded >= {"createMyPasskey", "deleteMyPasskey", "putMyPassword", "putMyTotp"}
    assert not guarded & {"deleteMyAppSession", "deleteMyAppSessions", "listMyPasskeys"}


@pytest.mark.parametrize("operation", GUARDED, ids=lambda one: one.id)
def test_a_stale_sign_in_is_told_what_to_bring_and_a_fresh_one_on_the_same_phone_does(
    phone: Phone, owner_sql: SQL, operation: Any
) -> None:
    minutes_ago(phone, owner_sql, 6)
    stale = knock(phone, operation)
    assert (stale.status, problem(stale), stale.json["retry"]) == (401, "step-up-required", "after_sign_in")
    wanted = asked_for(stale)
    assert wanted["error"] == "insufficient_user_authentication"
    assert (wanted["acr_values"], wanted["max_age"]) == (" ".join(vocabulary.STRONG_ACRS), str(auth.STEP_UP_SECONDS))
    before = phones_in_the_list(phone)
    phone.sign_in(acr_values=wanted["acr_values"], max_age=wanted["max_age"])
    assert knock(phone, operation).status != 401
    assert phones_in_the_list(phone) == before and len(before) == 1


def test_a_weak_sign_in_is_not_made_strong_by_being_fresh(phone: Phone, owner_sql: SQL) -> None:
    minutes_ago(phone, owner_sql, 0, acr=vocabulary.ACRS[0])
    assert problem(phone.request("POST", "/v1/me/passkeys/options")) == "step-up-required"
    phone.sign_in()
    assert phone.request("POST", "/v1/me/passkeys/options").status == 200


def test_a_refresh_makes_nothing_fresh(phone: Phone, owner_sql: SQL) -> None:
    minutes_ago(phone, owner_sql, 4)
    assert phone.request("POST", "/v1/me/passkeys/options").status == 200
    minutes_ago(phone, owner_sql, 2)
    for _ in range(2):
        phone.refresh()
        assert problem(phone.request("POST", "/v1/me/passkeys/options")) == "step-up-required"


def test_password_and_one_time_code_do_as_well(
    new_phone: Callable[..., Phone], invite: Callable[..., str], patient: Knocker, owner_sql: SQL
) -> None:
    phone = new_phone()
    name = phone.set_password(invite(patient, "link_code"), "Sam", PASSWORD, code_now)
    minutes_ago(phone, owner_sql, 6)
    assert problem(phone.request("POST", "/v1/me/totp/options")) == "step-up-required"
    phone.sign_in_by_password(name, PASSWORD, code_now(phone.secret, steps=1), acr_values=vocabulary.ACRS[1])
    assert phone.request("POST", "/v1/me/totp/options").status == 200
    assert len(phones_in_the_list(phone)) == 1


def test_what_was_refreshed_before_is_no_way_around(phone: Phone, owner_sql: SQL) -> None:
    """The tokens of before the fresh sign-in are retired with it: a copy of one ends the family."""
    minutes_ago(phone, owner_sql, 6)
    old = phone.tokens
    phone.sign_in()
    form = {"grant_type": "refresh_token", "refresh_token": old["refresh_token"], "client_id": phone.client_id}
    assert problem(phone.form("/oauth/token", form)) == "session-revoked"


@pytest.mark.parametrize(("path", "status"), ENDING)
def test_ending_sign_ins_asks_for_no_fresh_one(phone: Phone, owner_sql: SQL, path: str, status: int) -> None:
    minutes_ago(phone, owner_sql, 59, acr=vocabulary.ACRS[0])
    assert phone.request("DELETE", path).status == status


def test_looking_asks_for_no_fresh_one(phone: Phone, owner_sql: SQL) -> None:
    minutes_ago(phone, owner_sql, 59, acr=vocabulary.ACRS[0])
    for path in ("/v1/me/passkeys", "/v1/me/app-sessions", "/v1/me/today"):
        assert phone.get(path).status == 200
