"""The clinic's door to sessions: single ones changed, and who was there."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from api import answering, audit, clock, db, errors, events, observe
from api.blueprint import Door
from api.sessions import attendance, counting, doubles, listing, service, showing, shut
from api.sessions.models import CareSession
from schemas.clinic_sessions import (
    AttendanceAsk,
    ClinicSessionAnswer,
    ClinicSessionAsk,
    ClinicSessionChangedAnswer,
    ClinicSessionsAnswer,
    ClinicSessionsQuery,
    DoubleBookedProblem,
    RosterAnswer,
    RosterPlace,
    SessionChangeQuery,
)

door = Door("sessions", kind="clinic", tag="Schedule")


def read_of(operation: str, patient_ids: Iterable[UUID], resource_id: UUID) -> None:
    """One audit row per patient whom the answer names: each one's record was read."""
    _on_record(operation, "read", patient_ids, resource_id)


def overridden(operation: str, override: doubles.Override | None, resource_id: UUID) -> None:
    """One audit row per patient who is in two sessions at once because the acting user said that it is meant."""
    _on_record(operation, "override", sorted(override.patient_ids) if override else (), resource_id)


def _on_record(operation: str, action: str, patient_ids: Iterable[UUID], resource_id: UUID) -> None:
    for patient_id in patient_ids:
        audit.record(
            answering.caller(),
            operation=operation,
            action=action,
            patient_id=patient_id,
            resource_id=resource_id,
            request_id=observe.note().request_id,
        )


def _shown_session(shown: CareSession) -> dict[str, Any]:
    answering.set_version(shown.version)
    return showing.session(shown)


@door.get("/sessions", operation="listSessions", scope="schedule:read", summary="Sessions in a window")
@door.query(ClinicSessionsQuery)
@door.answers(ClinicSessionsAnswer)
def list_sessions(asked: dict[str, Any]) -> dict[str, Any]:
    """Sessions by their starts, in order of time, without their patients."""
    if not asked["since"] < asked["until"] <= asked["since"] + listing.LONGEST:
        raise errors.BadRequest("`to` must lie after `from`, by a year at most.")
    found, more = service.listed(
        since=asked["since"],
        until=asked["until"],
        series_id=asked["series_id"],
        asked=asked["page_size"],
        page_token=asked["page_token"],
    )
    return {"items": [showing.session(one) for one in found], "next_page_token": more}


@door.get(
    "/sessions/<uuid:session_id>",
    operation="getSession",
    scope="schedule:read",
    summary="One session",
    refusals=[errors.NotFound],
    etag=True,
)
@door.answers(ClinicSessionAnswer)
def get_session(session_id: UUID) -> dict[str, Any]:
    """One session, without its patients."""
    return _shown_session(service.one(session_id=session_id))


@door.put(
    "/sessions/<uuid:session_id>",
    operation="putSession",
    scope="schedule:write",
    summary="Move, cancel, restore or change one session",
    refusals=[errors.NotFound, errors.Invalid, service.SessionBegun, shut.PlaceClosed, doubles.DoubleBooked],
    problems={409: DoubleBookedProblem},
    if_match=True,
)
@door.query(SessionChangeQuery)
@door.asks(ClinicSessionAsk)
@door.answers(ClinicSessionChangedAnswer)
def put_session(how: dict[str, Any], asked: dict[str, Any], session_id: UUID) -> dict[str, Any]:
    """A session that has begun can no longer be moved, cancelled or restored. What patients replied stays said: a
    "yes" does not follow a move, a "no" does. One that a closure cancelled can be moved elsewhere and restored before
    the closure ends, or be cancelled `for_good`, which patients are not told a second time. A preview runs the same
    code and is rolled back."""
    if how["dry_run"]:
        db.preview()
    override = doubles.Override() if how["override_double_booking"] else None
    with events.recorded() as heard:
        changed = _changed(session_id, dict(asked), override)
    overridden("putSession", override, session_id)
    shown = showing.session(changed) if db.previewing() else _shown_session(changed)
    return {**shown, "dry_run": db.previewing(), "changes": counting.counted(heard)}


def _changed(session_id: UUID, details: dict[str, Any], override: doubles.Override | None) -> CareSession:
    return service.change(
        session_id=session_id,
        starts_at=details.pop("starts_at"),
        duration_minutes=details.pop("duration_minutes"),
        status=details.pop("status"),
        for_good=details.pop("for_good"),
        details=details,
        expected=answering.expected_version(),
        override=override,
        at=clock.now(),
    )


@door.get(
    "/sessions/<uuid:session_id>/attendance",
    operation="getSessionRoster",
    scope="schedule:read",
    summary="Who has a place in a session, and who was there",
    refusals=[errors.NotFound],
)
@door.answers(RosterAnswer)
def get_session_roster(session_id: UUID) -> dict[str, Any]:
    """Everybody with a place, with the patient's own reply and arrival beside the clinic's record."""
    service.one(session_id=session_id)
    found = service.roster(session_id=session_id)
    read_of("getSessionRoster", (one.patient_id for one in found), session_id)
    return {"items": [{"patient_id": one.patient_id, **showing.facts(one)} for one in found]}


@door.put(
    "/sessions/<uuid:session_id>/attendance/<uuid:patient_id>",
    operation="putAttendance",
    scope="attendance:write",
    summary="Record whether a patient was there",
    refusals=[errors.NotFound, errors.Invalid, attendance.SessionNotBegun, attendance.SessionIsCancelled],
)
@door.asks(AttendanceAsk)
@door.answers(RosterPlace)
def put_attendance(asked: dict[str, Any], session_id: UUID, patient_id: UUID) -> dict[str, Any]:
    """The clinic's own fact; the patient's arrival stays beside it. A correction is a further fact."""
    answering.about(patient_id)
    caller = answering.caller()
    here = attendance.record(
        patient_id=patient_id,
        session_id=session_id,
        **asked,
        acting_user=caller.acting_user or "",
        acting_role=caller.acting_role or "",
        at=clock.now(),
    )
    return {"patient_id": patient_id, **showing.facts(here.attendance)}
