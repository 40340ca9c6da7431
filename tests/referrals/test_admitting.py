"""From a referral to a patient: the clinic says whose it is, and an admission is all of it or nothing."""

import hashlib
from typing import Any

import pytest

from schemas.consents import PaperConsentAsk
from tests.knocking import Knocker
from tests.referrals.desk import (
    DESK,
    PARTNERS,
    PDF,
    Json,
    Sql,
    admit,
    at_desk,
    decide,
    harbor,
    link,
    name_of,
    refer,
    send_document,
    tag,
    verify,
)

__all__ = ["harbor"]
OUTCOME = {"categories": ["referral_outcome"], "recipient_class": None}


@pytest.fixture
def accepted(harbor: Knocker, clinic: Knocker) -> str:
    sent = refer(harbor)
    assert decide(clinic, sent, "accept").status_code == 200
    return sent


def enrolled(owner_sql: Sql) -> list[tuple[Any, ...]]:
    return owner_sql(
        "SELECT p.external_id, e.program_slug, e.status FROM enrollments e JOIN patients p ON p.id = e.patient_id"
    )


def test_an_admission_makes_the_patient_and_places_them(accepted: str, clinic: Knocker, owner_sql: Sql) -> None:
    told = admit(clinic, accepted, preferred_name="Avery", language="es").json
    assert (told["state"], told["sub_status"], told["patient_external_id"]) == ("completed", "admitted", "EHR-200300")
    assert enrolled(owner_sql) == [("EHR-200300", "iop", "active")]
    assert told["enrollment_id"] and told["admitted_at"]
    steps = [(one["act"], one.get("state")) for one in told["events"]]
    assert steps == [("sent", "received"), ("moved", "accepted"), ("moved", "in_progress"), ("moved", "completed")]


def test_somebody_who_is_known_is_placed_as_who_they_are(
    accepted: str, clinic: Knocker, patient: Knocker, owner_sql: Sql
) -> None:
    told = admit(clinic, accepted, patient_external_id=patient.external_id).json
    assert told["patient_external_id"] == patient.external_id
    assert enrolled(owner_sql) == [(patient.external_id, "iop", "active")]


@pytest.mark.parametrize(
    ("changed", "status"),
    [({"program": "no-such-program"}, 422), ({"starts_at": "2099-01-01T00:00:00Z"}, 422), ({"focus": []}, 422)],
)
def test_what_cannot_be_placed_leaves_nothing_behind(
    accepted: str, clinic: Knocker, owner_sql: Sql, changed: Json, status: int
) -> None:
    assert admit(clinic, accepted, **changed).status_code == status
    assert owner_sql("SELECT count(*) FROM patients") == [(0,)]
    assert (at_desk(clinic, accepted)["state"], enrolled(owner_sql)) == ("accepted", [])


def test_who_has_a_place_already_is_not_placed_again(accepted: str, clinic: Knocker, patient: Knocker) -> None:
    place = f"/v1/clinic/patients/{patient.external_id}/enrollments"
    assert clinic.post(place, json={"program": "op", "focus": ["substance_use"]}).status_code == 201
    assert name_of(admit(clinic, accepted, patient_external_id=patient.external_id)) == "already-enrolled"
    assert "patient_external_id" not in at_desk(clinic, accepted)


def test_a_referral_is_accepted_before_it_is_admitted(harbor: Knocker, clinic: Knocker, owner_sql: Sql) -> None:
    refused = admit(clinic, refer(harbor))
    assert (name_of(refused), refused.json["state"]) == ("referral-step-not-allowed", "received")
    assert owner_sql("SELECT count(*) FROM patients") == [(0,)]


def test_one_who_waited_can_be_admitted(accepted: str, clinic: Knocker) -> None:
    decide(clinic, accepted, "schedule_assessment")
    decide(clinic, accepted, "hold", reason="In hospital.")
    assert admit(clinic, accepted).json["state"] == "completed"


def test_an_admission_sent_again_is_one(accepted: str, clinic: Knocker, owner_sql: Sql) -> None:
    body = {"patient_external_id": "EHR-200300", "program": "iop", "focus": ["substance_use"]}
    ask = {"key": "admit-1", "headers": {"If-Match": tag(clinic, accepted)}, "json": body}
    first, again = (clinic.post(f"{DESK}/{accepted}/admission", **ask) for _ in range(2))
    assert (first.status_code, again.status_code, first.json) == (200, 200, again.json)
    assert len(enrolled(owner_sql)) == 1


def test_a_mistaken_link_is_made_anew_until_something_rests_on_it(
    accepted: str, clinic: Knocker, patient: Knocker, other_patient: Knocker
) -> None:
    assert patient.external_id and other_patient.external_id
    for whose in (other_patient, patient, patient):
        assert link(clinic, accepted, str(whose.external_id)).json["patient_external_id"] == whose.external_id
    assert [one["act"] for one in at_desk(clinic, accepted)["events"]].count("linked") == 2
    assert name_of(admit(clinic, accepted, patient_external_id=other_patient.external_id)) == "linked-to-another"
    assert admit(clinic, accepted, patient_external_id=patient.external_id).status_code == 200
    assert name_of(link(clinic, accepted, other_patient.external_id)) == "link-in-use"


