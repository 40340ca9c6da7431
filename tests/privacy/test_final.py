"""What was decided stays decided in the data, also for a statement that no verb of ours would run."""

from collections.abc import Mapping
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from api import db
from tests.knocking import Knocker
from tests.privacy.gating import NOON, Files, facts

REVOKED = {"revoked_at": NOON, "revoked_how": "phone", "revocation_taken_by": "u-17", "revocation_taken_role": "nurse"}
ENDED = {"ended_at": NOON, "ended_reason": "deficient", "ended_by": "u-17", "ended_role": "nurse"}
CLEARED = "UPDATE consents SET revoked_at = NULL, revoked_how = NULL"
BY_PATIENTS = [
    CLEARED,
    "UPDATE consents SET revoked_at = revoked_at + interval '1 year'",
    "UPDATE consents SET revoked_how = 'in_person'",
]
BY_THE_CLINIC = [
    *BY_PATIENTS,
    "UPDATE consents SET revocation_taken_by = NULL",
    "UPDATE consents SET ended_at = NULL, ended_reason = NULL",
    "UPDATE consents SET ended_reason = 'event_came_about'",
    "UPDATE consents SET ended_role = 'counselor'",
]


def run(kind: str, patient: Knocker, statement: str) -> None:
    """As that kind of caller's own database role, on this patient."""
    with db.transaction(db.Caller(kind=kind, patient_id=patient.id)) as session:
        done = session.execute(sa.text(f"{statement} WHERE patient_id = :whose"), {"whose": patient.id})
        assert isinstance(done, sa.CursorResult) and done.rowcount == 1


def refused(kind: str, patient: Knocker, statement: str) -> None:
    with pytest.raises(sa.exc.IntegrityError) as seen:
        run(kind, patient, statement)
    assert isinstance(seen.value.orig, psycopg.errors.RestrictViolation)


@pytest.mark.parametrize("statement", BY_PATIENTS)
def test_the_patients_own_role_cannot_undo_a_revocation(files: Files, patient: Knocker, statement: str) -> None:
    partner = files.partner()
    files.sign(patient.id, partner, **REVOKED)
    refused("patient", patient, statement)
    assert facts(partner, patient.id) is None


@pytest.mark.parametrize("statement", BY_THE_CLINIC)
def test_nor_can_the_clinics_role_undo_or_rewrite_what_ended_a_consent(
    files: Files, patient: Knocker, statement: str
) -> None:
    files.sign(patient.id, files.partner(), **REVOKED, **ENDED)
    refused("clinic", patient, statement)


def test_nor_can_the_owner_of_the_data(files: Files, patient: Knocker) -> None:
    files.sign(patient.id, files.partner(), **REVOKED)
    with pytest.raises(psycopg.errors.RestrictViolation):
        files.superuser.execute(CLEARED)


@pytest.mark.parametrize(("before", "after"), [(REVOKED, ENDED), (ENDED, REVOKED)], ids=["revoked", "ended"])
def test_what_has_not_been_decided_yet_still_can_be(
    files: Files, patient: Knocker, before: Mapping[str, Any], after: Mapping[str, Any]
) -> None:
    consent = files.sign(patient.id, files.partner(), **before)
    files.set("consents", consent, **after, version=9)
    kept = files.superuser.execute("SELECT revoked_how, ended_reason FROM consents").fetchall()
    assert kept == [("phone", "deficient")]


# What was asked, answered or taken back, by whom it cannot be changed, and how.
STEPS = [
    ("patient", "agreed", "status = 'requested'"),
    ("patient", "declined", "status = 'withdrawn', withdrawn_at = now()"),
    ("patient", "ended", "status = 'withdrawn', withdrawn_at = now()"),
    ("clinic", "agreed", "status = 'declined'"),
    ("clinic", "agreed", "answered_by = 'u-18'"),
    ("clinic", "declined", "answer = NULL"),
    ("clinic", "ended", "status = 'agreed', ended_at = NULL"),
    ("clinic", "ended", "ended_at = ended_at + interval '1 year'"),
    ("clinic", "ended", "ended_by = 'u-18'"),
    ("clinic", "ended", "ended_role = 'nurse'"),
    ("clinic", "ended", "end_reason = NULL"),
    ("patient", "withdrawn", "withdrawn_at = withdrawn_at - interval '1 year'"),
]
BECAME = {
    "ended": {"ended_at": NOON, "ended_by": "u-17", "ended_role": "counselor", "end_reason": "You asked for it."},
    "withdrawn": {"withdrawn_at": NOON},
}


@pytest.mark.parametrize(("kind", "status", "change"), STEPS)
def test_nor_what_became_of_a_request(files: Files, patient: Knocker, kind: str, status: str, change: str) -> None:
    files.restrict(patient.id, status=status, answer="We will not share this.", **BECAME.get(status, {}))
    refused(kind, patient, f"UPDATE restrictions SET {change}")


@pytest.mark.parametrize("status", ["agreed", "declined"])
def test_a_patients_role_cannot_answer_its_own_request(files: Files, patient: Knocker, status: str) -> None:
    files.restrict(patient.id, status="requested")
    with pytest.raises(sa.exc.ProgrammingError) as seen:
        run("patient", patient, f"UPDATE restrictions SET status = '{status}'")
    assert isinstance(seen.value.orig, psycopg.errors.InsufficientPrivilege)
