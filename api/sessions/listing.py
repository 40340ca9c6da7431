"""What a patient reads of own sessions: rendered as JSON by PostgreSQL, in one statement that also says who asks.

``schemas.sessions.SessionAnswer`` is the same shape; tests hold the two together.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from api import pages
from api.hotread import HotRead, Reading
from api.patients.models import Patient, PatientVersion
from api.sessions.models import CHECK_IN_LEAD, Attendance, CareSession

LOOK_BACK = timedelta(days=1)
LOOK_AHEAD = timedelta(weeks=4)
LONGEST = timedelta(days=366)
FIRST = UUID(int=0)
LEAD = sa.literal_column(f"interval '{CHECK_IN_LEAD.total_seconds():.0f} seconds'", sa.Interval)


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


def json(session: Any, place: Any, language: sa.ColumnElement[str]) -> list[Any]:
    """The columns of one session as its patient sees it, for rows that become JSON objects.

    ``place`` is ``Attendance``, or a subquery with all of its columns.
    """
    spanish = sa.case((language == sa.literal_column("'es'"), session.title_es))
    return [
        session.id,
        session.kind,
        sa.func.coalesce(spanish, session.title).label("title"),
        session.status,
        utc(place.starts_at).label("starts_at"),
        utc(place.ends_at).label("ends_at"),
        session.time_zone,
        session.modality,
        session.facilitator,
        session.location_id,
        session.room,
        utc(place.starts_at - LEAD).label("check_in_opens_at"),
        utc(place.ends_at).label("check_in_closes_at"),
        _reply(place).label("reply"),
        _arrival(place).label("arrival"),
        _attendance(place).label("attendance"),
    ]


def utc(instant: Any) -> sa.ColumnElement[str]:
    """RFC 3339 in whole seconds: the text of a timestamp with its blank replaced, in half the time of ``to_char``."""
    text = sa.cast(sa.func.timezone(sa.literal_column("'UTC'"), instant), sa.Text)
    return sa.func.replace(text, sa.literal_column("' '"), sa.literal_column("'T'")).op("||")(sa.literal_column("'Z'"))


def _object(**members: Any) -> sa.ColumnElement[Any]:
    parts: list[Any] = []
    for name, value in members.items():
        parts += (sa.literal_column(f"'{name}'"), value)
    return sa.func.json_build_object(*parts)


def _reply(place: Any) -> sa.ColumnElement[Any]:
    holds = sa.or_(place.reply == sa.literal_column("'not_attending'"), place.reply_starts_at == place.starts_at)
    given = _object(
        reply=place.reply,
        reason=place.reply_reason,
        starts_at=utc(place.reply_starts_at),
        replied_at=utc(place.replied_at),
        late=place.replied_at >= place.starts_at,
    )
    return sa.case((holds, given))


def _arrival(place: Any) -> sa.ColumnElement[Any]:
    inside = place.arrived_at.between(place.starts_at - LEAD, place.ends_at)
    placement = sa.case((inside, sa.literal_column("'in_window'")), else_=sa.literal_column("'outside_window'"))
    said = _object(placement=placement, arrived_at=utc(place.arrived_at))
    return sa.case((place.arrived_at.is_not(None), said))


def _attendance(place: Any) -> sa.ColumnElement[Any]:
    marked = _object(mark=place.mark, minutes=place.minutes, marked_at=utc(place.marked_at))
    return sa.case((place.mark.is_not(None), marked))


def _language(caller: sa.CTE) -> sa.ColumnElement[str]:
    """The patient's own choice, else what the request accepts."""
    own = sa.select(Patient.language).where(Patient.id == caller.c.id).correlate(caller).scalar_subquery()
    return sa.func.coalesce(own, sa.bindparam("language", type_=sa.Text))


def _tag(caller: sa.CTE) -> sa.ColumnElement[str]:
    """The patient's version and the language of the titles."""
    own = sa.select(PatientVersion.version).where(PatientVersion.patient_id == caller.c.id).correlate(caller)
    return sa.func.concat_ws(sa.literal_column("'.'"), own.scalar_subquery(), _language(caller))


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
    language = sa.select(_language(caller).label("language")).correlate(caller).offset(sa.literal_column("0"))
    chosen = language.lateral("chosen")
    return (
        sa.select(*json(CareSession, place.c, chosen.c.language))
        .select_from(sa.join(place, CareSession, CareSession.id == place.c.session_id).join(chosen, sa.true()))
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
    items = sa.func.json_strip_nulls(sa.func.coalesce(sa.func.json_agg(rows.table_valued()), sa.literal_column("'[]'")))
    body = sa.select(sa.cast(items, sa.Text)).select_from(rows).correlate(caller).scalar_subquery()
    return Reading(tag=_tag(caller), body=body, more=_more(caller, size))


def _more(caller: sa.CTE, size: Any) -> sa.ColumnElement[str]:
    """The key of the page's last session if another follows it: two index entries, read past those of the page."""
    edge = _page(caller, *_in_window()).offset(size - 1).limit(sa.literal_column("2")).lateral("edge")
    key = utc(edge.c.starts_at).op("||")(sa.literal_column("' '")).op("||")(sa.cast(edge.c.session_id, sa.Text))
    last = sa.case((sa.func.count() == 2, sa.func.min(key)))
    return sa.select(last).select_from(edge).correlate(caller).scalar_subquery()


def _single_reading(caller: sa.CTE) -> Reading:
    session_id = sa.bindparam("session_id", type_=sa.Uuid)
    row = _shown(caller, _page(caller, Attendance.session_id == session_id).limit(sa.literal_column("1"))).lateral("t")
    item = sa.func.json_strip_nulls(sa.func.row_to_json(row.table_valued()))
    body = sa.select(sa.cast(item, sa.Text)).select_from(row).correlate(caller).scalar_subquery()
    return Reading(tag=_tag(caller), body=body)


MINE = HotRead(_window_reading)
ONE = HotRead(_single_reading)
