"""A patient sees where they are signed in, and ends it: this phone, another, all."""

from collections.abc import Callable
from typing import Any

import pytest

from api import db
from api.app import Continuum
from tests.conftest import sign_in
from tests.knocking import Knocker

SQL = Callable[..., list[tuple[Any, ...]]]
HERE = "/v1/me/app-sessions"


@pytest.fixture
def other_phone(app: Continuum, patient: Knocker) -> Knocker:
    assert patient.id
    return sign_in(app, patient.id)


def ended(sql: SQL) -> dict[Any, str]:
    return dict(sql("SELECT id, end_reason FROM app_sessions WHERE ended_at IS NOT NULL"))  # type: ignore[arg-type]


def test_this_phone_is_marked_among_the_signed_in_ones(
    patient: Knocker, other_phone: Knocker, other_patient: Knocker, owner_sql: SQL
) -> None:
    owner_sql("UPDATE app_sessions SET device_name = 'Tablet' WHERE id = %s", other_phone.app_session_id)
    items = patient.get(HERE).json["items"]
    current = {one["id"]: (one["current"], one.get("device_name")) for one in items}
    expected = {str(patient.app_session_id): (True, None), str(other_phone.app_session_id): (False, "Tablet")}
    assert current == expected
    assert set(items[0]) - {"device_name"} == {"id", "created_at", "seen_at", "expires_at", "current"}


def test_what_has_ended_or_run_out_is_not_listed(patient: Knocker, app: Continuum, owner_sql: SQL) -> None:
    assert patient.id
    for column in ("ended_at", "expires_at"):
        phone = sign_in(app, patient.id)
        owner_sql(f"UPDATE app_sessions SET {column} = now() WHERE id = %s", phone.app_session_id)
    assert [one["id"] for one in patient.get(HERE).json["items"]] == [str(patient.app_session_id)]


def test_a_lost_phone_is_revoked_at_its_next_request(patient: Knocker, other_phone: Knocker, owner_sql: SQL) -> None:
    assert patient.delete(f"{HERE}/{other_phone.app_session_id}").status_code == 204
    answer = other_phone.get(HERE)
    assert (answer.status_code, answer.json["type"].rsplit("/", 1)[1]) == (401, "session-revoked")
    assert ended(owner_sql) == {other_phone.app_session_id: "revoked"}
    told = owner_sql("SELECT task_name FROM jobs.procrastinate_jobs WHERE args ->> 'patient_id' = %s", str(patient.id))
    assert told == [("tell-sign-in-ended",)]


def test_signing_out_here_is_no_revocation(patient: Knocker, other_phone: Knocker, owner_sql: SQL) -> None:
    assert patient.delete(f"{HERE}/{patient.app_session_id}").status_code == 204
    answer = patient.get(HERE)
    assert (answer.status_code, answer.json["type"].rsplit("/", 1)[1]) == (401, "session-ended")
    assert ended(owner_sql) == {patient.app_session_id: "signed_out"}
    assert other_phone.get(HERE).status_code == 200


def test_ending_again_is_ending_once(patient: Knocker, other_phone: Knocker, owner_sql: SQL) -> None:
    owner_sql(
        "UPDATE app_sessions SET ended_at = now(), end_reason = 'replaced' WHERE id = %s", other_phone.app_session_id
    )
    for _ in range(2):
        assert patient.delete(f"{HERE}/{other_phone.app_session_id}").status_code == 204
    assert ended(owner_sql) == {other_phone.app_session_id: "replaced"}


def test_signing_out_everywhere_ends_this_one_too(
    patient: Knocker, other_phone: Knocker, other_patient: Knocker, owner_sql: SQL
) -> None:
    assert patient.delete(HERE).status_code == 204
    assert {one.get(HERE).status_code for one in (patient, other_phone)} == {401}
    assert set(ended(owner_sql).values()) == {"signed_out_everywhere"}
    assert other_patient.get(HERE).status_code == 200


def test_somebody_elses_phone_is_not_there(patient: Knocker, other_patient: Knocker, owner_sql: SQL) -> None:
    for nobodys in (other_patient.app_session_id, db.uuid7()):
        assert patient.delete(f"{HERE}/{nobodys}").status_code == 404
    assert ended(owner_sql) == {}
