"""The patient's door to calendar feeds: an address for each calendar app, told once, and taken back."""

from typing import Any
from uuid import UUID

from flask import current_app, request

from api import answering, clock, errors, idempotency, language
from api.blueprint import Door
from api.sessions import feeds
from schemas.calendar_feeds import CalendarFeedAsk, CalendarFeedsAnswer, NewCalendarFeedAnswer

door = Door("feeds", kind="patient", tag="Calendar")


def address_of(secret: str) -> str:
    """Where a calendar app reads the feed of this secret."""
    return f"{current_app.settings.public_url}/calendar/{secret}.ics"  # type: ignore[attr-defined]


def _shown(made: feeds.Made) -> dict[str, Any]:
    feed = made.feed
    return {
        **{name: getattr(feed, name) for name in ("id", "name", "titles", "created_at")},
        "address": address_of(made.secret) if made.secret else None,
        "warning": feeds.WARNING[language.chosen()],
    }


def _key() -> str:
    return idempotency.parse(request.headers.get("Idempotency-Key"))


def _again(feed_id: UUID) -> dict[str, Any]:
    return _shown(feeds.again(patient_id=answering.patient_id(), feed_id=feed_id, key=_key()))


@door.post(
    "/calendar-feeds",
    operation="createMyCalendarFeed",
    scope="sessions:write",
    summary="Make a calendar address",
    refusals=[feeds.TooManyCalendarFeeds],
    idempotent=True,
    replay=_again,
)
@door.asks(CalendarFeedAsk)
@door.answers(NewCalendarFeedAnswer, status=201)
def create_my_calendar_feed(asked: dict[str, Any]) -> dict[str, Any]:
    """The address is a secret: show the warning before it is handed to a calendar app. It tells times alone, under a
    neutral title or the patient's own discreet label, for thirty days back and a year ahead."""
    made = feeds.make(patient_id=answering.patient_id(), key=_key(), at=clock.now(), **asked)
    answering.made(made.feed.id)
    return _shown(made)


@door.get("/calendar-feeds", operation="listMyCalendarFeeds", scope="sessions:read", summary="My calendar addresses")
@door.answers(CalendarFeedsAnswer)
def list_my_calendar_feeds() -> dict[str, Any]:
    """Which there are, without the addresses themselves."""
    return {"items": feeds.listed(patient_id=answering.patient_id())}


@door.delete(
    "/calendar-feeds/<uuid:feed_id>",
    operation="deleteMyCalendarFeed",
    scope="sessions:write",
    summary="Take a calendar address back",
    refusals=[errors.NotFound],
)
@door.answers(None, status=204)
def delete_my_calendar_feed(feed_id: UUID) -> None:
    """From then on there is nothing at the address. What calendar services have copied, they keep until they look."""
    feeds.revoke(patient_id=answering.patient_id(), feed_id=feed_id)
