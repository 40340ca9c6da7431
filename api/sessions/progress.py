"""A patient's own weeks of treatment: minutes and kind words. Nothing here measures anybody: no floor, no target.

The level's range stands beside the weeks as the program's own words say it, and is absent where the clinic has none.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from api.enrollments import mine
from api.enrollments.models import Enrollment
from api.patients import service as patients
from api.patients import zones
from api.programs import presentation, ranges
from api.programs import service as programs
from api.programs.edition import Edition
from api.sessions import dose, progress_words, stays

Json = dict[str, Any]


def of_patient(*, patient_id: UUID, language: str, at: datetime) -> Json:
    """The last weeks of the stay that holds, or held last, as `MyProgressAnswer` has them; the newest first."""
    zone = zones.of(patients.one(patient_id=patient_id))
    all_stays = mine.stays(patient_id)
    stay = mine.shown(all_stays, at)
    state = mine.state(stay, at)
    edition = programs.catalogue()
    return {
        "status": state,
        "text": progress_words.INTRODUCTION[state][language],
        "time_zone": zone,
        "enrollment_id": stay.id if stay else None,
        "level_range": _range(edition, stay, language) if stay else None,
        "weeks": _weeks(stay, all_stays, edition, ZoneInfo(zone), language, at) if stay else [],
    }


def _range(edition: Edition, stay: Enrollment, language: str) -> Json | None:
    """What the clinic says of a week at this level, in minutes."""
    content = edition.program(stay.program_slug)
    if content is None:
        return None
    known = content.content
    span = ranges.minutes_per_week(known.get("frequency"), known.get("session_length"))
    return presentation.span_in(span, language)


def _weeks(
    stay: Enrollment, all_stays: Sequence[Enrollment], edition: Edition, zone: ZoneInfo, language: str, at: datetime
) -> list[Json]:
    if stay.starts_at > at:
        return []
    known = stays.stay(stay, all_stays, stays.pauses_of([stay.id]).get(stay.id, ()), edition)
    mondays = dose.weeks_of(known, zone=zone, at=at)
    window = {"since": dose.begins(mondays[-1], zone), "until": dose.begins(mondays[0] + dose.WEEK, zone)}
    places = stays.places_of([stay.patient_id], **window).get(stay.patient_id, [])
    return [_week(one, language, at, zone) for one in dose.rows(known, places, mondays=mondays, zone=zone, at=at)]


def _week(week: dose.Week, language: str, at: datetime, zone: ZoneInfo) -> Json:
    """The week without what staff alone read: whether it lies below anything is not told."""
    return {
        "starts_on": week.starts_on,
        "scheduled_minutes": week.scheduled,
        "attended_minutes": week.attended,
        "attested_minutes": week.attested,
        "partial": week.partial,
        "text": progress_words.of(week, current=dose.monday_of(at, zone) == week.starts_on, language=language),
    }
