"""How these tests place patients and decide for them."""

from typing import Any

from werkzeug.test import TestResponse

from tests.knocking import Knocker


def place(clinic: Knocker, patient: Knocker, program: str = "iop", **asked: Any) -> dict[str, Any]:
    placed = clinic.post(
        f"/v1/clinic/patients/{patient.external_id}/enrollments",
        json={"program": program, "focus": ["substance_use"], **asked},
    )
    assert placed.status_code == 201, placed.json
    return placed.json


def decide(
    clinic: Knocker, enrollment: dict[str, Any], kind: str, *, key: str | None = None, **asked: Any
) -> TestResponse:
    asked = {"kind": kind, **asked}
    return clinic.post(f"/v1/clinic/enrollments/{enrollment['id']}/transitions", key=key, json=asked)


def step_down(clinic: Knocker, enrollment: dict[str, Any], **asked: Any) -> TestResponse:
    return decide(clinic, enrollment, "step_down", program="op", reason="completed", **asked)


def on_record(clinic: Knocker, patient: Knocker) -> list[dict[str, Any]]:
    return clinic.get(f"/v1/clinic/patients/{patient.external_id}/enrollments").json["items"]
