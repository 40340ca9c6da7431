"""A page of the delta sync as one statement, and so one snapshot: all kinds in one order, cut before it is rendered.

Whoever has nothing new to read is told so by the tag alone, for which PostgreSQL looks at one row. Each kind reads the
patient's own rows by the patient's key: a person has some hundreds, and an index on their versions would have to be
written at every change of every row.
"""

from typing import Any

import sqlalchemy as sa

from api import hotjson
from api.hotread import HotRead, Reading
from api.patients.models import Patient, PatientVersion
from api.today.changes_kinds import KINDS, Kind

AFTER_VERSION = sa.bindparam("after_version", type_=sa.BigInteger)
AFTER_KIND = sa.bindparam("after_kind", type_=sa.Integer)
AFTER_ID = sa.bindparam("after_id", type_=sa.Uuid)
UNTIL = sa.bindparam("until", type_=sa.BigInteger)
KNOWN_VERSION = sa.bindparam("known_version", type_=sa.BigInteger)
KNOWN_LANGUAGE = sa.bindparam("known_language", type_=sa.Text)
SINCE_EVER = sa.bindparam("since_ever", type_=sa.Boolean)
SIZE = sa.bindparam("size", type_=sa.Integer)
ONE_MORE = SIZE + sa.literal_column("1")


def _about(caller: sa.CTE) -> list[sa.Label[Any]]:
    own = sa.select(Patient.language).where(Patient.id == caller.c.id).correlate(caller).scalar_subquery()
    spoken = sa.func.coalesce(own, sa.bindparam("language", type_=sa.Text))
    return [_of_version(PatientVersion.version, caller).label("version"), spoken.label("language")]


def _of_version(column: Any, caller: sa.CTE) -> sa.ScalarSelect[Any]:
    return sa.select(column).where(PatientVersion.patient_id == caller.c.id).correlate(caller).scalar_subquery()


def _unread(kind: Kind, caller: sa.CTE) -> sa.ColumnElement[bool]:
    """After where the phone stands, and up to where the walk goes."""
    version, row = kind.column("version"), kind.column(kind.id)
    number = sa.literal_column(str(kind.number), sa.Integer)
    later = sa.or_(number > AFTER_KIND, sa.and_(number == AFTER_KIND, row > AFTER_ID))
    after = sa.or_(version > AFTER_VERSION, sa.and_(version == AFTER_VERSION, later))
    return sa.and_(version <= sa.func.coalesce(UNTIL, caller.c.version), after)


def _rows(kind: Kind, caller: sa.CTE) -> Any:
    """What a page could show of the kind, at most."""
    told = [sa.or_(sa.not_(SINCE_EVER), sa.and_(*kind.worth()))] if kind.worth() else []
    return (
        sa.select(kind.table.__table__)
        .where(kind.column(kind.patient_id) == caller.c.id, _unread(kind, caller), *told)
        .order_by(kind.column("version"), kind.column(kind.id))
        .limit(ONE_MORE)
        .correlate(caller)
        .lateral(kind.name)
    )


def _told(kind: Kind, caller: sa.CTE) -> sa.Select[Any]:
    """The rows with what is told of them: `version`, `kind`, `id` and `item`."""
    rows = _rows(kind, caller)
    shown = kind.shown(rows.c, caller)
    gone = kind.gone(rows.c) if kind.gone else None
    item = hotjson.object_(
        hotjson.word("kind", hotjson.quoted(kind.name)),
        hotjson.word("id", rows.c[kind.id]),
        hotjson.value("version", rows.c.version),
        hotjson.value("deleted", sa.false() if gone is None else gone),
        hotjson.value(kind.name, shown if gone is None else sa.case((sa.not_(gone), shown))),
    )
    number = sa.literal_column(str(kind.number), sa.Integer)
    told = sa.select(
        rows.c.version.label("version"), number.label("kind"), rows.c[kind.id].label("id"), item.label("item")
    )
    source = sa.outerjoin(rows, *kind.joined(rows.c)) if kind.joined else rows
    return told.select_from(source).correlate(caller)


def _page(caller: sa.CTE) -> sa.CTE:
    """The page and one more row, numbered."""
    every = sa.union_all(*(_told(kind, caller) for kind in KINDS)).lateral("every")
    order = (every.c.version, every.c.kind, every.c.id)
    number = sa.func.row_number().over(order_by=order).label("number")
    cut = sa.select(*every.c, number).select_from(sa.join(caller, every, sa.true())).order_by(*order).limit(ONE_MORE)
    return cut.cte("page")


def _goes_on(caller: sa.CTE) -> sa.ColumnElement[bool]:
    """Whether one can go on from what the phone knows."""
    afresh_from = _of_version(PatientVersion.afresh_from, caller)
    standing = KNOWN_VERSION.between(afresh_from, caller.c.version)
    return sa.or_(KNOWN_VERSION.is_(None), sa.and_(standing, caller.c.language == KNOWN_LANGUAGE))


def _items(page: sa.CTE) -> sa.ScalarSelect[str]:
    shown = sa.select(page.c.item).where(page.c.number <= SIZE).order_by(page.c.number).subquery("shown")
    return sa.select(hotjson.array(shown.c.item)).scalar_subquery()


def _more(page: sa.CTE) -> sa.ScalarSelect[str]:
    """The key of the page's last row if another follows it."""
    texts = [sa.cast(column, sa.Text) for column in (page.c.version, page.c.kind, page.c.id)]
    key = sa.func.concat_ws(hotjson.quoted(" "), *texts)
    follows = sa.exists().where(page.c.number > SIZE).correlate_except(page)
    return sa.select(key).where(page.c.number == SIZE, follows).scalar_subquery()


def reading(caller: sa.CTE) -> Reading:
    page = _page(caller)
    return Reading(
        tag=sa.func.concat_ws(hotjson.quoted("."), sa.cast(caller.c.version, sa.Text), caller.c.language),
        body=sa.case((_goes_on(caller), _items(page))),
        more=_more(page),
    )


CHANGES = HotRead(reading, about=_about)


def language_of(tag: str) -> str:
    """The language of an answer that carries `tag`."""
    return tag.rpartition(".")[2]
