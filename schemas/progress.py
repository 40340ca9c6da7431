"""Weeks of treatment: as their patient reads them, and as the clinic's list of who attends less than planned."""

from marshmallow import fields

from schemas.base import Answer, Day, Flag, Id, Items, ListAnswer, PageQuery, Text, Whole, Word, Zone
from schemas.my_enrollment import STATES
from schemas.programs import RangeAnswer

PATIENT = "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e04"
ENROLLMENT = "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e01"
MINUTES_OF_A_WEEK = 7 * 24 * 60
MONDAY = {"description": "The Monday on which the week begins."}


class ProgressWeekAnswer(Answer):
    """One week, Monday to Sunday. `attended_minutes` are those that the clinic recorded; `attested_minutes` stand
    beside them and rest on the patient's own word. Sessions that the clinic cancelled, or excused the patient from, are
    not among the scheduled ones. `partial`: the stay does not fill the week, or the week goes on."""

    starts_on = Day(required=True, metadata=MONDAY)
    scheduled_minutes = Whole(min=0, max=MINUTES_OF_A_WEEK, required=True)
    attended_minutes = Whole(min=0, max=MINUTES_OF_A_WEEK, required=True)
    attested_minutes = Whole(min=0, max=MINUTES_OF_A_WEEK, required=True)
    # Schemas have a `partial` of their own.
    is_partial = Flag(data_key="partial", attribute="partial", required=True)
    text = Text(max=500, required=True)

    example = {
        "starts_on": "2026-11-16",
        "scheduled_minutes": 540,
        "attended_minutes": 360,
        "attested_minutes": 180,
        "partial": False,
        "text": "You took part for 6 hours. You told us of 3 hours; the clinic has yet to record it.",
    }


class MyProgressAnswer(Answer):
    """My weeks, the newest first. `level_range` is what the clinic says of a week at this level, absent where it says
    nothing; it is no target."""

    status = Word(STATES, required=True)
    text = Text(max=500, required=True)
    time_zone = Zone(required=True, metadata={"description": "Weeks begin and end by this zone."})
    enrollment_id = Id()
    level_range = fields.Nested(RangeAnswer)
    weeks = Items(ProgressWeekAnswer, max=12, required=True)

    example = {
        "status": "active",
        "text": "These are your weeks. Every hour you take part counts, and your team is glad to see you.",
        "time_zone": "America/New_York",
        "enrollment_id": ENROLLMENT,
        "level_range": {
            "min": 540,
            "max": 900,
            "unit": "minutes_per_week",
            "qualifier": "about",
            "derived": True,
            "text": "about 9 to 15 hours a week",
        },
        "weeks": [ProgressWeekAnswer.example],
    }


class TreatmentDoseQuery(PageQuery):
    """Patients in care, with one week each."""

    below = Flag(load_default=None, metadata={"description": "Only weeks that are, or are not, below."})
    week = Day(load_default=None, metadata={"description": "A Monday; without it, that of the last whole week."})

    example = {"below": True}


class TreatmentDoseAnswer(Answer):
    """One patient's week. It lies `below` where less was attended than the smaller of the level's floor and what was
    scheduled for this patient. `below` is absent where nobody is measured: the level has no floor, the week is
    `partial`, or the patient was `stepping_down` to or from the level (ASAM's one or two weeks). `excused_minutes` are
    those of sessions from which staff excused the patient; they are not among the scheduled ones. `unrecorded_minutes`
    are those of sessions that are over and have no mark yet."""

    patient_id = Id(required=True)
    external_id = Text(max=100, required=True)
    enrollment_id = Id(required=True)
    program = Text(max=64, required=True)
    week_starts_on = Day(required=True, metadata=MONDAY)
    scheduled_minutes = Whole(min=0, max=MINUTES_OF_A_WEEK, required=True)
    excused_minutes = Whole(min=0, max=MINUTES_OF_A_WEEK, required=True)
    attended_minutes = Whole(min=0, max=MINUTES_OF_A_WEEK, required=True)
    attested_minutes = Whole(min=0, max=MINUTES_OF_A_WEEK, required=True)
    unrecorded_minutes = Whole(min=0, max=MINUTES_OF_A_WEEK, required=True)
    floor_minutes = Whole(min=0, max=MINUTES_OF_A_WEEK)
    # Schemas have a `partial` of their own.
    is_partial = Flag(data_key="partial", attribute="partial", required=True)
    stepping_down = Flag(required=True)
    below = Flag()

    example = {
        "patient_id": PATIENT,
        "external_id": "EHR-100234",
        "enrollment_id": ENROLLMENT,
        "program": "iop",
        "week_starts_on": "2026-11-16",
        "scheduled_minutes": 540,
        "excused_minutes": 0,
        "attended_minutes": 360,
        "attested_minutes": 0,
        "unrecorded_minutes": 0,
        "floor_minutes": 540,
        "partial": False,
        "stepping_down": False,
        "below": True,
    }


class TreatmentDosesAnswer(ListAnswer):
    """In the order of the patients' ids. A page may be shorter than asked, or empty, and still lead to the next."""

    items = Items(TreatmentDoseAnswer, max=100, required=True)
    time_zone = Zone(required=True, metadata={"description": "The clinic's zone, by which its weeks begin and end."})

    example = {"items": [TreatmentDoseAnswer.example], "time_zone": "America/New_York"}
