"""Tells the duty contacts that an alert waits: at once, and the next one at each deadline until it is acknowledged.

Claim, let go of the database, deliver, settle. The lease is by the database's clock; when a worker dies in between,
the next one says the same under the same key, which a gateway takes once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from api import clock, db
from api.messages import gateway as gateways
from api.messages import post as office
from api.messages import templates
from api.observe import log
from api.programs import hours, shelf
from api.programs.edition import Location
from api.staff import duty
from api.staff.models import Alert, AlertNotice

BATCH = 50
LEASE_SECONDS = 60
TRY_AGAIN = timedelta(minutes=1)
_ALERTS: sa.Table = Alert.__table__  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class Due:
    """An open alert whose next notice is due; `number` counts its notices from 1."""

    id: UUID
    patient_id: UUID
    number: int


@dataclass(frozen=True, slots=True)
class Told:
    """What became of one notice."""

    due: Due
    number: int
    contact: int
    outcome: str


def run() -> bool:
    """One turn by the clock and the carriers in use; whether more may be due already."""
    return tick(at=clock.now(), post=office.in_use())


def tick(*, at: datetime, post: office.Post, locations: Sequence[Location] | None = None) -> bool:
    """Send what is due at `at`; True when more may be due already.

    `locations` say when the clinic is open; without them, the catalogue does.
    """
    contacts = duty.contacts()
    if not contacts:
        return False
    with db.transaction(db.WORKER):
        claimed = _claim(at)
    told = [told for due in claimed for told in _tell(due, contacts, post)]
    if told:
        with db.transaction(db.WORKER):
            places = shelf.inside().locations if locations is None else locations
            _settle(told, at, deadline(places, start=at))
    return len(claimed) == BATCH


def deadline(locations: Sequence[Location], *, start: datetime) -> datetime:
    """When a contact told at `start` must have acknowledged, counted in opening time, closures taken out.

    A clinic that states no hours must not leave an alert without a deadline: then all time counts.
    """
    minutes = duty.ANSWER_WITHIN // timedelta(minutes=1)
    return hours.after_open_time(locations, start=start, minutes=minutes) or start + duty.ANSWER_WITHIN


def _claim(at: datetime) -> list[Due]:
    now = sa.func.clock_timestamp()
    free = sa.or_(Alert.leased_until.is_(None), Alert.leased_until < now)
    chosen = (
        sa.select(Alert.id)
        .where(Alert.status == "open", Alert.next_notice_at <= at, free)
        .order_by(Alert.next_notice_at)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    claim = (
        sa.update(Alert)
        .where(Alert.id.in_(chosen))
        .values(leased_until=now + sa.func.make_interval(0, 0, 0, 0, 0, 0, LEASE_SECONDS))
        .returning(Alert.id, Alert.patient_id, Alert.notices_sent + 1)
        .execution_options(synchronize_session=False)
    )
    return [Due(*row) for row in db.session().execute(claim)]


def _tell(due: Due, contacts: Sequence[str], post: office.Post) -> list[Told]:
    """Tell the contact whose turn it is; one that cannot be reached passes the turn on at once, once around."""
    told = []
    for number in range(due.number, due.number + len(contacts)):
        contact = (number - 1) % len(contacts)
        outcome = _delivered(post, f"alert:{due.id}:{number}", contacts[contact])
        told.append(Told(due, number, contact + 1, outcome))
        if outcome == "accepted":
            break
    return told


def _delivered(post: office.Post, key: str, recipient: str) -> str:
    """`accepted` or `failed`. One contact's trouble must not keep the other alerts from being told."""
    text = templates.text("duty_notice", "en")
    try:
        message = gateways.Message(
            key=key, channel="duty", recipient=recipient, text=text, language="en", kind="duty_notice"
        )
        return "accepted" if post.tell(message) == gateways.ACCEPTED else "failed"
    except Exception as trouble:
        log.error("duty notice failed", key=key, trouble=type(trouble).__name__)
        return "failed"


def _settle(told: Sequence[Told], at: datetime, deadline_at: datetime) -> None:
    """Write down every notice, and for each alert when the next contact is told."""
    session = db.session()
    session.execute(insert(AlertNotice).on_conflict_do_nothing(), [_row(one, at, deadline_at) for one in told])
    last = {one.due.id: one for one in told}
    session.connection().execute(
        _NEXT,
        [
            {
                "alert": alert_id,
                "number": one.number,
                "next": deadline_at if one.outcome == "accepted" else at + TRY_AGAIN,
            }
            for alert_id, one in last.items()
        ],
    )


# A worker that was slower than its lease must not undo what another has told since.
_NEXT = (
    sa.update(_ALERTS)
    .where(_ALERTS.c.id == sa.bindparam("alert"), _ALERTS.c.notices_sent < sa.bindparam("number"))
    .values(
        notices_sent=sa.bindparam("number"),
        next_notice_at=sa.bindparam("next", type_=sa.DateTime(timezone=True)),
        leased_until=None,
    )
)


def _row(one: Told, at: datetime, deadline_at: datetime) -> dict[str, Any]:
    return {
        "id": db.uuid7(),
        "alert_id": one.due.id,
        "patient_id": one.due.patient_id,
        "number": one.number,
        "contact": one.contact,
        "outcome": one.outcome,
        "sent_at": at,
        "deadline_at": deadline_at,
    }
