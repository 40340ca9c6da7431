"""Whatever refuses a check-in, help stands in the refusal; and what could be read was looked at first."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from api import db, errors
from api.app import Continuum
from tests.checkins.giving import MONDAY, NOT_SAFE, alerts, body
from tests.knocking import Knocker

PATH = "/v1/me/check-ins"


@pytest.fixture(autouse=True)
def monday(travel: Callable[[str], Any]) -> None:
    travel(MONDAY)


def numbers(refused: Any) -> set[str]:
    return {resource["number"] for resource in refused.json["help"]["resources"]}


def long(length: int) -> bytes:
    return orjson.dumps(body(answers=[NOT_SAFE]) | {"note": "x" * length})


def test_a_body_that_is_too_long_is_looked_at_before_it_is_refused(patient: Knocker, clinic: Knocker) -> None:
    refused = patient.post(PATH, data=long(2_000_000), content_type="application/json")
    assert (refused.status_code, refused.json["help_first"]) == (413, True)
    assert numbers(refused) >= {"911", "988"}
    assert len(alerts(clinic)) == 1


def test_one_without_end_is_refused_with_help(patient: Knocker) -> None:
    refused = patient.post(PATH, data=long(5_000_000), content_type="application/json")
    assert refused.status_code == 413
    assert numbers(refused) >= {"911", "988"}


def test_a_token_that_may_not_check_in_still_says_that_somebody_is_not_safe(
    app: Continuum, patient: Knocker, clinic: Knocker
) -> None:
    token = app.extensions["tokens"].issue(
        kind="patient", subject=patient.id, client_id="demo", scopes=["me:read"], sid=patient.app_session_id
    )
    refused = patient.post(PATH, json=body(answers=[NOT_SAFE]), headers={"Authorization": f"Bearer {token}"})
    assert (refused.status_code, refused.json["help_first"]) == (403, True)
    assert len(alerts(clinic)) == 1


def test_who_is_not_signed_in_reads_help_and_nobody_is_named_to_the_clinic(
    visitor: Knocker, patient: Knocker, clinic: Knocker
) -> None:
    clinic.put(f"/v1/clinic/patients/{patient.external_id}/status", json={"status": "suspended"})
    for knocker in (visitor, patient):
        refused = knocker.post(PATH, json=body(answers=[NOT_SAFE]))
        assert refused.status_code == 401
        assert numbers(refused) >= {"911", "988"}
    assert alerts(clinic) == []


def test_help_needs_no_database(patient: Knocker, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(caller: db.Caller) -> Any:
        raise errors.Unavailable

    monkeypatch.setattr(db, "running", away)
    refused = patient.post(PATH, json=body(answers=[NOT_SAFE]), headers={"Accept-Language": "es"})
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
    assert numbers(refused) >= {"911", "988"}
