"""The clinic's door to treatment dose: who attends less than planned."""

from typing import Any

from api import answering, audit, clock, errors, observe
from api.blueprint import Door
from api.patients import zones
from api.sessions import under_dose
from schemas.progress import TreatmentDoseQuery, TreatmentDosesAnswer

door = Door("dose", kind="clinic", tag="Schedule")
OPERATION = "listTreatmentDose"


@door.get(
    "/treatment-dose",
    operation=OPERATION,
    scope="schedule:read",
    summary="Who attends less than planned",
    refusals=[errors.BadRequest],
)
@door.query(TreatmentDoseQuery)
@door.answers(TreatmentDosesAnswer)
def list_treatment_dose(asked: dict[str, Any]) -> dict[str, Any]:
    """One week of everybody in care, in the clinic's own zone. With `below=true` those alone whose week lies below the
    level's floor and below what was scheduled for them; what the clinic cancelled or excused, partial weeks and weeks
    of stepping down count against nobody. Each patient whom the answer names is in the audit as read."""
    rows, more = under_dose.listed(
        below=asked["below"],
        monday=asked["week"],
        asked=asked["page_size"],
        page_token=asked["page_token"],
        bound_to=(answering.caller().client_id,),
        at=clock.now(),
    )
    for row in rows:
        _read(row)
    return {"items": [_shown(row) for row in rows], "next_page_token": more, "time_zone": zones.clinic()}


def _read(row: under_dose.Row) -> None:
    audit.record(
        answering.caller(),
        operation=OPERATION,
        action="read",
        patient_id=row.enrollment.patient_id,
        resource_id=row.enrollment.id,
        request_id=observe.note().request_id,
    )


def _shown(row: under_dose.Row) -> dict[str, Any]:
    week = row.week
    return {
        "patient_id": row.enrollment.patient_id,
        "external_id": row.external_id,
        "enrollment_id": row.enrollment.id,
        "program": row.enrollment.program_slug,
        "week_starts_on": week.starts_on,
        "scheduled_minutes": week.scheduled,
        "excused_minutes": week.excused,
        "attended_minutes": week.attended,
        "attested_minutes": week.attested,
        "unrecorded_minutes": week.unrecorded,
        "floor_minutes": row.floor,
        "partial": week.partial,
        "stepping_down": week.stepping,
        "below": week.below,
    }
