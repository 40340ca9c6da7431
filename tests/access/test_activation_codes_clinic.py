"""The clinic invites patients; the code is shown once, and to whoever may see it."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from prometheus_client import REGISTRY

from api import db
from api.access import activation
from tests.knocking import Knocker

SQL = Callable[..., list[tuple[Any, ...]]]


def invite(clinic: Knocker, patient: Knocker, handed_over: Any = "post", **kwargs: Any) -> Any:
    path = f"/v1/clinic/patients/{patient.external_id}/activation-codes"
    return clinic.post(path, json={"handed_over": handed_over}, **kwargs)


def hashes() -> float:
    return REGISTRY.get_sample_value("continuum_secret_hashes_total") or 0


def test_both_forms_of_the_code_let_the_patient_in(clinic: Knocker, patient: Knocker) -> None:
    answer = invite(clinic, patient)
    assert answer.status_code == 201, answer.json
    for form in ("code", "link_code"):
        presented = activation.presented(answer.json[form])
        with db.transaction(db.Caller(kind="holder", presented=presented.hash)):
            found = activation.found(presented)
        assert activation.right(found, presented) and found and found.patient_id == patient.id
    assert answer.json["handed_over"] == "post" and answer.headers["Cache-Control"] == "no-store"


def test_a_replay_shows_no_secret(clinic: Knocker, patient: Knocker, owner_sql: SQL) -> None:
    first, again = (invite(clinic, patient, key="once") for _ in range(2))
    assert again.status_code == 201 and again.headers["Idempotency-Replayed"] == "true"
    assert again.json == {name: first.json[name] for name in ("id", "handed_over", "expires_at")}
    assert owner_sql("SELECT count(*) FROM activation_codes") == [(1,)]


def test_inviting_again_ends_the_earlier_code(clinic: Knocker, patient: Knocker, owner_sql: SQL) -> None:
    first, second = (invite(clinic, patient).json["id"] for _ in range(2))
    standing = {str(id): ended for id, ended in owner_sql("SELECT id, ended_at IS NOT NULL FROM activation_codes")}
    assert standing == {first: True, second: False}


@pytest.mark.parametrize("status", ["suspended", "deceased", "merged"])
def test_an_account_that_is_not_active_is_a_conflict(
    clinic: Knocker, patient: Knocker, owner_sql: SQL, status: str
) -> None:
    clinic.put(f"/v1/clinic/patients/{patient.external_id}/status", json={"status": status})
    answer = invite(clinic, patient)
    assert (answer.status_code, answer.json["type"].rsplit("/", 1)[1]) == (409, "patient-not-active")


def test_nobody_is_not_found(clinic: Knocker) -> None:
    assert invite(clinic, Knocker(clinic.app, external_id="EHR-0")).status_code == 404


@pytest.mark.parametrize("handed_over", ["pigeon", None, 7, ["post"]])
def test_a_way_that_nobody_knows_costs_no_hash(clinic: Knocker, patient: Knocker, handed_over: Any) -> None:
    before = hashes()
    assert invite(clinic, patient, handed_over).status_code == 422
    assert hashes() == before


def test_an_invitation_costs_one_hash(clinic: Knocker, patient: Knocker) -> None:
    before = hashes()
    invite(clinic, patient)
    assert hashes() - before == 1


def test_patients_invite_nobody(patient: Knocker) -> None:
    assert invite(patient, patient).status_code == 401


def test_no_secret_reaches_the_log_or_the_audit(
    clinic: Knocker, patient: Knocker, owner_sql: SQL, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    shown = invite(clinic, patient).json
    audit = str(owner_sql("SELECT audit_events::text FROM audit_events WHERE operation = 'createActivationCode'"))
    log = capfdbinary.readouterr().out.decode()
    assert json.dumps(shown["id"]).strip('"') in audit and str(patient.id) in audit
    assert not any(secret in text for secret in (shown["code"], shown["link_code"]) for text in (audit, log))
