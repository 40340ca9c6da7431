"""What became of each attempt to carry a message: written down after it, found again when the carrier reports."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from api import db, events, pages
from api.messages import devices, mail_addresses, phones
from api.messages.events import DeliveryReported
from api.messages.gateway import ACCEPTED, DEAD, Address, Message, Outcome
from api.messages.models import Delivery, EarlyReport

KEPT, KEPT_EARLY = timedelta(days=90), timedelta(days=1)
NOT_CARRIED = "not_carried"
BATCH = 1000
PROBLEMS_SINCE = timedelta(days=30)
_COLUMNS = Delivery.__table__.c


@dataclass(frozen=True, slots=True)
class Attempt:
    """One message to one address."""

    message: Message
    address: Address
    outcome: Outcome


def addresses_of(patient_ids: Collection[UUID]) -> dict[UUID, list[Address]]:
    """Everywhere that messages for these patients may go, phones first; who has nothing is missing."""
    found: dict[UUID, list[Address]] = {}
    for source in (devices, phones, mail_addresses):
        for patient_id, theirs in source.addresses_of(patient_ids).items():
            found.setdefault(patient_id, []).extend(theirs)
    return found


def record(attempts: Iterable[Attempt], *, at: datetime) -> None:
    """Write attempts down. Messages to staff leave nothing here."""
    rows = [_row(one, at) for one in attempts if one.message.patient_id is not None]
    if rows:
        db.session().execute(sa.insert(Delivery), rows)


def record_unsaid(subjects: Mapping[UUID, tuple[UUID, str]], *, at: datetime) -> None:
    """Write down what reached no carrier: the patient's id and the reason, by what the message was about."""
    rows = [
        {
            "id": db.uuid7(),
            "patient_id": patient_id,
            "subject_id": subject_id,
            "verdict": NOT_CARRIED,
            "reason": reason,
            "attempted_at": at,
        }
        for subject_id, (patient_id, reason) in subjects.items()
    ]
    if rows:
        db.session().execute(sa.insert(Delivery), rows)


def forget_dead(attempts: Sequence[Attempt], *, at: datetime) -> None:
    """Let no further message go where a carrier says that nobody is: in transactions of their own, since each kind of
    address takes its own locks."""
    dead = {channel: [one for one in attempts if _is_dead(one, channel)] for channel in _FORGET}
    for channel, act in _FORGET.items():
        if dead[channel]:
            with db.transaction(db.WORKER):
                act(dead[channel], at)


def on_reported(fact: DeliveryReported) -> None:
    """A carrier says later what became of a message. Reports repeat and come out of order: the first of each stands."""
    column = {"delivered": "delivered_at", "failed": "failed_at"}.get(fact.status)
    if column is None:
        return
    told = {column: sa.func.coalesce(_COLUMNS[column], fact.at)}
    if fact.status == "failed":
        told["reason"] = sa.func.coalesce(_COLUMNS.reason, fact.reason or None)
    theirs = Delivery.provider == fact.provider, Delivery.provider_id == fact.provider_id
    found = db.session().scalars(sa.update(Delivery).where(*theirs).values(told).returning(Delivery.id))
    if found.first() is None:
        _keep_for_later(fact)


def hear_early_reports(*, at: datetime) -> None:
    """Hear again what was reported of deliveries that are written down by now. Reports of others (codes, messages to
    staff) are forgotten after a day."""
    early = EarlyReport.__table__.c
    with db.transaction(db.WORKER) as session:
        known = sa.exists().where(_COLUMNS.provider == early.provider, _COLUMNS.provider_id == early.provider_id)
        gone = sa.delete(EarlyReport).where(sa.or_(known, early.at < at - KEPT_EARLY)).returning(*early)
        reports = [DeliveryReported(*row) for row in session.execute(gone)]
    for one in reports:
        # One transaction each: they are of several patients.
        if one.at >= at - KEPT_EARLY:
            with db.transaction(db.WORKER):
                events.announce(one)


def _keep_for_later(fact: DeliveryReported) -> None:
    kept = insert(EarlyReport).values(
        provider=fact.provider, provider_id=fact.provider_id, status=fact.status, reason=fact.reason, at=fact.at
    )
    db.session().execute(kept.on_conflict_do_nothing())


def tried_channels(subject_ids: Collection[UUID]) -> dict[UUID, set[str]]:
    """Over which channels each of these was tried already."""
    found: dict[UUID, set[str]] = {}
    if subject_ids:
        tried = sa.select(Delivery.subject_id, Delivery.channel).where(Delivery.subject_id.in_(subject_ids)).distinct()
        for subject_id, channel in db.session().execute(tried):
            if subject_id is not None and channel is not None:
                found.setdefault(subject_id, set()).add(channel)
    return found


def problems(
    *, patient_id: UUID, at: datetime, asked: int, page_token: str | None
) -> tuple[list[dict[str, Any]], str | None]:
    """Messages of the last 30 days that did not arrive, newest first, and the next page's token."""
    failed = sa.or_(Delivery.verdict != ACCEPTED, Delivery.failed_at.is_not(None))
    since = at - PROBLEMS_SINCE
    found = sa.select(Delivery).where(Delivery.patient_id == patient_id, Delivery.attempted_at > since, failed)
    rows, more = pages.page(
        found,
        keys=[_COLUMNS.attempted_at, _COLUMNS.id],
        asked=asked,
        page_token=page_token,
        bound_to=("delivery-problems", patient_id),
        descending=True,
    )
    return [_problem(one) for one in rows], more


def forget_old(*, at: datetime) -> bool:
    """Forget a batch of attempts that are long over; whether there are more."""
    old = sa.select(Delivery.id).where(Delivery.attempted_at < at - KEPT).limit(BATCH).with_for_update(skip_locked=True)
    gone = db.session().scalars(sa.delete(Delivery).where(Delivery.id.in_(old)).returning(Delivery.id))
    return len(gone.all()) == BATCH


def _forget_devices(dead: Sequence[Attempt], at: datetime) -> None:
    devices.forget_dead([one.address.id for one in dead], at=at)


def _forget_numbers(dead: Sequence[Attempt], at: datetime) -> None:
    phones.forget_dead({one.address.id: one.outcome.reason for one in dead}, at=at)


def _forget_mail(dead: Sequence[Attempt], at: datetime) -> None:
    mail_addresses.forget_dead([one.address.id for one in dead], at=at)


_FORGET = {"push": _forget_devices, "sms": _forget_numbers, "email": _forget_mail}


def _is_dead(one: Attempt, channel: str) -> bool:
    return one.outcome.verdict == DEAD and one.address.channel == channel


def _row(one: Attempt, at: datetime) -> dict[str, Any]:
    return {
        "id": db.uuid7(),
        "patient_id": one.message.patient_id,
        "subject_id": one.message.subject_id,
        "channel": one.address.channel,
        "provider": one.address.provider,
        "address_id": one.address.id,
        "verdict": one.outcome.verdict,
        "reason": one.outcome.reason or None,
        "provider_id": one.outcome.provider_id,
        "attempted_at": at,
    }


def _problem(one: Delivery) -> dict[str, Any]:
    names = ("id", "channel", "provider", "reason", "attempted_at", "failed_at")
    return {**{name: getattr(one, name) for name in names}, "outcome": "failed" if one.failed_at else one.verdict}
