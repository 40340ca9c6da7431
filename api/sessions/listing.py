"""What a patient reads of own sessions: rendered as JSON by PostgreSQL, in one statement that also says who asks.

``schemas.sessions.SessionAnswer`` is the same shape; tests hold the two together.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from api import hotjson, pages
from api.hotjson import utc
from api.hotread import HotRead, Reading
from api.patients.models import Patient, PatientVersion
from api.sessions.models import CHECK_IN_LEAD, JOIN_LEAD, PRESENCE_OF_MARK, Attendance, CareSession

LOOK_BACK = timedelta(days=1)
LOOK_AHEAD = timedelta(weeks=4)
LONGEST = timedelta(days=366)
FIRST = UUID(int=0)
LEAD, LINK_LEAD = (
    sa.literal_column(f"interval '{lead.total_seconds():.0f} seconds'", sa.Interval)
    for lead in (CHECK_IN_LEAD, JOIN_LEAD)
)


@dataclass(frozen=True, slots=True)
class Window:
    """Sessions that start from ``since`` until before ``until``; ``after`` is the last id of the page before."""

    since: datetime
    until: datetime
    after: UUID = FIRST


def window(*, since: datetime | None, until: datetime | None, at: datetime) -> Window:
    """The asked window; by default from a day ago, on the hour (so that the default does not change with every
    second), and four weeks on."""
    begins = since or at.replace(minute=0, second=0, microsecond=0) - LOOK_BACK
    return Window(begins, until or begins + LOOK_BACK + LOOK_AHEAD)


def turned(page_token: str, *, bound_to: tuple[Any, ...]) -> Window:
    """The rest of a window that a page before left. Raises ``pages.InvalidCursor``."""
    since, after, until = pages.key(page_token, bound_to=bound_to)
    return Window(datetime.fromisoformat(since), datetime.fromisoformat(until), UUID(after))


def next_token(more: str, shown: Window, *, bound_to: tuple[Any, ...]) -> str:
    """The token for what lies behind ``more``, the last shown session's start and id as the statement gave them."""
    starts_at, _, session_id = more.partition(" ")
    return pages.token([starts_at, session_id, shown.until.isoformat()], bound_to=bound_to)


def members(session: Any, place: Any, language: sa.ColumnElement[str]) -> list[hotjson.Member]:
    """One session as its patient sees it.

    ``place`` is ``Attendance``, or a subquery with all of its columns.
    """
    spanish = sa.case((language == hotjson.quoted("es"), session.title_es))
    return [
        hotjson.word("id", session.id),
        hotjson.word("kind", session.kind),
        hotjson.text("title", sa.func.coalesce(spanish, session.title)),
        hotjson.word("status", session.status),
        hotjson.word("starts_at", utc(place.starts_at)),
        hotjson.word("ends_at", utc(place.ends_at)),
        hotjson.text("time_zone", session.time_zone),
        hotjson.word("modality", session.modality),
        hotjson.text("facilitator", session.facilitator),
        hotjson.word("location_id", session.location_id),
        hotjson.text("room", session.room),
        hotjson.word("check_in_opens_at", utc(place.starts_at - LEAD)),
        hotjson.word("check_in_closes_at", utc(place.ends_at)),
        hotjson.word("join_opens_at", _join_opens_at(session, place)),
        hotjson.word("makes_up_for", place.makes_up_for),
        hotjson.value("reply", _reply(place)),
        hotjson.value("arrival", _arrival(place)),
        hotjson.value("attendance", _attendance(place)),
        hotjson.value("presence", _presence(place)),
    ]


def _join_opens_at(session: Any, place: Any) -> sa.ColumnElement[Any]:
    linked = sa.and_(session.join_url.is_not(None), session.modality != _word("in_person"))
    return sa.case((linked, utc(place.starts_at - LINK_LEAD)))


def _reply(place: Any) -> sa.ColumnElement[Any]:
    follows = sa.and_(place.reply == _word("not_attending"), sa.not_(place.asks_to_move))
    holds = sa.or_(follows, place.reply_starts_at == place.starts_at)
    given = hotjson.object_(
        hotjson.word("reply", place.reply),
        hotjson.text("reason", place.reply_reason),
        hotjson.word("starts_at", utc(place.reply_starts_at)),
        hotjson.word("replied_at", utc(place.replied_at)),
        hotjson.value("late", place.replied_at >= place.starts_at),
        hotjson.value("late_cancellation", place.late_cancellation),
        hotjson.value("asks_to_move", place.asks_to_move),
    )
    return sa.case((holds, given))


def _arrival(place: Any) -> sa.ColumnElement[Any]:
    placement = sa.case((_inside(place), _word("in_window")), else_=_word("outside_window"))
    said = hotjson.object_(
        hotjson.word("placement", placement),
        hotjson.word("arrived_at", utc(place.arrived_at)),
        hotjson.word("way", sa.func.coalesce(place.arrival_way, _word("checked_in"))),
        hotjson.value("confirmed", place.arrival_confirmed),
    )
    return sa.case((place.arrived_at.is_not(None), said))


