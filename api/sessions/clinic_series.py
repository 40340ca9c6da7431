"""The clinic's door to series: weekly rules, and who belongs to them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from api import answering, clock, errors
from api.blueprint import Door
from api.programs import service as programs
from api.sessions import members, series, showing
from api.sessions.clinic import read_of
from api.sessions.models import SeriesMember, SessionSeries
from schemas.series import (
    SeriesAnswer,
    SeriesAsk,
    SeriesListAnswer,
    SeriesMemberAnswer,
    SeriesMembersAnswer,
    SeriesQuery,
)

door = Door("series", kind="clinic", tag="Schedule")


def _shown_series(shown: SessionSeries) -> dict[str, Any]:
    answering.set_version(shown.version)
    return showing.series(shown)


def _made_series(series_id: UUID) -> dict[str, Any]:
    answering.made(series_id, location=f"/v1/clinic/session-series/{series_id}")
    return _shown_series(series.one(series_id=series_id))


@door.post(
    "/session-series",
    operation="createSessionSeries",
    scope="schedule:write",
    summary="Begin a weekly series",
    refusals=[errors.Invalid, programs.UnknownProgram, programs.NotOfferedHere],
    idempotent=True,
    replay=_made_series,
)
@door.asks(SeriesAsk)
@door.answers(SeriesAnswer, status=201)
def create_session_series(asked: dict[str, Any]) -> dict[str, Any]:
    """Sessions are made twelve weeks ahead, in UTC from the local time: the hour on the wall stays when the clocks
    change. A local time that does not exist moves forward, one that occurs twice is the first."""
    return _made_series(series.schedule(details=_details(asked), at=clock.now()).id)


@door.get("/session-series", operation="listSessionSeries", scope="schedule:read", summary="Series")
@door.query(SeriesQuery)
@door.answers(SeriesListAnswer)
def list_session_series(asked: dict[str, Any]) -> dict[str, Any]:
    """Every series, or those of one program."""
    found, more = series.listed(program=asked["program"], asked=asked["page_size"], page_token=asked["page_token"])
    return {"items": [showing.series(one) for one in found], "next_page_token": more}


@door.get(
    "/session-series/<uuid:series_id>",
    operation="getSessionSeries",
    scope="schedule:read",
    summary="One series",
    refusals=[errors.NotFound],
    etag=True,
)
@door.answers(SeriesAnswer)
def get_session_series(series_id: UUID) -> dict[str, Any]:
    """The rule and what every session has from it."""
    return _shown_series(series.one(series_id=series_id))


@door.put(
    "/session-series/<uuid:series_id>",
    operation="putSessionSeries",
    scope="schedule:write",
    summary="Change what is to come of a series",
    refusals=[errors.NotFound, errors.Invalid, programs.UnknownProgram, programs.NotOfferedHere],
    if_match=True,
)
@door.asks(SeriesAsk)
@door.answers(SeriesAnswer)
def put_session_series(asked: dict[str, Any], series_id: UUID) -> dict[str, Any]:
    """Sessions that have begun stay. Coming ones follow, save those that were changed on their own; a session whose
    day has left the rule is cancelled. End a series with an earlier `UNTIL`."""
    return _shown_series(
        series.change(
            series_id=series_id, details=_details(asked), expected=answering.expected_version(), at=clock.now()
        )
    )


@door.get(
    "/session-series/<uuid:series_id>/members",
    operation="listSeriesMembers",
    scope="schedule:read",
    summary="Who belongs to a series",
    refusals=[errors.NotFound],
)
@door.answers(SeriesMembersAnswer)
def list_series_members(series_id: UUID) -> dict[str, Any]:
    """The current members."""
    series.one(series_id=series_id)
    found = members.of_series(series_id=series_id)
    read_of("listSeriesMembers", (one.patient_id for one in found), series_id)
    return {"items": found}


@door.put(
    "/session-series/<uuid:series_id>/members/<uuid:patient_id>",
    operation="putSeriesMember",
    scope="schedule:write",
    summary="A patient joins a series",
    refusals=[errors.NotFound, members.SeriesFull, members.PatientNotActive],
)
@door.answers(SeriesMemberAnswer)
def put_series_member(series_id: UUID, patient_id: UUID) -> SeriesMember:
    """Gives the patient a place in every session that has not ended. Joining twice is joining once."""
    answering.about(patient_id)
    return members.join(series_id=series_id, patient_id=patient_id, at=clock.now())


@door.delete(
    "/session-series/<uuid:series_id>/members/<uuid:patient_id>",
    operation="deleteSeriesMember",
    scope="schedule:write",
    summary="A patient leaves a series",
    refusals=[errors.NotFound],
)
@door.answers(None, status=204)
def delete_series_member(series_id: UUID, patient_id: UUID) -> None:
    """Takes the patient's places in sessions that have not begun; the past stays."""
    answering.about(patient_id)
    members.leave(series_id=series_id, patient_id=patient_id, at=clock.now())


def _details(asked: dict[str, Any]) -> dict[str, Any]:
    """The body in the words of the tables."""
    details = dict(asked)
    details["program_slug"] = details.pop("program")
    hour = datetime.strptime(details.pop("starts_local"), "%H:%M").time()  # noqa: DTZ007 (wall time has no zone)
    details["first_starts_local"] = datetime.combine(details.pop("first_on"), hour)
    return details
