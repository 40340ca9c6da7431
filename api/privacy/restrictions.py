"""What a patient asks the clinic not to tell (42 CFR 2.26): asked, answered, ended, or taken back.

The clinic need not agree, except where the law says so; what it has agreed to binds the gate at its next read. While
one of a patient's waits for an answer, a task of the clinic's says so: one for all of them, which names the oldest.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from api import db, errors, events, pages
from api.patients import versions
from api.privacy import drafts, recipients
from api.privacy.events import RestrictionAnswered
from api.privacy.models import Restriction
from api.staff import tasks

CAUSE = "restriction_asked"


class AlreadyAnswered(errors.Conflict):
    title = "This request has been answered"
    detail = "This request has been answered otherwise already."
    title_es = "Esta solicitud ya fue respondida"
    detail_es = "Esta solicitud ya fue respondida de otra manera."


class TakenBack(errors.Conflict):
    title = "This request was taken back"
    detail = "The patient has taken this request back."
    title_es = "Esta solicitud fue retirada"
    detail_es = "El paciente retiró esta solicitud."


class NothingToTakeBack(errors.Conflict):
    title = "There is nothing to take back"
    detail = "The clinic did not agree to this request, so there is nothing to take back."
    title_es = "No hay nada que retirar"
    detail_es = "La clínica no aceptó esta solicitud, así que no hay nada que retirar."


class NotAgreedTo(errors.Conflict):
    title = "There is nothing to end"
    detail = "Only a restriction that the clinic has agreed to can be ended."
    title_es = "No hay nada que terminar"
    detail_es = "Solo se puede terminar una restricción que la clínica aceptó."


def ask(
    *,
    patient_id: UUID,
    recipient_id: UUID | None,
    categories: Sequence[str] | None,
    wish: str | None,
    at: datetime,
) -> Restriction:
    """Ask that something not be told to a partner, or to anybody. Raises `drafts.UnknownRecipient`."""
    recipient = recipients.active(recipient_id)
    if recipient_id and recipient is None:
        raise drafts.UnknownRecipient
    restriction_id = db.uuid7()
    asked = {
        "id": restriction_id,
        "patient_id": patient_id,
        "recipient_client_id": recipient_id,
        "recipient_name": recipient.name if recipient else None,
        "categories": sorted(set(categories)) if categories else None,
        "wish": wish,
        "asked_at": at,
        "version": versions.touch([patient_id])[patient_id],
    }
    # Named one by one: a patient's role may write no column of the clinic's.
    db.session().execute(sa.insert(Restriction).values(asked))
    _see_to_the_task(patient_id, asked_now=True, at=at)
    return one(restriction_id=restriction_id, patient_id=patient_id)


def answer(
    *, restriction_id: UUID, agreed: bool, words: str | None, by: str, role: str, at: datetime
) -> Restriction:  # fmt: skip
    """The clinic agrees or declines. The same again is once. Raises `errors.NotFound`, `AlreadyAnswered`,
    `TakenBack`."""
    found, stamp = _locked(restriction_id)
    status = "agreed" if agreed else "declined"
    if found.status == status:
        return found
    if found.status != "requested":
        raise TakenBack if found.status == "withdrawn" else AlreadyAnswered
    answered = {"status": status, "answered_at": at, "answer": words, "answered_by": by, "answered_role": role}
    return _change(found, stamp, at, answered)


def end(*, restriction_id: UUID, reason: str, by: str, role: str, at: datetime) -> Restriction:
    """What was agreed to holds no longer, and the patient reads why. Again is once. Raises `errors.NotFound`,
    `NotAgreedTo`, `TakenBack`."""
    found, stamp = _locked(restriction_id)
    if found.status == "ended":
        return found
    if found.status != "agreed":
        raise TakenBack if found.status == "withdrawn" else NotAgreedTo
    ended = {"status": "ended", "ended_at": at, "end_reason": reason, "ended_by": by, "ended_role": role}
    return _change(found, stamp, at, ended)


def withdraw(*, patient_id: UUID, restriction_id: UUID, at: datetime) -> Restriction:
    """The patient wants it no longer, answered or not (45 CFR 164.522(a)(2)). Again is once, and so is one that the
    clinic ended. Raises `errors.NotFound`, `NothingToTakeBack`."""
    found, stamp = _locked(restriction_id, patient_id)
    if found.status in ("withdrawn", "ended"):
        return found
    if found.status == "declined":
        raise NothingToTakeBack
    return _change(found, stamp, at, {"status": "withdrawn", "withdrawn_at": at})


def one(*, restriction_id: UUID, patient_id: UUID | None = None) -> Restriction:
    """Raises `errors.NotFound`."""
    found = sa.select(Restriction).where(Restriction.id == restriction_id)
    found = found.where(Restriction.patient_id == patient_id) if patient_id else found
    restriction = db.session().scalar(found.execution_options(populate_existing=True))
    if restriction is None:
        raise errors.NotFound
    return restriction


def page(
    *,
    patient_id: UUID | None = None,
    status: str | None = None,
    asked: int,
    page_token: str | None,
    bound_to: Sequence[Any],
) -> tuple[list[Restriction], str | None]:
    """A patient's requests, the latest first; without a patient those of everybody, the longest waiting first."""
    found = sa.select(Restriction)
    found = found.where(Restriction.patient_id == patient_id) if patient_id else found
    found = found.where(Restriction.status == status) if status else found
    return pages.page(
        found,
        keys=[Restriction.id],
        asked=asked,
        page_token=page_token,
        bound_to=(*bound_to, status),
        descending=patient_id is not None,
    )


def _locked(restriction_id: UUID, patient_id: UUID | None = None) -> tuple[Restriction, int]:
    whose = one(restriction_id=restriction_id, patient_id=patient_id).patient_id
    stamp = versions.touch([whose]).get(whose, 0)
    return one(restriction_id=restriction_id), stamp


def _change(found: Restriction, stamp: int, at: datetime, values: dict[str, Any]) -> Restriction:
    for name, value in (values | {"version": stamp}).items():
        setattr(found, name, value)
    db.session().flush()
    _see_to_the_task(found.patient_id, at=at)
    events.announce(RestrictionAnswered(found.patient_id, found.id, found.status, at))
    return found


def _see_to_the_task(patient_id: UUID, *, asked_now: bool = False, at: datetime) -> None:
    """Open, turned to what waits the longest, or closed because nothing waits. Whoever changes a request holds the
    patient's version: nobody asks or answers meanwhile."""
    oldest = db.session().scalar(_waiting(patient_id))
    if oldest is None:
        tasks.cause_is_gone(patient_id=patient_id, cause=CAUSE, at=at)
    elif asked_now:
        tasks.open_task(patient_id=patient_id, cause=CAUSE, subject_id=oldest, at=at)
    else:
        tasks.turn_to(patient_id=patient_id, cause=CAUSE, subject_id=oldest)


def _waiting(patient_id: UUID) -> sa.Select[UUID]:
    """The longest waiting of the patient's requests."""
    theirs = Restriction.patient_id == patient_id, Restriction.status == "requested"
    return sa.select(Restriction.id).where(*theirs).order_by(Restriction.id).limit(1)
