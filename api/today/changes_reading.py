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
from api.today.changes_kinds import KINDS, WHOLES
from api.today.changes_parts import Kind, Whole, bit

AFTER_VERSION = sa.bindparam("after_version", type_=sa.BigInteger)
AFTER_KIND = sa.bindparam("after_kind", type_=sa.Integer)
AFTER_ID = sa.bindparam("after_id", type_=sa.Uuid)
UNTIL = sa.bindparam("until", type_=sa.BigInteger)
KNOWN_VERSION = sa.bindparam("known_version", type_=sa.BigInteger)
KNOWN_LANGUAGE = sa.bindparam("known_language", type_=sa.Text)
TOLD = sa.bindparam("told", type_=sa.BigInteger)
SINCE_EVER = sa.bindparam("since_ever", type_=sa.Boolean)
SIZE = sa.bindparam("size", type_=sa.Integer)
ONE_MORE = SIZE + sa.literal_column("1")


def _about(caller: sa.CTE) -> list[sa.Label[Any]]:
    own = sa.select(Patient.language).where(Patient.id == caller.c.id).correlate(caller).scalar_subquery()
    spoken = sa.func.coalesce(own, sa.bindparam("language", type_=sa.Text))
    return [_of_version(PatientVersion.version, caller).label("version"), spoken.label("language")]


def _of_version(column: Any, caller: sa.CTE) -> sa.ScalarSelect[Any]:
    return sa.select(column).where(PatientVersion.patient_id == caller.c.id).correlate(caller).scalar_subquery()


def _unread(number: sa.ColumnElement[int], version: Any, row: Any, caller: sa.CTE) -> sa.ColumnElement[bool]:
    """After where the phone stands, and up to where the walk goes."""
    later = sa.or_(number > AFTER_KIND, sa.and_(number == AFTER_KIND, row > AFTER_ID))
    after = sa.or_(version > AFTER_VERSION, sa.and_(version == AFTER_VERSION, later))
    return sa.and_(version <= _end(caller), after)


def _end(caller: sa.CTE) -> sa.ColumnElement[int]:
    return sa.func.coalesce(UNTIL, caller.c.version)


def _number(kind: Kind | Whole) -> sa.ColumnElement[int]:
    return sa.literal_column(str(kind.number), sa.Integer)


def _is_told(kind: Kind | Whole) -> sa.ColumnElement[bool]:
    """Whether the caller is told of the kind at all; PostgreSQL looks at no row of the others."""
    return TOLD.bitwise_and(sa.literal_column(str(bit(kind)), sa.BigInteger)) != sa.literal_column("0")


def _rows(kind: Kind, caller: sa.CTE) -> Any:
    """What a page could show of the kind, at most."""
    version, row = kind.column("version"), kind.column(kind.id)
    told = [sa.or_(sa.not_(SINCE_EVER), sa.and_(*kind.worth()))] if kind.worth() else []
    return (
        sa.select(kind.rows)
        .where(
            _is_told(kind),
            kind.column(kind.patient_id) == caller.c.id,
            _unread(_number(kind), version, row, caller),
            *told,
        )
        .order_by(version, row)
        .limit(ONE_MORE)
        .correlate(caller)
        .lateral(kind.name)
    )


def _told(kind: Kind, caller: sa.CTE) -> sa.Select[Any]:
    """The rows with what is told of them: `version`, `kind`, `id` and `item`."""
    rows = _rows(kind, caller)
    shown = kind.shown(rows.c, caller)
    gone = kind.gone(rows.c) if kind.gone else None
    told = shown if gone is None else sa.case((sa.not_(gone), shown))
    source = sa.outerjoin(rows, *kind.joined(rows.c)) if kind.joined else rows
    item = _item(kind, rows.c[kind.id], rows.c.version, sa.false() if gone is None else gone, told)
    return sa.select(*item).select_from(source).correlate(caller)


def _told_whole(whole: Whole, caller: sa.CTE) -> sa.Select[Any]:
    """What there is of it now, at the end of the walk. The reading of everything leaves out what is not there."""
    there = sa.select(whole.shown(caller).label("shown")).correlate(caller).lateral(whole.name)
    gone = there.c.shown.is_(None)
    unread = _unread(_number(whole), _end(caller), caller.c.id, caller)
    item = _item(whole, caller.c.id, _end(caller), gone, there.c.shown)
    worth = sa.not_(sa.and_(SINCE_EVER, gone))
    return sa.select(*item).select_from(there).where(_is_told(whole), unread, worth).correlate(caller)


def _item(kind: Kind | Whole, row: Any, version: Any, gone: Any, shown: Any) -> list[sa.Label[Any]]:
    item = hotjson.object_(
        hotjson.word("kind", hotjson.quoted(kind.name)),
        hotjson.word("id", row),
        hotjson.value("version", version),
        hotjson.value("deleted", gone),
        hotjson.value(kind.name, shown),
    )
    return [version.label("version"), _number(kind).label("kind"), row.label("id"), item.label("item")]


def _page(caller: sa.CTE) -> sa.CTE:
    """The page and one more row, numbered."""
    told = [*(_told(kind, caller) for kind in KINDS), *(_told_whole(whole, caller) for whole in WHOLES)]
    every = sa.union_all(*told).lateral("every")
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