def _inside(place: Any) -> sa.ColumnElement[bool]:
    inside: sa.ColumnElement[bool] = place.arrived_at.between(place.starts_at - LEAD, place.ends_at)
    return inside


def _word(word: str) -> sa.ColumnElement[str]:
    return sa.literal_column(f"'{word}'", sa.Text())


def _presence(place: Any) -> sa.ColumnElement[Any]:
    """What the place comes to, and on whose word; see ``Attendance.presence``."""
    marks = [(place.mark == _word(mark), _word(status)) for mark, status in PRESENCE_OF_MARK.items()]
    status = sa.case(*marks, (_inside(place), _word("attested")), else_=_word("expected"))
    rests_on = sa.case(
        (place.mark.is_not(None), _word("clinic")), (_inside(place), _word("patient")), else_=_word("nothing")
    )
    return hotjson.object_(hotjson.word("status", status), hotjson.word("rests_on", rests_on))


def _attendance(place: Any) -> sa.ColumnElement[Any]:
    marked = hotjson.object_(
        hotjson.word("mark", place.mark),
        hotjson.value("minutes", place.minutes),
        hotjson.word("arrived_at", utc(place.came_at)),
        hotjson.word("left_at", utc(place.left_at)),
        hotjson.word("marked_at", utc(place.marked_at)),
    )
    return sa.case((place.mark.is_not(None), marked))


def _about(caller: sa.CTE) -> list[sa.Label[str]]:
    """The patient's own choice of language, else what the request accepts."""
    own = sa.select(Patient.language).where(Patient.id == caller.c.id).correlate(caller).scalar_subquery()
    return [sa.func.coalesce(own, sa.bindparam("language", type_=sa.Text)).label("language")]


def _tag(caller: sa.CTE) -> sa.ColumnElement[str]:
    """The patient's version and the language of the titles."""
    own = sa.select(PatientVersion.version).where(PatientVersion.patient_id == caller.c.id).correlate(caller)
    return sa.func.concat_ws(sa.literal_column("'.'"), own.scalar_subquery(), caller.c.language)


def language_of(tag: str) -> str:
    """The language of an answer that carries ``tag``."""
    return tag.rpartition(".")[2]


def places(caller: sa.CTE) -> list[sa.ColumnElement[bool]]:
    return [Attendance.patient_id == caller.c.id, Attendance.status == sa.literal_column("'booked'")]


def _in_window() -> list[sa.ColumnElement[bool]]:
    """The start alone bounds the index range; among equal starts the id decides (a row comparison would not be
    leakproof, and so kept from the index by row-level security)."""
    since = sa.bindparam("since", type_=sa.DateTime(timezone=True))
    return [
        Attendance.starts_at >= since,
        Attendance.starts_at < sa.bindparam("until", type_=sa.DateTime(timezone=True)),
        sa.or_(Attendance.starts_at > since, Attendance.session_id > sa.bindparam("after", type_=sa.Uuid)),
    ]


def _shown(caller: sa.CTE, page: sa.Select[Any]) -> sa.Select[*tuple[Any, ...]]:
    """The page's places with their sessions. The page is cut before anything is joined to it or rendered."""
    place = page.lateral("place")
    return (
        sa.select(hotjson.object_(*members(CareSession, place.c, caller.c.language)).label("item"))
        .select_from(sa.join(place, CareSession, CareSession.id == place.c.session_id))
        .order_by(place.c.starts_at, place.c.session_id)
        .correlate(caller)
    )


def _page(caller: sa.CTE, *conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    return (
        sa.select(Attendance.__table__)
        .where(*places(caller), *conditions)
        .order_by(Attendance.starts_at, Attendance.session_id)
        .correlate(caller)
    )


def _window_reading(caller: sa.CTE) -> Reading:
    size = sa.bindparam("size", type_=sa.Integer)
    rows = _shown(caller, _page(caller, *_in_window()).limit(size)).lateral("t")
    body = sa.select(hotjson.array(rows.c.item)).select_from(rows).correlate(caller).scalar_subquery()
    return Reading(tag=_tag(caller), body=body, more=_more(caller, size))


def _more(caller: sa.CTE, size: Any) -> sa.ColumnElement[str]:
    """The key of the page's last session if another follows it: two index entries, read past those of the page."""
    edge = _page(caller, *_in_window()).offset(size - 1).limit(sa.literal_column("2")).lateral("edge")
    key = utc(edge.c.starts_at).op("||")(sa.literal_column("' '")).op("||")(sa.cast(edge.c.session_id, sa.Text))
    last = sa.case((sa.func.count() == 2, sa.func.min(key)))
    return sa.select(last).select_from(edge).correlate(caller).scalar_subquery()


def _single_reading(caller: sa.CTE) -> Reading:
    session_id = sa.bindparam("session_id", type_=sa.Uuid)
    body = _shown(caller, _page(caller, Attendance.session_id == session_id).limit(sa.literal_column("1")))
    return Reading(tag=_tag(caller), body=body.scalar_subquery())


MINE = HotRead(_window_reading, about=_about)
ONE = HotRead(_single_reading, about=_about)
