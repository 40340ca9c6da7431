"""A phone stays signed in by refreshing: one lineage, patient with phones that lose answers, and with nobody's copies.

RFC 6749 §6, RFC 9449 §5 and RFC 9700 §4.14.2; how long it lasts is NIST SP 800-63B-4 §2.2.3.
"""

import copy
import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jwt
import pytest

from tests.access.ways import problem, refusal
from tests.dpop import Key
from tests.phone import APP, Answer, Phone, Refused

SQL = Callable[..., list[tuple[Any, ...]]]
DAY = 24 * 60


def refresh(phone: Phone, token: str | None = None, **more: str) -> Answer:
    """Ask with a token, the phone's by default; the phone keeps what it had."""
    form = {"grant_type": "refresh_token", "refresh_token": token or phone.tokens["refresh_token"], "client_id": APP}
    return phone.form("/oauth/token", {**form, **more})


def successor(phone: Phone, token: str) -> str:
    answer = refresh(phone, token)
    assert answer.status == 200, answer.json
    return str(answer.json["refresh_token"])


def claims(tokens: dict[str, Any]) -> dict[str, Any]:
    read: dict[str, Any] = jwt.decode(tokens["access_token"], options={"verify_signature": False})
    return read


def copied(phone: Phone) -> Phone:
    """What somebody has who copied the tokens and not the key."""
    thief = copy.copy(phone)
    thief.key = Key()
    return thief


def ago(sql: SQL, column: str, minutes: float) -> None:
    table = {"seen_at": "app_sessions", "used_at": "refresh_tokens"}[column]
    sql(f"UPDATE {table} SET {column} = now() - make_interval(secs => %s) WHERE {column} IS NOT NULL", minutes * 60)


def test_each_refresh_gives_the_next_token_of_the_same_sign_in(phone: Phone, owner_sql: SQL) -> None:
    """RFC 9068 §2.2.1: what tells of the sign-in does not change."""
    first = phone.tokens
    for _ in range(3):
        phone.refresh()
        assert phone.get("/v1/me").status == 200
    unchanged = ("auth_time", "acr", "amr", "sid", "sub", "scope", "cnf", "client_id", "aud")
    before, after = claims(first), claims(phone.tokens)
    assert {name: before[name] for name in unchanged} == {name: after[name] for name in unchanged}
    assert before["jti"] != after["jti"]
    assert owner_sql("SELECT count(*) FROM app_sessions WHERE key_thumbprint IS NOT NULL") == [(1,)]


def test_a_lost_answer_is_asked_for_again(phone: Phone) -> None:
    lost = phone.tokens["refresh_token"]
    siblings = [successor(phone, lost) for _ in range(4)]
    assert len({lost, *siblings}) == 5
    assert successor(phone, successor(phone, siblings[2]))


@pytest.mark.parametrize("again", ["sibling", "old"])
def test_once_a_successor_is_used_its_siblings_and_the_old_one_are_copies(
    phone: Phone, owner_sql: SQL, again: str
) -> None:
    old = phone.tokens["refresh_token"]
    sibling, used = successor(phone, old), successor(phone, old)
    newest = successor(phone, used)
    answer = refresh(phone, {"sibling": sibling, "old": old}[again])
    assert refusal(answer) == (400, "invalid_grant") and problem(answer) == "session-revoked"
    assert refusal(refresh(phone, newest)) == (400, "invalid_grant")


def test_a_copy_that_comes_ends_the_family_tells_the_patient_and_is_in_the_audit(phone: Phone, owner_sql: SQL) -> None:
    owner_sql("DELETE FROM jobs.procrastinate_jobs")
    old = phone.tokens["refresh_token"]
    for _ in range(2):
        phone.refresh()
    refresh(phone, old)
    assert (phone.get("/v1/me").status, problem(phone.get("/v1/me"))) == (401, "session-revoked")
    assert refusal(refresh(phone)) == (400, "invalid_grant")
    assert owner_sql("SELECT task_name FROM jobs.procrastinate_jobs") == [("tell-sign-in-ended",)]
    reused = "SELECT patient_id, outcome FROM audit_events WHERE problem = 'refresh-token-reused'"
    ((patient_id, outcome),) = owner_sql(reused)
    assert (str(patient_id), outcome) == (claims(phone.tokens)["sub"], "refused")
    ends = "SELECT end_reason FROM app_sessions WHERE key_thumbprint IS NOT NULL"
    assert owner_sql(ends) == [("token_reused",)]


