"""What may be published, and what may not."""

import copy

import marshmallow as ma
import pytest

from api.programs.catalogue import shipped
from schemas.program_revisions import ProgramContentAnswer, ProgramRevisionAsk


@pytest.mark.parametrize("slug", shipped())
def test_every_shipped_program_could_have_been_published(slug):
    assert ProgramRevisionAsk().load(shipped()[slug]) == shipped()[slug]


@pytest.mark.parametrize("slug", shipped())
def test_what_is_published_is_read_back_whole(slug):
    assert ProgramContentAnswer().dump(shipped()[slug]) == shipped()[slug]


def change(path, value):
    content = copy.deepcopy(shipped()["iop"])
    *steps, last = path
    place = content
    for step in steps:
        place = place[step]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return content


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("frequency", "max"), 2),
        (("frequency", "min"), 0),
        (("frequency", "unit"), "minutes_per_day"),
        (("frequency", "qualifier"), "maybe"),
        (("session_length", "unit"), "days_per_week"),
        (("duration", "max_weeks"), 7),
        (("duration", "max_weeks"), ...),
        (("duration",), {"open_ended": False}),
        (("therapies", 1, "key"), "individual"),
        (("therapies", 0, "conditional"), True),
        (("therapies", 0, "condition"), {"en": "sometimes", "es": "a veces"}),
        (("name", "es"), ...),
        (("name", "en"), "I\x00OP"),
        (("name",), "Intensive Outpatient Program"),
        (("steps_to",), ...),
        (("steps_to",), ["no/where"]),
        (("reviewed_by",), "Dr. Robin Example"),
        (("reviewed_on",), "2026-11-01"),
        (("level_of_care",), "unheard of"),
        (("offered_here",), "yes"),
        (("price",), 3),
        (("source", "url"), "javascript:alert(1)"),
    ],
)
def test_what_does_not_fit_is_refused(path, value):
    with pytest.raises(ma.ValidationError):
        ProgramRevisionAsk().load(change(path, value))


def test_a_review_has_a_reviewer_and_a_day():
    reviewed = shipped()["iop"] | {"reviewed_by": "Dr. Robin Example", "reviewed_on": "2026-11-01"}
    assert ProgramRevisionAsk().load(reviewed)["reviewed_on"].isoformat() == "2026-11-01"
