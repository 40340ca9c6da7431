"""What a calendar app reads: whose feed it is and what that patient has, in one autocommitted statement.

Who asks is nobody until the hash has found a feed. The statement finds it, names its patient (as `hotread` does, and
failing closed in the same way), and reads what that patient may. Who polls with a tag is first asked no more than that.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by

from api import errors, hotlines
from api.hotjson import quoted
from api.patients import zones
from api.patients.models import Patient, PatientVersion
from api.sessions import feed_text, feeds
from api.sessions.models import Attendance, CareSession

BACK = timedelta(days=30)
AHEAD = timedelta(days=366)
# Part of the tag: another way of writing the same rows is another answer.
FORM = 1
LANGUAGE = "en"


@dataclass(frozen=True, slots=True)
class Answer:
    """A feed under its tag; `text` is None for whoever knows the tag."""

    tag: str
    text: str | None


def read(*, secret: str, address: str, known: frozenset[str], at: datetime) -> Answer:
    """The feed of this secret. Raises `errors.NotFound` where there is none, or its patient's account is not active."""
    asked = {"presented": feeds.hashed(secret).hex()}
    today = at.astimezone(UTC).date()
    if known:
        tag = _tag(_ask(_statement(whole=False), asked), today)
        if tag in known:
            return Answer(tag, None)
    found = _ask(_statement(whole=True), {**asked, **_window(today)})
    return Answer(_tag(found, today), _text(found, address, today))


def _window(today: date) -> dict[str, datetime]:
    midnight = datetime.combine(today, time(), UTC)
    return {"since": midnight - BACK, "until": midnight + AHEAD}


def _tag(found: Mapping[str, str | None], today: date) -> str:
    """Whatever a feed shows raises its patient's version, and the window moves with the day."""
    return f"{FORM}.{found['version']}.{today:%Y%m%d}"


def _text(found: Mapping[str, str | None], address: str, today: date) -> str:
    language = found["language"] or LANGUAGE
    label = found["discreet_label"] if found["titles"] == "labels" else None
    calendar = feed_text.Calendar(
        address=address,
        salt=bytes.fromhex(found["salt"] or ""),
        title=label or feed_text.TITLE[language],
        name=feed_text.NAME[language],
        time_zone=found["time_zone"] or zones.clinic(),
        year=(today - BACK).year,
    )
    return feed_text.written(calendar, [feed_text.Event(*one) for one in orjson.loads(found["events"] or "[]")])


def _ask(statement: hotlines.Prepared, asked: Mapping[str, Any]) -> dict[str, str | None]:
    row = hotlines.current().ask(statement, asked)
    found = dict(zip(COLUMNS, [None if value is None else value.decode() for value in row], strict=False))
    if found["status"] != "active":
        raise errors.NotFound
    return found


COLUMNS = ("status", "version", "titles", "salt", "language", "time_zone", "discreet_label", "events")


@cache
def _statement(*, whole: bool) -> hotlines.Prepared:
    return hotlines.Prepared(statement(whole=whole))


def statement(*, whole: bool) -> sa.Select[Any]:
    """One row always, of NULLs where the hash is nobody's."""
    caller = _caller()
    version = sa.select(PatientVersion.version).where(PatientVersion.patient_id == caller.c.id).correlate(caller)
    columns: list[Any] = [_of_patient(caller, Patient.status), version.scalar_subquery()]
    if whole:
        columns += [caller.c.titles, sa.func.encode(caller.c.salt, quoted("hex"))]
        columns += [_of_patient(caller, one) for one in (Patient.language, Patient.time_zone, Patient.discreet_label)]
        columns.append(_events(caller))
    one = sa.select(sa.literal_column("1")).subquery("one")
    return sa.select(*columns).select_from(one.outerjoin(caller, sa.true()))


def _caller() -> sa.CTE:
    presented = sa.func.decode(sa.bindparam("presented", type_=sa.Text), quoted("hex"))
    columns = (sa.column("patient_id", sa.Uuid), sa.column("titles", sa.Text), sa.column("salt", sa.LargeBinary))
    feed = sa.func.calendar_feed_of(presented).table_valued(*columns, name="feed")
    found = sa.select(feed.c.patient_id, feed.c.titles, feed.c.salt).cte("found").prefix_with("MATERIALIZED")
    patient_id = sa.cast(found.c.patient_id, sa.Text)
    named = sa.cast(sa.func.set_config(quoted("app.patient_id"), patient_id, sa.true()), sa.Uuid).label("id")
    return sa.select(named, found.c.titles, found.c.salt).cte("caller").prefix_with("MATERIALIZED")


def _of_patient(caller: sa.CTE, column: Any) -> sa.ScalarSelect[Any]:
    return sa.select(column).where(Patient.id == caller.c.id).correlate(caller).scalar_subquery()


def _events(caller: sa.CTE) -> sa.ScalarSelect[str]:
    place, session = Attendance, CareSession
    event = sa.func.json_build_array(
        session.id,
        _seconds(place.starts_at),
        _seconds(place.ends_at),
        session.status,
        session.time_zone,
        session.revision,
        _seconds(session.revised_at),
    )
    ordered = aggregate_order_by(event, place.starts_at, place.session_id)
    events = sa.select(sa.cast(sa.func.json_agg(ordered), sa.Text)).join_from(
        place, session, session.id == place.session_id
    )
    mine = (place.patient_id == caller.c.id, place.status == quoted("booked"))
    since, until = (sa.bindparam(name, type_=sa.DateTime(timezone=True)) for name in ("since", "until"))
    window = (place.starts_at >= since, place.starts_at < until)
    return events.where(*mine, *window).correlate(caller).scalar_subquery()


def _seconds(instant: Any) -> sa.ColumnElement[int]:
    return sa.cast(sa.func.trunc(sa.extract("epoch", instant)), sa.BigInteger)