def test_a_token_from_another_key_is_a_copy(phone: Phone) -> None:
    answer = refresh(copied(phone))
    assert refusal(answer) == (400, "invalid_grant") and problem(answer) == "invalid-grant"
    assert problem(phone.get("/v1/me")) == "session-revoked"


def test_an_answer_that_was_lost_for_longer_than_a_day_is_not_given_again(phone: Phone, owner_sql: SQL) -> None:
    lost = phone.tokens["refresh_token"]
    kept = successor(phone, lost)
    ago(owner_sql, "used_at", DAY - 1)
    assert refresh(phone, lost).status == 200
    ago(owner_sql, "used_at", DAY + 1)
    answer = refresh(phone, lost)
    assert refusal(answer) == (400, "invalid_grant") and problem(answer) == "session-ended"
    assert refresh(phone, kept).status == 200


def test_a_token_is_for_the_client_and_the_resource_it_was_given_to(phone: Phone) -> None:
    assert refusal(refresh(phone, client_id="another")) == (401, "invalid_client")
    assert refusal(refresh(phone, resource=f"{phone.address}/v1/clinic")) == (400, "invalid_target")
    assert refresh(phone, resource=f"{phone.address}/v1/me").status == 200


def test_a_scope_may_be_narrowed_and_never_widened(phone: Phone) -> None:
    phone.sign_in(scope="me:read me:write sessions:read")
    narrow = refresh(phone, scope="me:read")
    assert narrow.json["scope"] == claims(narrow.json)["scope"] == "me:read"
    assert refusal(refresh(phone, scope="me:read account:read")) == (400, "invalid_scope")
    assert refresh(phone, narrow.json["refresh_token"]).json["scope"] == "me:read me:write sessions:read"


def test_what_was_never_given_or_has_no_form_is_no_token(phone: Phone) -> None:
    for token in ("never-given", "x" * 100):
        assert refusal(refresh(phone, token)) == (400, "invalid_grant")
    for token in ("x" * 101, "nul\x00"):
        assert refusal(refresh(phone, token)) == (400, "invalid_request")


def test_a_phone_that_was_quiet_for_long_confirms_and_goes_on(phone: Phone, owner_sql: SQL) -> None:
    """FiPA §6.2: nothing is lost, and no second phone is in the list."""
    ago(owner_sql, "seen_at", 59)
    phone.refresh()
    ago(owner_sql, "seen_at", 61)
    answer, before = refresh(phone), phone.tokens
    assert refusal(answer) == (403, "insufficient_authorization")
    assert answer.json["retry"] == "after_sign_in"
    phone.confirm(answer.json["auth_session"], answer.json["passkey_request"])
    assert claims(phone.tokens)["sid"] == claims(before)["sid"]
    assert claims(phone.tokens)["auth_time"] >= claims(before)["auth_time"]
    assert phone.tokens["scope"] == before["scope"]
    assert phone.refresh() and phone.get("/v1/me").status == 200
    assert problem(refresh(phone, before["refresh_token"])) == "session-revoked"


def test_asking_again_instead_of_confirming_loses_nothing(phone: Phone, owner_sql: SQL) -> None:
    ago(owner_sql, "seen_at", 61)
    first, second = refresh(phone), refresh(phone)
    assert first.json["auth_session"] != second.json["auth_session"]
    phone.confirm(first.json["auth_session"], first.json["passkey_request"])
    assert phone.get("/v1/me").status == 200


