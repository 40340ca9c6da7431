"""Where notifications go: a phone has one owner, and is forgotten when it should be."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from werkzeug.test import TestResponse

from api import carriers, clock, db
from api.app import Continuum
from api.messages import devices
from schemas.devices import DevicesAnswer, PushSubscriptionAsk
from tests.conftest import sign_in
from tests.knocking import Knocker

TOKEN = "ab" * 32
OTHER_TOKEN = "cd" * 32
BROWSER = {"provider": "web_push", "subscription": PushSubscriptionAsk.example}
Sql = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture(autouse=True)
def browsers(tmp_path: Any) -> Iterator[None]:
    devices.use(carriers.WebPush(tmp_path / "key.pem", "mailto:push@clinic.example"))
    yield
    devices.use(None)


def told(answer: TestResponse) -> dict[str, Any]:
    said: dict[str, Any] = answer.get_json()
    return said


def register(phone: Knocker, token: str = TOKEN, **more: Any) -> dict[str, Any]:
    answer = phone.post("/v1/me/devices", json={"provider": "apns", "token": token, **more}, key="")
    assert answer.status_code == 201, answer.text
    return told(answer)


def listed(phone: Knocker) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = told(phone.get("/v1/me/devices"))["items"]
    assert DevicesAnswer().validate({"items": items}) == {}
    return items


def another_phone(phone: Knocker) -> Knocker:
    assert phone.id and isinstance(phone.app, Continuum)
    return sign_in(phone.app, phone.id)


def addresses(*patients: Knocker) -> dict[Any, list[Any]]:
    with db.transaction(db.WORKER):
        return dict(devices.addresses_of([one.id for one in patients if one.id]))


def test_a_phone_that_registers_is_pushed_to(patient: Knocker) -> None:
    made = register(patient, environment="sandbox", language="es")
    (address,) = addresses(patient)[patient.id]
    assert (address.id, address.channel, address.provider, address.target) == (UUID(made["id"]), "push", "apns", TOKEN)
    assert address.details == {"environment": "sandbox", "language": "es"}
    assert TOKEN not in repr(address)


def test_registering_again_is_the_same_device_seen_again(patient: Knocker, owner_sql: Sql) -> None:
    first = register(patient)
    owner_sql("UPDATE devices SET registered_at = now() - interval '3 days', last_seen_at = now() - interval '2 days'")
    again = register(patient, language="es")
    assert again["id"] == first["id"]
    assert again["registered_at"] < first["registered_at"]
    assert owner_sql("SELECT last_seen_at > now() - interval '1 hour', language FROM devices") == [(True, "es")]


def test_the_same_token_in_other_letters_is_the_same_device(patient: Knocker) -> None:
    assert register(patient)["id"] == register(patient, TOKEN.upper())["id"]


def test_the_token_is_never_shown(patient: Knocker) -> None:
    register(patient)
    assert TOKEN not in patient.get("/v1/me/devices").text


def test_a_patient_has_many_phones_the_one_seen_last_first(patient: Knocker) -> None:
    other = another_phone(patient)
    first, second = register(patient), register(other, OTHER_TOKEN)
    assert [one["id"] for one in listed(patient)] == [second["id"], first["id"]]
    assert [one["current"] for one in listed(patient)] == [False, True]
    assert [one.target for one in addresses(patient)[patient.id]] == [OTHER_TOKEN, TOKEN]


def test_a_phones_new_token_takes_the_place_of_the_old_one(patient: Knocker) -> None:
    register(patient)
    register(patient, OTHER_TOKEN)
    assert [one.target for one in addresses(patient)[patient.id]] == [OTHER_TOKEN]


def test_who_signs_in_on_a_phone_takes_it_over_and_learns_nothing(patient: Knocker, other_patient: Knocker) -> None:
    before = register(patient)
    after = register(other_patient)
    assert after["id"] != before["id"] and after["registered_at"] >= before["registered_at"]
    assert listed(patient) == []
    assert set(addresses(patient, other_patient)) == {other_patient.id}


def test_two_patients_registering_one_token_at_once_leave_one_owner(
    patient: Knocker, other_patient: Knocker, owner_sql: Sql
) -> None:
    start = threading.Barrier(8)

    def go(phone: Knocker) -> None:
        start.wait()
        register(phone)

    them = [threading.Thread(target=go, args=(phone,)) for phone in (patient, other_patient) * 4]
    for one in them:
        one.start()
    for one in them:
        one.join()
    assert owner_sql("SELECT count(*) FROM devices") == [(1,)]
    assert len(listed(patient)) + len(listed(other_patient)) == 1


def test_of_very_many_the_one_unseen_longest_goes(patient: Knocker) -> None:
    phones = [another_phone(patient) for _ in range(devices.MOST + 1)]
    made = [register(phone, f"{number:02x}" * 32) for number, phone in enumerate(phones)]
    assert [one["id"] for one in listed(patient)] == [one["id"] for one in reversed(made[1:])]


def test_signing_out_removes_the_phone_at_once(patient: Knocker) -> None:
    other = another_phone(patient)
    register(patient)
    register(other, OTHER_TOKEN)
    assert other.delete(f"/v1/me/app-sessions/{patient.app_session_id}").status_code == 204
    assert [one.target for one in addresses(patient)[patient.id]] == [OTHER_TOKEN]
    assert other.delete("/v1/me/app-sessions").status_code == 204
    assert addresses(patient) == {}


def test_a_sign_in_that_ran_out_is_still_written_to(patient: Knocker, owner_sql: Sql) -> None:
    register(patient)
    owner_sql("UPDATE app_sessions SET expires_at = now() - interval '1 day'")
    assert len(addresses(patient)[patient.id]) == 1
    owner_sql("DELETE FROM app_sessions")
    assert len(addresses(patient)[patient.id]) == 1


def test_an_ended_sign_in_registers_nothing(patient: Knocker, app: Continuum, owner_sql: Sql) -> None:
    owner_sql("UPDATE app_sessions SET ended_at = now(), end_reason = 'signed_out'")
    asked = devices.of_phone(provider="apns", token=TOKEN, environment="production", language=None)
    assert patient.id and patient.app_session_id
    caller = db.Caller(kind="patient", patient_id=patient.id)
    with pytest.raises(db.SignedOut), db.transaction(caller):
        devices.register(patient_id=patient.id, app_session_id=patient.app_session_id, asked=asked)


def test_nobody_registers_by_anothers_sign_in(patient: Knocker, other_patient: Knocker) -> None:
    asked = devices.of_phone(provider="apns", token=TOKEN, environment="production", language=None)
    assert patient.id and other_patient.app_session_id
    with pytest.raises(db.SignedOut), db.transaction(db.Caller(kind="patient", patient_id=patient.id)):
        devices.register(patient_id=patient.id, app_session_id=other_patient.app_session_id, asked=asked)


def test_a_removed_device_is_written_to_no_more(patient: Knocker) -> None:
    made = register(patient)
    assert patient.delete(f"/v1/me/devices/{made['id']}").status_code == 204
    assert listed(patient) == []
    assert patient.delete(f"/v1/me/devices/{made['id']}").status_code == 404


def test_someone_elses_device_is_not_there(patient: Knocker, other_patient: Knocker) -> None:
    made = register(patient)
    assert other_patient.delete(f"/v1/me/devices/{made['id']}").status_code == 404
    assert len(listed(patient)) == 1


def test_a_dead_address_is_forgotten_unless_it_registered_since(patient: Knocker, owner_sql: Sql) -> None:
    gone, back = register(patient), register(another_phone(patient), OTHER_TOKEN)
    owner_sql("UPDATE devices SET last_seen_at = now() - interval '1 hour' WHERE id = %s", gone["id"])
    said_at = clock.wall() - timedelta(minutes=1)
    with db.transaction(db.WORKER):
        assert devices.forget_dead([UUID(gone["id"]), UUID(back["id"])], at=said_at) == 1
    assert [one["id"] for one in listed(patient)] == [back["id"]]


def test_what_was_unseen_for_270_days_is_forgotten(patient: Knocker, owner_sql: Sql) -> None:
    long_gone, here = register(patient), register(another_phone(patient), OTHER_TOKEN)
    owner_sql("UPDATE devices SET last_seen_at = now() - interval '271 days' WHERE id = %s", long_gone["id"])
    owner_sql("UPDATE devices SET last_seen_at = now() - interval '269 days' WHERE id = %s", here["id"])
    assert devices.forget_unseen() is False
    assert [one["id"] for one in listed(patient)] == [here["id"]]


def test_a_browser_is_pushed_to_by_its_subscription(patient: Knocker) -> None:
    assert patient.post("/v1/me/devices", json=BROWSER, key="").status_code == 201
    (address,) = addresses(patient)[patient.id]
    assert address.provider == "web_push"
    assert PushSubscriptionAsk.example["auth"] in address.target


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://push.evil.example/x",
        "https://127.0.0.1/x",
        "https://localhost/x",
        "http://updates.push.services.mozilla.com/x",
        "https://updates.push.services.mozilla.com:8443/x",
        "https://user@updates.push.services.mozilla.com/x",
        "https://updates.push.services.mozilla.com.evil.example/x",
    ],
)
def test_a_browser_at_an_unknown_push_service_is_refused(patient: Knocker, endpoint: str) -> None:
    subscription = {**PushSubscriptionAsk.example, "endpoint": endpoint}
    answer = patient.post("/v1/me/devices", json={**BROWSER, "subscription": subscription}, key="")
    assert (answer.status_code, told(answer)["type"].rpartition("/")[2]) == (422, "unknown-push-service")
    assert addresses(patient) == {}


@pytest.mark.parametrize("key", [{"p256dh": "AAAA"}, {"p256dh": "no key!"}, {"auth": "AAAA"}])
def test_a_browser_without_usable_keys_is_refused(patient: Knocker, key: dict[str, str]) -> None:
    subscription = {**PushSubscriptionAsk.example, **key}
    answer = patient.post("/v1/me/devices", json={**BROWSER, "subscription": subscription}, key="")
    assert (answer.status_code, told(answer)["type"].rpartition("/")[2]) == (422, "unusable-push-keys")


def test_no_browser_is_pushed_to_where_the_clinic_has_no_key(patient: Knocker) -> None:
    devices.use(None)
    assert patient.post("/v1/me/devices", json=BROWSER, key="").status_code == 422


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"provider": "apns"}, "/token"),
        ({"provider": "apns", "token": "not hexadecimal"}, "/token"),
        ({"provider": "fcm", "token": "two words of a token"}, "/token"),
        ({"provider": "web_push", "token": TOKEN}, "/subscription"),
        ({"provider": "apns", "token": TOKEN, "subscription": PushSubscriptionAsk.example}, "/subscription"),
        ({"provider": "pager", "token": TOKEN}, "/provider"),
    ],
)
def test_what_is_no_address_is_refused(patient: Knocker, body: dict[str, Any], pointer: str) -> None:
    answer = patient.post("/v1/me/devices", json=body, key="")
    assert answer.status_code == 422
    assert [one["pointer"] for one in told(answer)["errors"]] == [pointer]
