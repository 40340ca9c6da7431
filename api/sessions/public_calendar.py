"""The door for calendar apps: they cannot sign in, so the address is all that they show.

It is the one place where a secret stands in an address; so nothing about it is logged but the route, it may be cached
by its reader alone, and each address has a quota of its own beside that of whoever asks.
"""

from flask import Response, request

from api import answering, clock, throttle
from api.blueprint import Door
from api.sessions import feed_reading, feeds, patient_feeds

door = Door("calendar", kind="calendar", tag="Calendar", open_to_anyone=True)

PER_MINUTE = 60
FIELDS = (("Cache-Control", "private, no-cache"), ("X-Robots-Tag", "noindex"))
TEXT = "text/calendar; charset=utf-8"
quota = throttle.Throttle(PER_MINUTE)


@door.get("/<feed_secret>.ics", operation="getCalendar", summary="A private calendar feed", hot=True)
def get_calendar(feed_secret: str) -> Response:
    """iCalendar (RFC 5545) for a calendar app's subscription: times under a neutral title, thirty days back and a year
    ahead, cancelled ones too. An address that was taken back is not there. Polled: send If-None-Match."""
    quota.spend(feeds.hashed(feed_secret).hex())
    known = frozenset(one.strip().removeprefix("W/").strip('"') for one in _presented())
    answer = feed_reading.read(
        secret=feed_secret, address=patient_feeds.address_of(feed_secret), known=known, at=clock.now()
    )
    headers = [*FIELDS, ("ETag", f'"{answer.tag}"')]
    if answer.text is None:
        return answering.Ready("304 NOT MODIFIED", headers, None)
    return answering.Ready("200 OK", [*headers, ("Content-Type", TEXT)], answer.text.encode())


def _presented() -> list[str]:
    header = request.environ.get("HTTP_IF_NONE_MATCH", "")
    return header.split(",") if header else []
