"""What the delta sync tells as one thing: where texts and mail go, and the calendar feeds. Each is forgotten when it is
taken away. The address of a feed is a secret that is told once, and not here.
"""

from typing import Any

import sqlalchemy as sa

from api import hotjson
from api.hotjson import utc
from api.messages.models import MailAddress, TextConsent, TextNumber
from api.sessions.models import CalendarFeed
from api.today.changes_parts import Whole


def _phone(caller: sa.CTE) -> hotjson.Text:
    given = sa.select(TextConsent.given_at).where(TextConsent.id == TextNumber.consent_id).scalar_subquery()
    no_consent = (TextNumber.consent_id.is_(None), hotjson.quoted("no_consent"))
    shown = hotjson.object_(
        *_standing(TextNumber, no_consent),
        hotjson.text("number", TextNumber.number),
        hotjson.word("consented_at", utc(given)),
    )
    return _own(shown, TextNumber, caller)


def _email(caller: sa.CTE) -> hotjson.Text:
    shown = hotjson.object_(*_standing(MailAddress), hotjson.text("address", MailAddress.address))
    return _own(shown, MailAddress, caller)


def _standing(contact: Any, *more: tuple[Any, Any]) -> tuple[hotjson.Member, ...]:
    """As `why_off` of the row says: the first reason that holds."""
    off = (contact.off_reason.is_not(None), contact.off_reason)
    not_confirmed = (contact.confirmed_at.is_(None), hotjson.quoted("not_confirmed"))
    why_off = sa.case(off, not_confirmed, *more)
    return (
        hotjson.value("is_on", why_off.is_(None)),
        hotjson.word("why_off", why_off),
        hotjson.word("set_by", contact.set_by),
        hotjson.word("confirmed_at", utc(contact.confirmed_at)),
    )


def _feeds(caller: sa.CTE) -> hotjson.Text:
    feed = hotjson.object_(
        hotjson.word("id", CalendarFeed.id),
        hotjson.text("name", CalendarFeed.name),
        hotjson.word("titles", CalendarFeed.titles),
        hotjson.word("created_at", utc(CalendarFeed.created_at)),
    )
    own = sa.select(feed.label("feed")).where(CalendarFeed.patient_id == caller.c.id).correlate(caller)
    listed = own.order_by(CalendarFeed.id).subquery("feeds")
    items = sa.select(sa.func.string_agg(listed.c.feed, hotjson.quoted(","))).scalar_subquery()
    return hotjson.joined(hotjson.quoted('{"items":['), items, hotjson.quoted("]}"))


def _own(shown: hotjson.Text, table: Any, caller: sa.CTE) -> hotjson.Text:
    own: sa.ScalarSelect[str] = (
        sa.select(shown).where(table.patient_id == caller.c.id).correlate(caller).scalar_subquery()
    )
    return own


WHOLES = (
    Whole(10, "phone", "me:read", _phone),
    Whole(11, "email", "me:read", _email),
    Whole(12, "calendar_feeds", "sessions:read", _feeds),
)
