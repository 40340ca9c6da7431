"""The record system upserts patients and says what becomes of their accounts."""

from collections.abc import Callable

from tests.knocking import Knocker


def test_the_record_systems_id_makes_one_patient(clinic: Knocker) -> None:
    first = clinic.put("/v1/clinic/patients/EHR-1", json={"preferred_name": "Sam"})
    again = clinic.put("/v1/clinic/patients/EHR-1", json={"language": "es"})
    assert first.status_code == again.status_code == 200
    assert first.json["id"] == again.json["id"]
    assert again.json["preferred_name"] == "Sam"
    assert clinic.get("/v1/clinic/patients/EHR-1").json["language"] == "es"


def test_a_suspended_patient_stops_at_the_next_request(clinic: Knocker, patient: Knocker) -> None:
    assert patient.get("/v1/me").status_code == 200
    clinic.put(f"/v1/clinic/patients/{patient.external_id}/status", json={"status": "suspended"})
    refused = patient.get("/v1/me")
    assert refused.status_code == 401
    assert refused.json["type"].endswith("/problems/session-ended")


def test_the_clinic_must_say_for_whom_it_acts(clinic: Knocker) -> None:
    refused = clinic.get("/v1/clinic/patients/EHR-1", headers={"Acting-User": "u-17"})
    assert refused.status_code == 400
    assert refused.json["type"].endswith("/problems/acting-user-missing")


def test_every_act_of_the_clinic_is_on_record(
    clinic: Knocker, patient: Knocker, owner_sql: Callable[..., list[tuple[object, ...]]]
) -> None:
    clinic.get(f"/v1/clinic/patients/{patient.external_id}")
    clinic.get("/v1/clinic/patients/nobody")
    rows = owner_sql(
        "SELECT operation, acting_user, acting_role, patient_id, outcome, problem FROM audit_events ORDER BY id"
    )
    assert rows == [
        ("getPatient", "u-17", "counselor", patient.id, "done", None),
        ("getPatient", "u-17", "counselor", None, "refused", "not-found"),
    ]


def test_a_name_that_could_be_nobodys_is_simply_not_found(clinic: Knocker) -> None:
    for name in ("%00", "x" * 101, "a%07b"):
        assert clinic.get(f"/v1/clinic/patients/{name}").status_code == 404


def test_a_language_that_the_record_system_changes_is_a_new_version_of_the_choice(
    clinic: Knocker, patient: Knocker
) -> None:
    tag = patient.get("/v1/me/preferences").headers["ETag"]
    clinic.put(f"/v1/clinic/patients/{patient.external_id}", json={"language": "es"})
    read = patient.get("/v1/me/preferences", headers={"If-None-Match": tag})
    assert (read.status_code, read.json["language"]) == (200, "es")
    assert patient.put("/v1/me/preferences", json={}, if_match=tag).status_code == 412
