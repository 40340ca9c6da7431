"""Private calendar feeds: made by the patient, read by calendar apps, taken back at any time."""

from api import vocabulary
from schemas.base import Answer, Ask, Id, Instant, Items, ListAnswer, Text, Word

FEED = "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e05"


class CalendarFeedAsk(Ask):
    """A new address. `name` is for the patient alone, to tell it from others; the calendar does not show it."""

    name = Text(max=60, required=True)
    titles = Word(
        vocabulary.FEED_TITLES,
        load_default="neutral",
        metadata={"description": '`neutral` says "Appointment"; `labels` the patient\'s own discreet label, if any.'},
    )

    example = {"name": "My phone's calendar", "titles": "neutral"}


class CalendarFeedAnswer(Answer):
    """A calendar address of the patient's. The address itself is told once, when it is made."""

    id = Id(required=True)
    name = Text(max=60, required=True)
    titles = Word(vocabulary.FEED_TITLES, required=True)
    created_at = Instant(required=True)

    example = {"id": FEED, "name": "My phone's calendar", "titles": "neutral", "created_at": "2026-11-24T13:40:00Z"}


class NewCalendarFeedAnswer(CalendarFeedAnswer):
    """A new address with what to know before using it. Whoever has `address` can read the times; it is not told
    again, but to the same request repeated under its Idempotency-Key."""

    address = Text(max=300, metadata={"description": "Add it to a calendar app as a subscription."})
    warning = Text(max=2000, required=True)

    example = {
        **CalendarFeedAnswer.example,
        "address": "https://api.example.org/calendar/ReplacedByTheRealSecretOfTheFeedXXXXXXXXXXX.ics",
        "warning": "Whoever has this address can read when your appointments are, without signing in.",
    }


class CalendarFeedsAnswer(ListAnswer):
    """All of them, the oldest first."""

    items = Items(CalendarFeedAnswer, max=100, required=True)

    example = {"items": [CalendarFeedAnswer.example]}
