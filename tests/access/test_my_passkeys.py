"""A signed-in patient adds and removes passkeys, with a phone in software, after a fresh sign-in."""

from collections.abc import Callable
from typing import Any

import pytest

from api import config, db, vocabulary
from tests.authenticator import Authenticator
from tests.knocking import Knocker
from tests.world import freshly

SQL = Callable[..., list[tuple[Any, ...]]]
HERE = "/v1/me/passkeys"
OFFER = f"{HERE}/options"


@pytest.fixture
def sure(patient: Knocker) -> Knocker:
    return freshly(patient)


@pytest.fixture
def phone(settings: config.Config) -> Authenticator:
    return Authenticator(settings.apps.origins[0], settings.apps.rp_id)


def add(sure: Knocker, phone: Authenticator, name: str | None = "Phone", **said: Any) -> Any:
    offer = sure.post(OFFER, key="").json
    asked = {"offer_id": offer["offer_id"], "credential": phone.create(offer["options"], **said)}
    return sure.post(HERE, key="", json={**asked, "name": name} if name else asked)


def problem(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json["type"].rsplit("/", 1)[1]


def test_a_passkey_is_added_and_listed(sure: Knocker, phone: Authenticator, owner_sql: SQL) -> None:
    added = add(sure, phone)
    assert added.status_code == 201, added.json
    assert added.json["name"] == "Phone" and added.json["backed_up"] is True
    assert sure.get(HERE).json == {"items": [added.json]}
    assert owner_sql("SELECT credential_id FROM passkeys") == [(phone.passkeys[0].id,)]
    assert add(sure, phone, name=None).json.keys() == {"id", "created_at", "backed_up"}


def test_the_options_name_the_passkeys_that_are_there(sure: Knocker, phone: Authenticator) -> None:
    add(sure, phone)
    offered = sure.post(OFFER, key="").json
    assert '"excludeCredentials": [{' in offered["options"] and "Sam" not in offered["options"]


def test_an_answer_that_comes_again_is_the_same_passkey(sure: Knocker, phone: Authenticator) -> None:
    offer = sure.post(OFFER, key="").json
    asked = {"offer_id": offer["offer_id"], "credential": phone.create(offer["options"])}
    first, again = (sure.post(HERE, key="", json=asked) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201) and first.json == again.json


def test_an_offer_is_good_for_one_answer(sure: Knocker, phone: Authenticator) -> None:
    offer = sure.post(OFFER, key="").json
    for said in ({"uv": False}, {}):
        credential = phone.create(offer["options"], **said)
        answer = sure.post(HERE, key="", json={"offer_id": offer["offer_id"], "credential": credential})
        assert problem(answer) == (422, "passkey-refused")


def test_an_offer_is_good_for_five_minutes(sure: Knocker, phone: Authenticator, owner_sql: SQL) -> None:
    for seconds, status in ((301, 422), (290, 201)):
        offer = sure.post(OFFER, key="").json
        owner_sql("UPDATE passkey_offers SET created_at = now() - make_interval(secs => %s)", seconds)
        credential = phone.create(offer["options"])
        answer = sure.post(HERE, key="", json={"offer_id": offer["offer_id"], "credential": credential})
        assert answer.status_code == status


def test_somebody_elses_offer_and_passkey_are_refused_alike(
    sure: Knocker, other_patient: Knocker, phone: Authenticator, owner_sql: SQL
) -> None:
    other = freshly(other_patient)
    offer = sure.post(OFFER, key="").json
    credential = phone.create(offer["options"])
    theirs = other.post(HERE, key="", json={"offer_id": offer["offer_id"], "credential": credential})
    mine = sure.post(HERE, key="", json={"offer_id": offer["offer_id"], "credential": credential})
    assert problem(theirs) == (422, "passkey-refused") and mine.status_code == 201
    copied = add(other, phone, credential_id=phone.passkeys[0].id)
    assert problem(copied) == problem(theirs)
    assert owner_sql("SELECT patient_id FROM passkeys") == [(sure.id,)]


@pytest.mark.parametrize("credential", ["{}", "nonsense", "[]", '{"id":"AA"}'])
def test_nonsense_is_refused(sure: Knocker, credential: str) -> None:
    for offer_id in (sure.post(OFFER, key="").json["offer_id"], str(db.uuid7())):
        answer = sure.post(HERE, key="", json={"offer_id": offer_id, "credential": credential})
        assert problem(answer) == (422, "passkey-refused")


def test_one_of_two_is_removed_and_the_last_stays(sure: Knocker, phone: Authenticator, owner_sql: SQL) -> None:
    first, second = (add(sure, phone).json["id"] for _ in range(2))
    assert sure.delete(f"{HERE}/{first}").status_code == 204
    assert problem(sure.delete(f"{HERE}/{second}")) == (409, "last-authenticator")
    assert [one["id"] for one in sure.get(HERE).json["items"]] == [second]


def test_this_phone_stays_signed_in_when_its_passkey_goes(sure: Knocker, phone: Authenticator, owner_sql: SQL) -> None:
    first, _ = (add(sure, phone).json["id"] for _ in range(2))
    owner_sql("UPDATE app_sessions SET passkey_id = %s", first)
    assert sure.delete(f"{HERE}/{first}").status_code == 204
    assert sure.get(HERE).status_code == 200


def test_somebody_elses_passkey_is_not_there(sure: Knocker, other_patient: Knocker, phone: Authenticator) -> None:
    theirs = add(sure, phone).json["id"]
    for nobodys in (theirs, db.uuid7()):
        assert problem(freshly(other_patient).delete(f"{HERE}/{nobodys}")) == (404, "not-found")


@pytest.mark.parametrize(("acr", "minutes"), [(vocabulary.ACRS[0], 0), ("phr", 6)])
def test_a_weak_or_old_sign_in_must_be_renewed(patient: Knocker, acr: str, minutes: float) -> None:
    stale = freshly(patient, acr=acr, minutes=minutes)
    assert stale.get(HERE).status_code == 200
    for method, path in (("POST", OFFER), ("POST", HERE), ("DELETE", f"{HERE}/{db.uuid7()}")):
        assert problem(stale.request(method, path, json={})) == (401, "step-up-required")


def test_the_patient_is_told(sure: Knocker, phone: Authenticator, owner_sql: SQL) -> None:
    owner_sql("DELETE FROM jobs.procrastinate_jobs")
    first, _ = (add(sure, phone).json["id"] for _ in range(2))
    sure.delete(f"{HERE}/{first}")
    told = owner_sql("SELECT task_name FROM jobs.procrastinate_jobs ORDER BY id")
    assert told == [("tell-authenticator-added",), ("tell-authenticator-removed",)]
