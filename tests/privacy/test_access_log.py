"""Who looked at a record, as its patient may see it: the audit through a view, and no more of it than that."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from api import db, vocabulary
from api.app import Continuum
from tests.enrollments.deciding import place
from tests.knocking import Knocker
from tests.privacy.gating import Files
from tests.referrals.sending import client, link, refer
from tests.staff.test_alerts import hit
from tests.staff.test_tasks import comes_up


def log(patient: Knocker, **query: Any) -> list[dict[str, Any]]:
    answer = patient.get("/v1/me/access-log", query_string=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json["items"]
    return found


def test_the_patient_sees_role_system_time_and_what_was_done(clinic: Knocker, patient: Knocker) -> None:
    clinic.get(f"/v1/clinic/patients/{patient.external_id}/check-ins")
    place(clinic, patient)
    changed, looked = log(patient)
    assert (looked["who"], looked["did"]) == ("A counselor", "Looked at your check-ins.")
    assert (changed["did"], changed["why"]) == ("Wrote down a step of your care.", "To plan your care with you.")
    assert (looked["role"], looked["system"], looked["operation"]) == (
        "counselor",
        "test record system",
        "listCheckIns",
    )
    assert looked["at"].endswith("Z") and len(looked["at"]) == 20


def asks(patient: Knocker, files: Files, app: Continuum) -> None:
    assert patient.post("/v1/me/restriction-requests", json={}).status_code == 201


def is_referred(patient: Knocker, files: Files, app: Continuum) -> None:
    link(refer(client(app, files.partner(), vocabulary.PARTNER_SCOPES)), patient)


LISTS: dict[str, tuple[Callable[[Knocker, Files, Continuum], object], str]] = {
    "restriction-requests": (asks, "Looked at your privacy choices."),
    "referrals": (is_referred, "Looked at your referral."),
    "alerts": (lambda patient, files, app: hit(patient), "Looked at a safety alert about you."),
    "tasks": (lambda patient, files, app: comes_up(patient), "Looked at a task about your care."),
}


@pytest.mark.parametrize("listed", LISTS)
def test_a_list_of_several_patients_stands_in_the_log_of_each(
    files: Files, app: Continuum, clinic: Knocker, patient: Knocker, other_patient: Knocker, listed: str
) -> None:
    comes_about, did = LISTS[listed]
    comes_about(patient, files, app)
    assert len(clinic.get(f"/v1/clinic/{listed}").json["items"]) == 1
    assert [one["did"] for one in log(patient)] == [did] and log(other_patient) == []


def test_messages_that_did_not_arrive_are_part_of_the_record(clinic: Knocker, patient: Knocker) -> None:
    clinic.get(f"/v1/clinic/patients/{patient.external_id}/delivery-problems")
    assert [one["did"] for one in log(patient)] == ["Looked at how you are reached."]


def test_who_the_person_is_stays_with_the_clinic(clinic: Knocker, patient: Knocker) -> None:
    clinic.get(f"/v1/clinic/patients/{patient.external_id}")
    assert log(patient) and "u-17" not in str(log(patient))


def test_it_is_in_spanish_too(clinic: Knocker, patient: Knocker) -> None:
    clinic.get(f"/v1/clinic/patients/{patient.external_id}")
    answer = patient.get("/v1/me/access-log", headers={"Accept-Language": "es"})
    shown = [(one["who"], one["did"], one["why"]) for one in answer.json["items"]]
    assert shown == [("Una persona de consejería", "Consultó su expediente.", "Para mantener correcto su expediente.")]


@pytest.mark.parametrize(
    ("role", "who"),
    [
        ("Front-Desk", "Somebody of the front desk"),
        ("privacy_officer", "Somebody who looks after privacy"),
        ("x17", "A member of the clinic's staff"),
    ],
)
def test_a_role_is_told_in_words_whatever_the_clinics_system_calls_it(
    clinic: Knocker, patient: Knocker, role: str, who: str
) -> None:
    acting = {"Acting-User": f'"u-17";role={role}'}
    clinic.get(f"/v1/clinic/patients/{patient.external_id}", headers=acting)
    assert [(one["who"], one["role"]) for one in log(patient)] == [(who, role)]


def test_the_patients_own_acts_are_left_out(patient: Knocker) -> None:
    assert patient.put("/v1/me/preferences", json={"language": "en"}, headers={"If-Match": "*"}).status_code == 200
    assert log(patient) == []


def test_what_was_refused_was_not_seen(clinic: Knocker, patient: Knocker) -> None:
    refused = clinic.get(f"/v1/clinic/patients/{patient.external_id}/check-ins", query_string={"nonsense": 1})
    assert refused.status_code == 400
    assert log(patient) == []


def test_nobody_sees_who_looked_at_somebody_else(clinic: Knocker, patient: Knocker, other_patient: Knocker) -> None:
    clinic.get(f"/v1/clinic/patients/{patient.external_id}")
    assert len(log(patient)) == 1 and log(other_patient) == []
    counted = sa.text("SELECT count(*) FROM record_accesses")
    for caller, seen in (
        (db.Caller(kind="patient", patient_id=patient.id), 1),
        (db.Caller(kind="patient", patient_id=other_patient.id), 0),
        (db.PUBLIC, 0),
    ):
        with db.transaction(caller) as session:
            assert session.scalar(counted) == seen


def test_the_audit_itself_stays_closed_to_patients(patient: Knocker) -> None:
    with (
        pytest.raises(sa.exc.ProgrammingError),
        db.transaction(db.Caller(kind="patient", patient_id=patient.id)) as session,
    ):
        session.execute(sa.text("SELECT acting_user FROM audit_events"))


def test_pages_follow_one_another(clinic: Knocker, patient: Knocker) -> None:
    for _ in range(3):
        clinic.get(f"/v1/clinic/patients/{patient.external_id}")
    first = patient.get("/v1/me/access-log", query_string={"page_size": 2}).json
    query = {"page_size": 2, "page_token": first["next_page_token"]}
    rest = patient.get("/v1/me/access-log", query_string=query).json
    ids = [one["id"] for one in (*first["items"], *rest["items"])]
    assert len(set(ids)) == 3 and "next_page_token" not in rest


def test_a_window_narrows_it(clinic: Knocker, patient: Knocker) -> None:
    clinic.get(f"/v1/clinic/patients/{patient.external_id}")
    assert log(patient, **{"from": "2100-01-01T00:00:00Z"}) == []
    assert len(log(patient, **{"from": "2020-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z"})) == 1
