"""The clinic's door to series: weekly rules, and who belongs to them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from api import answering, clock, errors
from api.blueprint import Door
from api.programs import service as programs
from api.sessions import capacity, doubles, members, series, showing, splitting
from api.sessions.clinic import overridden, read_of
from api.sessions.models import SeriesMember, SessionSeries
from schemas.clinic_sessions import DoubleBookedProblem
from schemas.series import (
    SeriesAnswer,
    SeriesAsk,
    SeriesChangedAnswer,
    SeriesChangeQuery,
    SeriesListAnswer,
    SeriesMemberAnswer,
    SeriesMemberQuery,
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
    refusals=[
        errors.NotFound,
        errors.Invalid,
        programs.UnknownProgram,
        programs.NotOfferedHere,
        splitting.SplitInThePast,
        doubles.DoubleBooked,
    ],
    problems={409: DoubleBookedProblem},
    if_match=True,
)
@door.query(SeriesChangeQuery)
@door.asks(SeriesAsk)
@door.answers(SeriesChangedAnswer)
def put_session_series(how: dict[str, Any], asked: dict[str, Any], series_id: UUID) -> dict[str, Any]:
    """Sessions that have begun stay. Coming ones follow, save those that were changed on their own; where a week loses
    as many days as it gains they move to the new ones, and otherwise a session whose day has left the rule is
    cancelled. End a series with an earlier `UNTIL`. With `this_and_later` the series ends before that session, and the
    answer is a new one, with an id of its own, that goes on with its members and its coming sessions; with a `first_on`
    before that session, the body describes the series as a whole, and what is left of its rule goes on. For one session
    alone, `PUT` that session."""
    override = doubles.Override() if how["override_double_booking"] else None
    changed = _changed(series_id, how, _details(asked), override)
    overridden("putSessionSeries", override, changed.series.id)
    return {**_shown_series(changed.series), "lost": changed.lost}


def _changed(
    series_id: UUID, how: dict[str, Any], details: dict[str, Any], override: doubles.Override | None
) -> series.Changed:
    expected, now = answering.expected_version(), clock.now()
    if how["applies_to"] == "all":
        return series.change(series_id=series_id, details=details, expected=expected, override=override, at=now)
    since = splitting.Since(session_id=how["from_session_id"], on=how["from_on"])
    return splitting.change(
        series_id=series_id, details=details, since=since, expected=expected, override=override, at=now
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
    refusals=[errors.NotFound, capacity.SeriesFull, members.PatientNotActive, doubles.DoubleBooked],
    problems={409: DoubleBookedProblem},
)
@door.query(SeriesMemberQuery)
@door.answers(SeriesMemberAnswer)
def put_series_member(how: dict[str, Any], series_id: UUID, patient_id: UUID) -> SeriesMember:
    """Gives the patient a place in every session that has not ended, also of the series that go on from this one.
    Joining twice is joining once."""
    answering.about(patient_id)
    override = doubles.Override() if how["override_double_booking"] else None
    stay = members.join(series_id=series_id, patient_id=patient_id, override=override, at=clock.now())
    overridden("putSeriesMember", override, series_id)
    return stay


@door.delete(
    "/session-series/<uuid:series_id>/members/<uuid:patient_id>",
    operation="deleteSeriesMember",
    scope="schedule:write",
    summary="A patient leaves a series",
    refusals=[errors.NotFound],
)
@door.answers(None, status=204)
def delete_series_member(series_id: UUID, patient_id: UUID) -> None:
    """Takes the patient's places in sessions that have not begun, also of the series that go on from this one; the
    past stays."""
    answering.about(patient_id)
    members.leave(series_id=series_id, patient_id=patient_id, at=clock.now())


def _details(asked: dict[str, Any]) -> dict[str, Any]:
    """The body in the words of the tables."""
    details = dict(asked)
    details["program_slug"] = details.pop("program")
    hour = datetime.strptime(details.pop("starts_local"), "%H:%M").time()  # noqa: DTZ007 (wall time has no zone)
    details["first_starts_local"] = datetime.combine(details.pop("first_on"), hour)
    return details
