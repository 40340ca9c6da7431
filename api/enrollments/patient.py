"""Patients' own door to where they are in their care."""

from typing import Any

from api import answering, clock, language
from api.blueprint import Door
from api.enrollments import marks, mine, timeline
from api.patients import service as patients
from api.patients import zones
from schemas.enrollments import EnrollmentsQuery
from schemas.my_enrollment import MyEnrollmentAnswer, MyEnrollmentsAnswer

door = Door("enrollments", kind="patient", tag="Enrollment")


@door.get(
    "/enrollment", operation="getMyEnrollment", scope="enrollment:read", summary="Where I am in my care", etag=True
)
@door.answers(MyEnrollmentAnswer)
def get_my_enrollment() -> dict[str, Any]:
    """The level of care in the program's words and numbers, since when, and what typically follows. It also answers
    before and after any program, with how to reach the clinic; crisis help stands beside it always. Polled: send
    If-None-Match."""
    patient_id, spoken, at = answering.patient_id(), language.chosen(), clock.now()
    if answering.caller_holds(*marks.of_level(patient_id=patient_id, language=spoken, at=at)):
        return {}
    return mine.level(patient_id=patient_id, language=spoken, at=at)


@door.get(
    "/enrollments",
    operation="listMyEnrollments",
    scope="enrollment:read",
    summary="My way through care so far",
    etag=True,
)
@door.query(EnrollmentsQuery)
@door.answers(MyEnrollmentsAnswer)
def list_my_enrollments(asked: dict[str, Any]) -> dict[str, Any]:
    """Every stay in a program with its moments, the first one first, in dates and plain words. Polled: send
    If-None-Match."""
    patient_id, spoken, at = answering.patient_id(), language.chosen(), clock.now()
    mark = marks.of_timeline(patient_id=patient_id, language=spoken, at=at)
    if answering.caller_holds(*mark, sorted(asked.items())):
        return {}
    items, more = timeline.page(
        patient_id=patient_id, language=spoken, asked=asked["page_size"], page_token=asked["page_token"], at=at
    )
    return {"items": items, "next_page_token": more, "time_zone": zones.of(patients.one(patient_id=patient_id))}
