"""The clinic's door to check-ins: what patients reported, its review, and what is asked of whom."""

from typing import Any
from uuid import UUID

from api import answering, clock, errors
from api.blueprint import Door
from api.checkins import review, showing
from api.checkins import settings as instrument_settings
from api.checkins.models import CheckInSwitch
from api.patients import service as patients
from api.programs import service as programs
from schemas.checkins import (
    ClinicCheckInAnswer,
    ClinicCheckInsAnswer,
    ClinicCheckInsQuery,
    InstrumentSettingsAnswer,
    InstrumentSettingsAsk,
    SwitchAnswer,
    SwitchAsk,
    SwitchesAnswer,
)

door = Door("checkins", kind="clinic", tag="Check-ins")


@door.get(
    "/patients/<external_id>/check-ins",
    operation="listCheckIns",
    scope="checkins:read",
    summary="What a patient reported, newest first",
    refusals=[errors.NotFound],
)
@door.query(ClinicCheckInsQuery)
@door.answers(ClinicCheckInsAnswer)
def list_check_ins(query: dict[str, Any], external_id: str) -> dict[str, Any]:
    """Self-reported, and unreviewed until somebody at the clinic reviews it. Totals come with their bands."""
    items, more = review.listed(
        patient_id=_patient(external_id),
        instrument=query["instrument"],
        reviewed=query["reviewed"],
        asked=query["page_size"],
        page_token=query["page_token"],
        bound_to=("check-ins", answering.caller().client_id),
    )
    return {"items": [showing.for_staff(one) for one in items], "next_page_token": more}


@door.post(
    "/patients/<external_id>/check-ins/<uuid:check_in_id>/review",
    operation="reviewCheckIn",
    scope="checkins:review",
    summary="Say that somebody has looked at it",
    refusals=[errors.NotFound],
)
@door.answers(ClinicCheckInAnswer)
def review_check_in(external_id: str, check_in_id: UUID) -> dict[str, Any]:
    """Names the person for whom the system acts. Reviewing again is reviewing once."""
    by, role = _acting()
    kept = review.review(patient_id=_patient(external_id), check_in_id=check_in_id, by=by, role=role, at=clock.now())
    return showing.for_staff(kept)


@door.get(
    "/patients/<external_id>/instruments",
    operation="listPatientInstruments",
    scope="checkins:read",
    summary="What a patient is asked",
    refusals=[errors.NotFound],
)
@door.answers(SwitchesAnswer)
def list_patient_instruments(external_id: str) -> dict[str, Any]:
    """Every instrument, and whether the clinic has switched it off for this patient."""
    return {"items": review.switches(patient_id=_patient(external_id))}


@door.put(
    "/patients/<external_id>/instruments/<key>",
    operation="putPatientInstrument",
    scope="checkins:review",
    summary="Switch an instrument off or on for a patient",
    refusals=[errors.NotFound],
)
@door.asks(SwitchAsk)
@door.answers(SwitchAnswer)
def put_patient_instrument(asked: dict[str, Any], external_id: str, key: str) -> CheckInSwitch:
    """Off: it is no longer due. What the patient sends of it all the same is kept and flagged, and looked at for
    safety."""
    by, role = _acting()
    return review.switch(
        patient_id=_patient(external_id), instrument=key, offered=asked["offered"], by=by, role=role, at=clock.now()
    )


@door.get(
    "/instruments/<key>/settings",
    operation="getInstrumentSettings",
    scope="checkins:read",
    summary="What the clinic sets about an instrument",
    refusals=[errors.NotFound],
    etag=True,
)
@door.answers(InstrumentSettingsAnswer)
def get_instrument_settings(key: str) -> dict[str, Any]:
    """How often each level of care asks it, and above which total a task is opened."""
    return _versioned(instrument_settings.settings(instrument=key))


@door.put(
    "/instruments/<key>/settings",
    operation="putInstrumentSettings",
    scope="catalogue:write",
    summary="Set them",
    refusals=[errors.NotFound, programs.UnknownProgram],
    if_match=True,
    etag=True,
)
@door.asks(InstrumentSettingsAsk)
@door.answers(InstrumentSettingsAnswer)
def put_instrument_settings(asked: dict[str, Any], key: str) -> dict[str, Any]:
    """Replaces them whole, for everybody and from now on. A level of care without a schedule is not asked."""
    return _versioned(
        instrument_settings.set_settings(
            instrument=key,
            task_over_total=asked.get("task_over_total"),
            schedules=asked["schedules"],
            expected=answering.expected_version(),
        )
    )


def _patient(external_id: str) -> UUID:
    patient = patients.by_external_id(external_id)
    answering.about(patient.id)
    return patient.id


def _acting() -> tuple[str, str]:
    caller = answering.caller()
    return caller.acting_user or "", caller.acting_role or ""


def _versioned(found: dict[str, Any]) -> dict[str, Any]:
    answering.set_version(found["version"])
    return found
