"""The clinic's everyday acts, by its own doors, for tests that need a week to have happened."""

from typing import Any

from tests.knocking import Knocker


def place(clinic: Knocker, patient: Knocker, program: str = "iop") -> dict[str, Any]:
    placed = clinic.post(
        f"/v1/clinic/patients/{patient.external_id}/enrollments",
        json={"program": program, "starts_at": "2026-11-16T14:00:00Z", "focus": ["substance_use"]},
    )
    assert placed.status_code == 201, placed.json
    return dict(placed.json)


def schedule(clinic: Knocker, patient: Knocker, *, at: str = "18:00", days: str = "MO,WE,FR") -> dict[str, Any]:
    made = clinic.post(
        "/v1/clinic/session-series",
        json={
            "kind": "group",
            "title": "Evening group",
            "modality": "in_person",
            "program": "iop",
            "time_zone": "America/New_York",
            "first_on": "2026-11-23",
            "starts_local": at,
            "duration_minutes": 180,
            "rrule": f"FREQ=WEEKLY;BYDAY={days};COUNT=12",
        },
    )
    assert made.status_code == 201, made.json
    joined = clinic.put(f"/v1/clinic/session-series/{made.json['id']}/members/{patient.id}")
    assert joined.status_code in (200, 201, 204), joined.json
    return dict(made.json)


def change(clinic: Knocker, session_id: str, **changed: Any) -> dict[str, Any]:
    """One session, changed on its own."""
    read = clinic.get(f"/v1/clinic/sessions/{session_id}")
    asked = ("starts_at", "duration_minutes", "status", "title", "modality")
    answer = clinic.put(
        f"/v1/clinic/sessions/{session_id}",
        json={**{name: read.json[name] for name in asked if name in read.json}, "duration_minutes": 180, **changed},
        if_match=read.headers["ETag"],
    )
    assert answer.status_code == 200, answer.json
    return dict(answer.json)
