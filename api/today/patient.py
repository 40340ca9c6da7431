"""The patient's door to today."""

from flask import Response

from api import answering, clock, language
from api.blueprint import Door
from api.hotread import HotAnswer
from api.today import reading
from schemas.today import TodayAnswer

door = Door("today", kind="patient", tag="Today")


@door.get(
    "/today",
    operation="getMyToday",
    # It tells what operations of each of these tell; `me:read` is for the patient's zone.
    scope="me:read enrollment:read sessions:read checkins:read",
    summary="The first screen",
    etag=True,
    hot=True,
)
@door.answers(TodayAnswer)
def get_my_today() -> Response:
    """Level of care, the next sessions with the running one first, what is due, this week's attended minutes, and
    until when all of it holds. Polled: send If-None-Match."""
    accepted = language.accepted()
    asked = reading.parameters(at=clock.now(), language=accepted)
    return answering.hot(reading.TODAY, frame=_with_end, spoken=reading.language_of, **asked)


def _with_end(found: HotAnswer) -> str:
    assert found.body is not None
    return f'{found.body[:-1]},"valid_until":"{found.tag.rpartition(".")[2]}"}}'
