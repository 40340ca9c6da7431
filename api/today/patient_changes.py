"""The patient's door to what has changed."""

from hashlib import blake2b
from typing import Any
from uuid import UUID

from flask import Response

from api import answering, clock, language, pages
from api.blueprint import Door
from api.hotread import HotAnswer
from api.today import changes, changes_kinds, changes_reading
from schemas.changes import MyChangesAnswer, MyChangesQuery

door = Door("changes", kind="patient", tag="Today")


@door.get(
    "/changes",
    operation="listMyChanges",
    scope="me:read",
    summary="What has changed",
    refusals=[changes.StartAfresh],
    etag=True,
    hot=True,
)
@door.query(MyChangesQuery)
@door.answers(MyChangesAnswer)
def list_my_changes(asked: dict[str, Any]) -> Response:
    """Everything of the patient's that changed after `since`, in the order in which it did; what is gone has `deleted`.
    Without `since` it is everything there is: sessions and check-ins from 30 days ago on, reminders from a day ago on.
    Ask for the pages until one brings `next_since`, and keep that for the next time. After a 410, drop what is kept and
    read afresh. A kind is told to tokens of the scope that its own operations ask for: `privacy:read` for consents,
    restriction requests and acknowledgements, `sessions:read` for sessions and calendar addresses, `enrollment:read`,
    `reminders:read` and `checkins:read` for theirs, `me:read` for the rest. `since` covers the kinds that were told;
    with more scopes, or once there are more kinds, it is a 410. The words of reminders are in `/v1/me/reminders`, the
    answers of a check-in in `/v1/me/check-ins/{id}`, and whether a consent holds now in `/v1/me/consents/{id}`.
    `phone`, `email` and `calendar_feeds` close every reading that tells of anything; one without `since` leaves out
    those that are not there. Polled: send If-None-Match."""
    patient_id, at, since = answering.patient_id(), clock.now(), asked["since"]
    told = changes_kinds.told_to(answering.caller().scopes)
    if asked["page_token"]:
        place = changes.within(asked["page_token"], patient_id=patient_id, since=since, told=told, at=at)
    elif since:
        place = changes.between(since, patient_id=patient_id, told=told, at=at)
    else:
        place = changes.beginning(told=told, at=at)

    def frame(found: HotAnswer) -> str:
        return changes.answer(found, place, patient_id=patient_id, since=since, at=at)

    return answering.hot(
        changes_reading.CHANGES,
        variant=_variant(patient_id, asked, place, (at - place.issued_at) // changes.RENEWED),
        frame=frame,
        spoken=changes_reading.language_of,
        unchanged=place.tag,
        missing=changes.StartAfresh,
        size=pages.size(asked["page_size"]),
        language=language.accepted(),
        at=at,
        **place.parameters(),
    )


def _variant(patient_id: UUID, asked: dict[str, Any], place: changes.Place, days: int) -> str:
    """What the answer depends on beside version and language; a day on, a token is renewed."""
    hour = place.hour if place.since_ever else None
    return blake2b(
        repr((patient_id, sorted(asked.items()), hour, days, place.told)).encode(), digest_size=8
    ).hexdigest()
