"""The clinic reads who did what, and that it read it is told there too."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api import audit, db, vocabulary
from api.app import Continuum
from tests.knocking import Knocker

AsWorker = Callable[[], AbstractContextManager[Any]]


def read(clinic: Knocker, **query: Any) -> list[dict[str, Any]]:
    answer = clinic.get("/v1/clinic/audit", query_string=query)
    assert answer.status_code == 200, answer.json
    items: list[dict[str, Any]] = answer.json["items"]
    return items


def act(operation: str, **told: Any) -> None:
    with db.transaction(db.SYSTEM):
        audit.record(db.SYSTEM, operation=operation, action="update", **told)


def test_an_act_is_told_with_whose_record_and_on_whose_behalf(clinic: Knocker, patient: Knocker) -> None:
    clinic.get(f"/v1/clinic/patients/{patient.external_id}")
    (told,) = read(clinic, operation="getPatient")
    assert told.pop("id") and told.pop("recorded_at").endswith("Z") and told.pop("request_id")
    assert told == {
        "caller_kind": "clinic",
        "client_id": str(clinic.id),
        "acting_user": "u-17",
        "acting_role": "counselor",
        "patient_external_id": patient.external_id,
        "action": "read",
        "operation": "getPatient",
        "outcome": "done",
    }


def test_reading_the_audit_is_in_the_audit(clinic: Knocker, patient: Knocker) -> None:
    read(clinic, patient_external_id=patient.external_id)
    (told,) = read(clinic, operation="listAuditEvents")
    assert (told["patient_external_id"], told["acting_user"]) == (patient.external_id, "u-17")


def test_a_refusal_is_told_with_its_cause_and_its_number(clinic: Knocker) -> None:
    act("done")
    act("refused", problem="not-found", times=90)
    (told,) = read(clinic, outcome="refused")
    assert (told["operation"], told["problem"], told["times"]) == ("refused", "not-found", 90)


def test_a_sealed_act_says_its_position(clinic: Knocker, as_worker: AsWorker) -> None:
    act("first")
    act("second")
    with as_worker():
        audit.seal()
    act("third")
    told = [one for one in read(clinic) if one["operation"] in ("first", "second", "third")]
    assert [(one["operation"], one.get("sealed")) for one in told] == [("third", None), ("second", 2), ("first", 1)]


def test_the_audit_of_one_patient_is_of_nobody_else(clinic: Knocker, patient: Knocker, other_patient: Knocker) -> None:
    act("mine", patient_id=patient.id)
    act("theirs", patient_id=other_patient.id)
    assert [one["operation"] for one in read(clinic, patient_external_id=patient.external_id)] == ["mine"]


def test_nobodys_audit_is_not_there(clinic: Knocker) -> None:
    assert clinic.get("/v1/clinic/audit?patient_external_id=EHR-nobodys").status_code == 404


def test_a_window_holds_its_beginning_and_not_its_end(clinic: Knocker, owner_sql: Callable[..., Any]) -> None:
    at = datetime(2026, 11, 20, 15, tzinfo=UTC)
    for number in range(3):
        owner_sql(
            "INSERT INTO audit_events (id, recorded_at, caller_kind, action, operation, outcome)"
            " VALUES (%s, %s, 'worker', 'create', %s, 'done')",
            *(db.uuid7(), at + timedelta(hours=number), f"act{number}"),
        )
    window = {"from": "2026-11-20T16:00:00Z", "to": "2026-11-20T17:00:00Z"}
    assert [one["operation"] for one in read(clinic, **window)] == ["act1"]


def test_pages_meet_without_gap_or_double(clinic: Knocker) -> None:
    for number in range(5):
        act(f"act{number}", resource_id=db.uuid7())
    seen: list[str] = []
    token: str | None = ""
    while token is not None:
        query = {"page_size": 2, "from": "2020-01-01T00:00:00Z", **({"page_token": token} if token else {})}
        page = clinic.get("/v1/clinic/audit", query_string=query).json
        seen += [one["operation"] for one in page["items"] if one["operation"].startswith("act")]
        token = page.get("next_page_token")
    assert seen == [f"act{number}" for number in reversed(range(5))]


def test_a_page_token_is_good_for_its_filter_only(clinic: Knocker) -> None:
    for _ in range(3):
        act("act")
    token = clinic.get("/v1/clinic/audit?page_size=1").json["next_page_token"]
    refused = clinic.get(f"/v1/clinic/audit?page_size=1&outcome=done&page_token={token}")
    assert refused.json["type"].endswith("/invalid-cursor")


@pytest.mark.parametrize("query", ["outcome=maybe", "from=yesterday", "who=me", "patient_external_id="])
def test_a_question_that_is_none_is_refused(clinic: Knocker, query: str) -> None:
    assert clinic.get(f"/v1/clinic/audit?{query}").status_code == 400


def test_without_the_scope_nobody_reads_it(app: Continuum, clinic: Knocker) -> None:
    scopes = [scope for scope in vocabulary.CLINIC_SCOPES if scope != "audit:read"]
    token = app.extensions["tokens"].issue(
        kind="clinic", subject=clinic.id, client_id=str(clinic.id), scopes=tuple(scopes)
    )
    clinic.headers["Authorization"] = f"Bearer {token}"
    assert clinic.get("/v1/clinic/audit").status_code == 403