def test_a_copy_is_a_copy_also_while_the_phone_is_quiet(phone: Phone, owner_sql: SQL) -> None:
    ago(owner_sql, "seen_at", 61)
    assert refusal(refresh(copied(phone))) == (400, "invalid_grant")
    assert problem(phone.get("/v1/me")) == "session-revoked"


def test_a_sign_in_ends_by_itself_however_busy_the_phone_is(phone: Phone, owner_sql: SQL) -> None:
    """ASVS 5.0 10.4.8."""
    ends = "SELECT expires_at FROM app_sessions WHERE key_thumbprint IS NOT NULL"
    before = owner_sql(ends)
    first = phone.tokens["refresh_token_expires_in"]
    owner_sql("UPDATE app_sessions SET expires_at = expires_at - interval '1 hour'")
    assert first - 3610 < phone.refresh()["refresh_token_expires_in"] <= first - 3600
    assert owner_sql(ends) < before
    owner_sql("UPDATE app_sessions SET expires_at = now()")
    answer = refresh(phone)
    assert refusal(answer) == (400, "invalid_grant") and problem(answer) == "session-ended"
    phone.sign_in()
    assert phone.get("/v1/me").status == 200


@pytest.mark.parametrize(
    ("reason", "slug"),
    [("signed_out", "session-ended"), ("suspended", "session-ended"), ("revoked", "session-revoked")],
)
def test_only_the_phone_itself_learns_how_its_sign_in_ended(
    phone: Phone, owner_sql: SQL, reason: str, slug: str
) -> None:
    owner_sql("UPDATE app_sessions SET ended_at = now(), end_reason = %s", reason)
    mine, theirs = refresh(phone), refresh(copied(phone))
    assert refusal(mine) == refusal(theirs) == (400, "invalid_grant")
    assert (problem(mine), problem(theirs)) == (slug, "invalid-grant")
    assert theirs.body == refresh(phone, "never-given").body
    assert owner_sql("SELECT DISTINCT end_reason FROM app_sessions") == [(reason,)]


def test_the_database_holds_no_token(phone: Phone, owner_sql: SQL) -> None:
    given = [phone.tokens["refresh_token"], phone.refresh()["refresh_token"]]
    hashes = {bytes(one) for (one,) in owner_sql("SELECT hash FROM refresh_tokens")}
    assert hashes == {hashlib.sha256(one.encode()).digest() for one in given}
    for table in ("refresh_tokens", "sign_ins", "app_sessions", "audit_events"):
        rows = str(owner_sql(f"SELECT t::text FROM {table} t"))
        assert not any(one in rows for one in (*given, phone.tokens["access_token"]))


def test_twenty_at_once_leave_one_family_whose_next_refresh_works(phone: Phone, owner_sql: SQL) -> None:
    old = phone.tokens["refresh_token"]
    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(lambda _: refresh(copy.copy(phone), old), range(20)))
    assert [one.status for one in answers] == [200] * 20
    given = [one.json["refresh_token"] for one in answers]
    assert len(set(given)) == 20 and len({claims(one.json)["sid"] for one in answers}) == 1
    following = successor(phone, given[13])
    retired = "SELECT count(*) FROM refresh_tokens WHERE retired_at IS NOT NULL"
    assert owner_sql(retired) == [(20,)]
    assert successor(phone, following)
    assert problem(refresh(phone, given[4])) == "session-revoked"


def test_twenty_at_once_after_which_one_was_used_are_all_copies(phone: Phone) -> None:
    old = phone.tokens["refresh_token"]
    successor(phone, successor(phone, old))
    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(lambda _: refresh(copy.copy(phone), old), range(20)))
    assert {problem(one) for one in answers} == {"session-revoked"}


def test_a_refused_refresh_is_told_in_words(phone: Phone) -> None:
    phone.tokens = {**phone.tokens, "refresh_token": "never-given"}
    with pytest.raises(Refused, match="Please sign in again"):
        phone.refresh()