def test_a_cancellation_after_the_admission_undoes_nothing_and_is_seen(
    accepted: str, harbor: Knocker, clinic: Knocker, owner_sql: Sql
) -> None:
    admit(clinic, accepted)
    gone = harbor.post(f"{PARTNERS}/{accepted}/cancellation", headers={"If-Match": "*"}, json={"reason": "Moved."})
    assert (gone.status_code, gone.json["state"]) == (200, "cancelled")
    told = at_desk(clinic, accepted)
    assert (told["state"], told["late_withdrawal"]) == ("completed", "cancelled")
    assert told["partner_cancelled_at"] and enrolled(owner_sql) == [("EHR-200300", "iop", "active")]
    late = clinic.get(f"{DESK}?withdrawn_late=true").json["items"]
    assert [one["id"] for one in late] == [accepted]
    noted = clinic.post(f"{DESK}/{accepted}/withdrawal-note").json
    assert "late_withdrawal" not in noted and noted["partner_cancelled_at"]
    assert clinic.get(f"{DESK}?withdrawn_late=true").json["items"] == []


def test_the_document_is_kept_sealed_and_opened_for_staff(
    accepted: str, harbor: Knocker, clinic: Knocker, owner_sql: Sql
) -> None:
    assert clinic.get(f"{DESK}/{accepted}/document").status_code == 404
    sent = refer(harbor)
    assert send_document(harbor, sent).status_code == 200
    ((sealed,),) = owner_sql("SELECT sealed FROM referral_documents WHERE referral_id = %s", sent)
    assert b"Catalog" not in bytes(sealed)
    read = clinic.get(f"{DESK}/{sent}/document")
    assert (read.status_code, read.data, read.mimetype) == (200, PDF, "application/pdf")
    assert read.headers["Content-Disposition"] == "attachment"
    assert at_desk(clinic, sent)["document_sha256"] == hashlib.sha256(PDF).hexdigest()
    read_by = "SELECT acting_user FROM audit_events WHERE operation = 'getReferralDocument' AND resource_id = %s"
    assert owner_sql(read_by, sent) == [("u-17",)]


def test_a_document_opens_nothing_until_it_is_verified(harbor: Knocker, clinic: Knocker, patient: Knocker) -> None:
    sent = refer(harbor)
    assert send_document(harbor, sent).status_code == 200
    digest = at_desk(clinic, sent)["document_sha256"]
    decide(clinic, sent, "accept")
    seen = harbor.get(f"{PARTNERS}/{sent}").json
    assert seen["state"] == "received"
    allows = {**OUTCOME, "recipient_id": str(harbor.id)}
    assert name_of(verify(clinic, sent, digest, **allows)) == "not-linked"
    link(clinic, sent, str(patient.external_id))
    assert harbor.get(f"{PARTNERS}/{sent}").json["state"] == "received"
    assert name_of(verify(clinic, sent, "0" * 64, **allows)) == "another-document"
    verified = verify(clinic, sent, digest, **allows)
    assert verified.status_code == 200, verified.text
    assert (verified.json["document_verified"], verified.json["document_verified_by"]) == (True, "u-17")
    assert harbor.get(f"{PARTNERS}/{sent}").json["state"] == "accepted"
    assert name_of(verify(clinic, sent, digest, **allows)) == "document-verified"


def test_the_consent_that_was_verified_is_the_patients_to_take_back(
    harbor: Knocker, clinic: Knocker, patient: Knocker, owner_sql: Sql
) -> None:
    sent = refer(harbor)
    send_document(harbor, sent)
    link(clinic, sent, str(patient.external_id))
    digest = at_desk(clinic, sent)["document_sha256"]
    assert verify(clinic, sent, digest, **OUTCOME, recipient_id=str(harbor.id)).status_code == 200
    ((consent, whose, how, kept),) = owner_sql("SELECT id, patient_id, signed_how, document_hash FROM consents")
    assert (whose, how, bytes(kept).hex()) == (patient.id, "paper", digest)
    assert harbor.get(f"{PARTNERS}/{sent}").json["state"] == "received"
    decide(clinic, sent, "accept")
    assert harbor.get(f"{PARTNERS}/{sent}").json["state"] == "accepted"
    owner_sql("UPDATE consents SET revoked_at = now() - interval '1 hour', revoked_how = 'app' WHERE id = %s", consent)
    assert harbor.get(f"{PARTNERS}/{sent}").json["state"] == "received"


def test_a_verification_of_nothing_is_refused(accepted: str, clinic: Knocker, patient: Knocker) -> None:
    link(clinic, accepted, str(patient.external_id))
    assert name_of(verify(clinic, accepted, PaperConsentAsk.example["document_sha256"])) == "no-document"
